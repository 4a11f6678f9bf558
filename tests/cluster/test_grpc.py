"""Produce and fetch over gRPC, by the examples of docs/grpc.md and by stubs generated here."""

import os
import random
import subprocess
import sys
import threading
import time

import grpc
import kafka
import pytest
from batches import batch
from conftest import PATIENCE_SECONDS, ROOT, forget_peak, memory_bytes, wait_until
from wire import Body, Connection

EXAMPLE = ROOT / "examples/grpc/produce_consume.py"
BUILT_EXAMPLE = os.environ.get("MOLDAU_GRPC_EXAMPLE", str(ROOT / "build/release/grpc_example"))
SERVICE = "/moldau.broker.v1.Broker"
SERVING = b"\x08\x01"


@pytest.fixture(scope="session")
def stubs(tmp_path_factory):
    """The folder of the code that protoc makes of proto/broker.proto."""
    folder = tmp_path_factory.mktemp("stubs")
    plugin = subprocess.run(["sh", "-c", "command -v grpc_python_plugin"], capture_output=True,
                            text=True, check=True).stdout.strip()
    subprocess.run(["protoc", f"--python_out={folder}", f"--grpc_out={folder}",
                    f"--plugin=protoc-gen-grpc={plugin}", "proto/broker.proto", "proto/reflection_v1.proto"],
                   cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="session")
def moldau_pb(stubs):
    sys.path.insert(0, str(stubs))
    from proto import broker_pb2
    return broker_pb2


def address(cluster, broker=0):
    return f"127.0.0.1:{cluster.port + 10_000 + broker}"


@pytest.fixture
def connect(moldau_pb):
    """connect(cluster, broker) gives a stub; the channels are closed after the test."""
    from proto import broker_pb2_grpc
    channels = []

    def connected(cluster, broker=0):
        channels.append(grpc.insecure_channel(address(cluster, broker)))
        return broker_pb2_grpc.BrokerStub(channels[-1])

    yield connected
    for channel in channels:
        channel.close()


def record(moldau_pb, topic, value, **fields):
    return moldau_pb.ProduceRequest(topic=topic, records=[moldau_pb.Record(value=value)], **fields)


def values_of(stub, moldau_pb, topic, partition=0):
    out, offset = [], 0
    while True:
        reply = stub.Fetch(moldau_pb.FetchRequest(topic=topic, partition=partition, offset=offset),
                           timeout=PATIENCE_SECONDS)
        assert reply.error_code == 0, reply
        if not reply.records:
            return out
        out += [r.value for r in reply.records]
        offset = reply.next_offset


@pytest.mark.parametrize("command", [["/usr/bin/python3", str(EXAMPLE)], [BUILT_EXAMPLE]],
                         ids=["python", "c++"])
def test_the_examples_do_what_they_say(running, stubs, command):
    topic = "example-" + ("py" if len(command) > 1 else "cc")
    done = subprocess.run([*command, address(running), topic], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(stubs)}, timeout=PATIENCE_SECONDS)
    assert done.returncode == 0, done
    lines = done.stdout.splitlines()
    assert lines[0] == "hello is at offset 0 of partition 0"
    assert lines[1:] == (["0 greeting hello"] +
                         [f"{i + 1} greeting hello again {i}" for i in range(10)])
    assert running.consume(topic) == ["hello"] + [f"hello again {i}" for i in range(10)]


def test_a_key_goes_where_kafkas_clients_put_it(running, connect, moldau_pb):
    running("topic", "create", "keyed", "--partitions", 16)
    stub = connect(running)
    producer = kafka.KafkaProducer(bootstrap_servers=running.address())
    for i in range(40):
        key = b"key-%d" % i
        producer.send("keyed", key=key, value=b"by kafka-python").get(PATIENCE_SECONDS)
        stub.Produce(moldau_pb.ProduceRequest(
            topic="keyed", records=[moldau_pb.Record(key=key, value=b"by grpc")]),
            timeout=PATIENCE_SECONDS)
    producer.close()
    for partition in range(16):
        seen = {}
        reply = stub.Fetch(moldau_pb.FetchRequest(topic="keyed", partition=partition),
                           timeout=PATIENCE_SECONDS)
        for one in reply.records:
            seen.setdefault(one.key, []).append(one.value)
        assert all(values == [b"by kafka-python", b"by grpc"] for values in seen.values()), seen


def test_its_health_can_be_asked(running):
    with grpc.insecure_channel(address(running)) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert check(b"", timeout=PATIENCE_SECONDS) == SERVING


