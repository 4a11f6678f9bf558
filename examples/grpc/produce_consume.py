#!/usr/bin/env python3
"""Produces a few records to Moldau over gRPC and reads them back.

    protoc --python_out=OUT --grpc_out=OUT --plugin=protoc-gen-grpc=$(which grpc_python_plugin) \\
        proto/broker.proto
    PYTHONPATH=OUT produce_consume.py [HOST:PORT [TOPIC]]

Needs python3-grpcio and python3-protobuf; for the stubs protobuf-compiler-grpc.
"""

import sys

import grpc
from proto import broker_pb2 as moldau
from proto import broker_pb2_grpc


def main(address="localhost:19092", topic="greetings"):
    with grpc.insecure_channel(address) as channel:
        broker = broker_pb2_grpc.BrokerStub(channel)

        # One request and its reply. Without a partition the key chooses it, as in Kafka's clients.
        reply = broker.Produce(moldau.ProduceRequest(
            topic=topic, records=[moldau.Record(key=b"greeting", value=b"hello")]), timeout=30)
        if reply.error_code:
            sys.exit(f"not produced: {reply.error_message}")
        print(f"hello is at offset {reply.base_offset} of partition {reply.partition}")

        # Many in flight; the replies come in the order of the requests.
        def requests():
            for i in range(10):
                yield moldau.ProduceRequest(
                    topic=topic, partition=reply.partition,
                    records=[moldau.Record(key=b"greeting", value=b"hello again %d" % i)])

        for stored in broker.ProduceStream(requests(), timeout=30):
            if stored.error_code:
                sys.exit(f"not produced: {stored.error_message}")

        # From the first of them on, as they come, until the last of them was seen.
        stream = broker.FetchStream(moldau.FetchStreamRequest(
            topic=topic, partition=reply.partition, offset=reply.base_offset))
        for fetched in stream:
            if fetched.error_code:
                sys.exit(f"not fetched: {fetched.error_message}")
            for record in fetched.records:
                print(record.offset, record.key.decode(), record.value.decode())
            if fetched.next_offset > stored.base_offset:
                break
        stream.cancel()


if __name__ == "__main__":
    main(*sys.argv[1:])
