"""Calls of the protocol that several tests make, at one version each."""

from batches import batch
from wire import Body, Connection

STORAGE_ERROR = 56


def produce_body(topic, records, partition=0, acks=-1, version=7):
    def topics(body, name):
        body.string(name).array([partition], lambda b, p: b.i32(p).blob(records))
    return Body("Produce", version).string(None).i16(acks).i32(30_000).array([topic], topics)


def produce(connection, topic, records, partition=0, acks=-1):
    """(error, base offset)"""
    answer = connection.call(produce_body(topic, records, partition, acks))
    assert answer.i32() == 1 and answer.string() == topic
    assert answer.i32() == 1 and answer.i32() == partition
    return answer.i16(), answer.i64()


def fetch_body(topic, offset, partition=0, max_bytes=1 << 20, partition_max_bytes=1 << 20,
               replica=-1, wait_ms=0):
    def topics(body, name):
        body.string(name).array([partition], lambda b, p: b.i32(p, -1).i64(offset, -1).i32(
            partition_max_bytes))
    return (Body("Fetch", 11).i32(replica, wait_ms, 1, max_bytes).i8(0).i32(0, -1).array(
        [topic], topics).array([]).string(""))


def fetch(connection, topic, offset, **how):
    """(error, high watermark, records)"""
    answer = connection.call(fetch_body(topic, offset, **how))
    answer.i32()
    assert answer.i16() == 0 and answer.i32() == 0
    assert answer.i32() == 1 and answer.string() == topic
    assert answer.i32() == 1
    answer.i32()
    error, high_watermark = answer.i16(), answer.i64()
    answer.i64(), answer.i64()
    answer.array(lambda a: (a.i64(), a.i64()))
    answer.i32()
    return error, high_watermark, answer.blob()


def create_topics(connection, *names, partitions=1):
    """The error of each."""
    body = Body("CreateTopics", 2).array(
        names, lambda b, n: b.string(n).i32(partitions).i16(1).i32(0, 0)).i32(30_000).i8(0)
    answer = connection.call(body)
    answer.i32()
    return [error for _, error, _ in answer.array(lambda a: (a.string(), a.i16(), a.string()))]


def metadata(connection, *names):
    """The error of each topic."""
    answer = connection.call(Body("Metadata", 4).array(names, Body.string).i8(1))
    answer.i32()
    answer.array(lambda a: (a.i32(), a.string(), a.i32(), a.string()))
    answer.string(), answer.i32()
    return [error for error, *_ in answer.array(_metadata_topic)]


def _metadata_topic(answer):
    def partition(a):
        return (a.i16(), a.i32(), a.i32(), a.array(type(a).i32), a.array(type(a).i32))
    return (answer.i16(), answer.string(), answer.i8(), answer.array(partition))


def serves(port, topic="bystander"):
    """A client of its own writes a message and reads it back."""
    with Connection(port) as connection:
        assert metadata(connection, topic) == [0]
        error, offset = produce(connection, topic, batch(b"good"))
        assert error == 0
        error, _, records = fetch(connection, topic, offset)
        assert error == 0 and records.endswith(b"good\0")
    return True