def test_what_it_serves_can_be_asked(running, moldau_pb):
    from google.protobuf import descriptor_pb2
    from proto import reflection_v1_pb2 as reflection

    def ask(channel, version, request):
        call = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection.ServerReflectionResponse.FromString)
        return next(iter(call(iter([request]), timeout=PATIENCE_SECONDS)))

    broker = "moldau.broker.v1.Broker"
    with grpc.insecure_channel(address(running)) as channel:
        for version in ("v1", "v1alpha"):
            listed = ask(channel, version, reflection.ServerReflectionRequest(list_services="*"))
            assert broker in [s.name for s in listed.list_services_response.service]
            for request in (
                    reflection.ServerReflectionRequest(file_containing_symbol=broker),
                    reflection.ServerReflectionRequest(file_by_filename="proto/broker.proto")):
                found = ask(channel, version, request).file_descriptor_response
                files = [descriptor_pb2.FileDescriptorProto.FromString(f)
                         for f in found.file_descriptor_proto]
                assert [f.package for f in files] == ["moldau.broker.v1"]
                assert {m.name for m in files[0].service[0].method} >= {"Produce", "FetchStream"}
            unknown = ask(channel, version,
                          reflection.ServerReflectionRequest(file_containing_symbol="no.such"))
            assert unknown.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


def test_bytes_that_are_no_requests_do_no_harm(running):
    random.seed(4)
    pid = running.broker()["pid"]
    memory = memory_bytes(pid, "VmRSS")
    forget_peak(pid)
    with grpc.insecure_channel(address(running)) as channel:
        for method in ("Produce", "Fetch"):
            call = channel.unary_unary(f"{SERVICE}/{method}")
            for _ in range(300):
                size = random.choice([0, 1, 3, 20, 500, 10_000])
                with pytest.raises(grpc.RpcError) as refused:
                    call(random.randbytes(size) + b"\xff", timeout=PATIENCE_SECONDS)
                assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
            # Two bytes each on the wire, millions of them: unknown fields, then empty records.
            for repeated in (b"\xf8\x7f\x00", b"\x3a\x00"):
                with pytest.raises(grpc.RpcError) as refused:
                    call(repeated * 5_000_000, timeout=PATIENCE_SECONDS)
                assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
            with pytest.raises(grpc.RpcError) as refused:
                call(b"x" * (64 << 20), timeout=PATIENCE_SECONDS)
            assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        for method in ("ProduceStream", "FetchStream"):
            stream = channel.stream_stream(f"{SERVICE}/{method}")
            with pytest.raises(grpc.RpcError) as refused:
                list(stream(iter([b"\xff" * 100]), timeout=PATIENCE_SECONDS))
            assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert running.broker()["pid"] == pid
    assert memory_bytes(pid, "VmHWM") - memory < 100 << 20


def test_readers_that_do_not_read_hold_little(running, connect, moldau_pb):
    stub = connect(running)
    running("topic", "create", "large")
    for _ in range(32):
        reply = stub.Produce(record(moldau_pb, "large", b"x" * 1_000_000),
                             timeout=PATIENCE_SECONDS)
        assert reply.error_code == 0
    pid = running.broker()["pid"]
    memory = memory_bytes(pid, "VmRSS")
    streams = []
    for _ in range(20):
        stream = stub.FetchStream(moldau_pb.FetchStreamRequest(topic="large"))
        next(stream)
        streams.append(stream)
    time.sleep(1)
    assert memory_bytes(pid, "VmRSS") - memory < 120 << 20
    for stream in streams:
        stream.cancel()


def test_any_broker_takes_what_another_leads(three, connect, moldau_pb):
    three.start()
    three("topic", "create", "spread", "--partitions", 6, "--replication-factor", 1)
    stubs = [connect(three, broker) for broker in range(3)]
    leaders = set()
    for partition in range(6):
        for broker, stub in enumerate(stubs):
            reply = stub.Produce(record(moldau_pb, "spread", b"%d" % broker, partition=partition),
                                 timeout=PATIENCE_SECONDS)
            assert (reply.error_code, reply.base_offset) == (0, broker), reply
        for stub in stubs:
            assert values_of(stub, moldau_pb, "spread", partition) == [b"0", b"1", b"2"]
            end = stub.Fetch(moldau_pb.FetchRequest(topic="spread", partition=partition,
                                                    offset=-1), timeout=PATIENCE_SECONDS)
            assert end.next_offset == 3
            leaders.add(end.leader.id)
    assert leaders == {0, 1, 2}

    # The errors of the leader come through, too.
    far = stubs[0].Fetch(moldau_pb.FetchRequest(topic="spread", partition=5, offset=99),
                         timeout=PATIENCE_SECONDS)
    assert far.error_code == 1
    bad = stubs[0].Produce(moldau_pb.ProduceRequest(topic="spread", partition=4, batch=b"x" * 80),
                           timeout=PATIENCE_SECONDS)
    assert bad.error_code != 0 and bad.not_appended

    # A stream through a broker that leads none of it keeps the order.
    def requests():
        for i in range(200):
            yield record(moldau_pb, "spread", b"s%d" % i, partition=i % 6)

    replies = list(stubs[1].ProduceStream(requests(), timeout=PATIENCE_SECONDS))
    assert [r.error_code for r in replies] == [0] * 200
    assert [r.base_offset for r in replies] == [3 + i // 6 for i in range(200)]


def test_a_leader_that_restarts_is_waited_for(three, connect, moldau_pb):
    """Nothing that was acknowledged is lost, and nothing appended twice, though no batch has a
    producer's sequence; the stream of records goes on without a word."""
    three.start()
    three("topic", "create", "one", "--partitions", 1, "--replication-factor", 1)
    first = connect(three, 0).Fetch(moldau_pb.FetchRequest(topic="one"), timeout=PATIENCE_SECONDS)
    leader = first.leader.id
    other = connect(three, (leader + 1) % 3)
    seen = []
    stream = other.FetchStream(moldau_pb.FetchStreamRequest(topic="one"))

    def consume():
        for reply in stream:
            assert reply.error_code == 0, reply
            seen.extend(r.value for r in reply.records)
            if seen and seen[-1] == b"end":
                return

    consumer = threading.Thread(target=consume)
    consumer.start()
    restarted = threading.Thread(target=lambda: three.local("restart", leader))
    stored, doubtful = [], set()
    for i in range(300):
        if i == 50:
            restarted.start()
        value = b"%d" % i
        reply = other.Produce(record(moldau_pb, "one", value), timeout=PATIENCE_SECONDS)
        if reply.error_code == 0:
            stored.append(value)
        else:
            assert not reply.not_appended, reply
            doubtful.add(value)
    restarted.join()
    wait_until(lambda: other.Produce(record(moldau_pb, "one", b"end"),
                                     timeout=PATIENCE_SECONDS).error_code == 0, "the last record")
    consumer.join(PATIENCE_SECONDS)
    stream.cancel()
    assert len(doubtful) <= 1, doubtful
    assert [v for v in seen if v not in doubtful] == stored + [b"end"]
    assert len(set(seen)) == len(seen)


def producer_id(cluster):
    with Connection(cluster.port) as connection:
        answer = connection.call(Body("InitProducerId", 0).string(None).i32(60_000))
        answer.i32()
        assert answer.i16() == 0
        return answer.i64()


def leader_of(stub, moldau_pb, topic):
    reply = stub.Fetch(moldau_pb.FetchRequest(topic=topic), timeout=PATIENCE_SECONDS)
    assert reply.error_code == 0, reply
    return reply.leader.id


def test_a_killed_leader_costs_an_idempotent_producer_nothing(three, connect, moldau_pb):
    """Through a broker that lives on: what may have been appended is sent again, and known again."""
    three.start()
    three("topic", "create", "safe", "--partitions", 1, "--replication-factor", 3)
    leader = leader_of(connect(three, 0), moldau_pb, "safe")
    other = connect(three, (leader + 1) % 3)
    pid = producer_id(three)
    for i in range(200):
        if i == 50:
            three.local("kill", leader)
        reply = other.Produce(
            moldau_pb.ProduceRequest(topic="safe", partition=0,
                                     batch=batch(b"%d" % i, producer=(pid, 0, i))),
            timeout=PATIENCE_SECONDS)
        assert (reply.error_code, reply.base_offset) == (0, i), reply
    assert values_of(other, moldau_pb, "safe") == [b"%d" % i for i in range(200)]


def test_a_stream_outlives_the_leader(three, connect, moldau_pb):
    """Plain records: each has one reply, and is there if that says so. What may or may not be there
    is said to be so. Order is kept."""
    three.start()
    three("topic", "create", "safe", "--partitions", 1, "--replication-factor", 3)
    leader = leader_of(connect(three, 0), moldau_pb, "safe")
    other = connect(three, (leader + 1) % 3)
    sent = []
    killed = threading.Event()

    def requests():
        for i in range(400):
            sent.append(b"%d" % i)
            yield record(moldau_pb, "safe", sent[-1], partition=0)
            if i == 100:
                three.local("kill", leader)
                killed.set()

    stored, doubtful = [], []
    for reply, value in zip(other.ProduceStream(requests(), timeout=PATIENCE_SECONDS), sent):
        assert not reply.not_appended, reply
        (doubtful if reply.error_code else stored).append(value)
    assert killed.is_set() and len(stored) + len(doubtful) == 400
    assert len(doubtful) <= 2, doubtful
    there = values_of(other, moldau_pb, "safe")
    assert [v for v in there if v not in doubtful] == stored
    assert len(set(there)) == len(there)
