"""Requests that can be read but not done: each has its error, and leaves nothing behind."""

import gzip
import itertools
import struct

import pytest

from batches import CONTROL, GZIP, LZ4, SNAPPY, ZSTD, batch, record
from calls import (create_topics, fetch, fetch_body, metadata, produce, produce_body)
from conftest import wait_until
from wire import APIS, Body, Connection, request, varint

SETTINGS = ["group.initial.rebalance.delay.ms=0", "offsets.topic.num.partitions=2"]

pytestmark = pytest.mark.usefixtures("unharmed")

OFFSET_OUT_OF_RANGE, CORRUPT, UNKNOWN_TOPIC, TOO_LARGE, METADATA_TOO_LARGE = 1, 2, 3, 10, 12
INVALID_TOPIC, INVALID_ACKS, UNKNOWN_MEMBER, CLUSTER_AUTHORIZATION = 17, 21, 25, 31
EXISTS, INVALID_REQUEST, OLD_FORMAT, OUT_OF_ORDER, OLD_EPOCH, BAD_CODEC, INVALID_RECORD = (
    36, 42, 43, 45, 47, 76, 87)


@pytest.fixture
def client(broker):
    with Connection(broker.port) as connection:
        yield connection
        assert metadata(connection, "bystander") == [0]  # none of these closes the connection


@pytest.fixture(scope="module")
def topics():
    return (f"topic-{i}" for i in itertools.count())


@pytest.fixture
def topic(client, topics):
    name = next(topics)
    assert create_topics(client, name) == [0]
    wait_until(lambda: metadata(client, name) == [0], f"topic {name} is there")
    yield name
    assert produce(client, name, batch(b"still"))[0] == 0


# Topics

BAD_NAMES = ["..", ".", "", "a/b", "../../etc/passwd", "nul\0", "x" * 250, "blank ", "č", "a\nb",
             "__cluster_metadata"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_no_topic_can_have(client, name):
    assert create_topics(client, name) == [INVALID_TOPIC]
    assert metadata(client, name) == [INVALID_TOPIC]
    assert produce(client, name, batch(b"x"))[0] in (UNKNOWN_TOPIC, INVALID_TOPIC)


def test_no_path_is_made_of_a_name(broker, client, topics):
    create_topics(client, "../" + next(topics), "x" * 249)
    directories = {p.name for p in (broker.folder / "broker-0/data").iterdir()}
    assert not any(name.startswith("x" * 20) for name in directories)  # ids begin with anything
    assert metadata(client, "x" * 249) == [0]


def test_names_that_differ_in_dot_and_underscore(client):
    assert create_topics(client, "one.two_three") == [0]
    assert create_topics(client, "one_two.three") == [INVALID_TOPIC]
    assert create_topics(client, "one.two_three") == [EXISTS]


def test_a_name_twice_in_one_request(client):
    assert create_topics(client, "twice", "twice")[0] == INVALID_REQUEST


@pytest.mark.parametrize("partitions, error", [(0, 37), (-2, 37), (2**31 - 1, 44)])
def test_numbers_of_partitions(client, partitions, error):
    assert create_topics(client, "counted", partitions=partitions) == [error]


# Partitions and positions

@pytest.mark.parametrize("partition", [-1, -2**31, 1, 2**31 - 1])
def test_partitions_that_are_not_there(client, topic, partition):
    assert produce(client, topic, batch(b"x"), partition)[0] == UNKNOWN_TOPIC
    assert fetch(client, topic, 0, partition=partition)[0] == UNKNOWN_TOPIC
    assert list_offset(client, topic, -1, partition)[0] == UNKNOWN_TOPIC


def list_offset(client, topic, timestamp, partition=0):
    body = Body("ListOffsets", 2).i32(-1).i8(0).array(
        [topic], lambda b, t: b.string(t).array([0], lambda c, _: c.i32(partition).i64(timestamp)))
    answer = client.call(body)
    answer.i32(), answer.i32(), answer.string(), answer.i32(), answer.i32()
    return answer.i16(), answer.i64(), answer.i64()


@pytest.mark.parametrize("offset", [-1, -2, -2**63, 2, 2**63 - 1])
def test_offsets_out_of_range(client, topic, offset):
    assert produce(client, topic, batch(b"x")) == (0, 0)
    assert fetch(client, topic, offset)[0] == OFFSET_OUT_OF_RANGE


@pytest.mark.parametrize("timestamp", [-6, -2**63])
def test_times_that_mean_nothing(client, topic, timestamp):
    assert list_offset(client, topic, timestamp)[0] == INVALID_REQUEST


def test_negative_limits_of_a_fetch(client, topic):
    assert fetch(client, topic, 0, max_bytes=-1)[0] == INVALID_REQUEST
    assert fetch(client, topic, 0, partition_max_bytes=-1)[0] == INVALID_REQUEST
    assert fetch(client, topic, 0, max_bytes=-2**31)[0] == INVALID_REQUEST


def test_no_room_in_a_fetch_still_brings_the_first_batch(client, topic):
    """So that a client gets on, as with Kafka."""
    assert produce(client, topic, batch(b"first")) == (0, 0)
    assert produce(client, topic, batch(b"second")) == (0, 1)
    error, end, records = fetch(client, topic, 0, max_bytes=0)
    assert (error, end) == (0, 2) and b"first" in records and b"second" not in records


def test_a_fetch_that_would_wait_for_ever_does_not_hold_up_others(broker, topic):
    with Connection(broker.port) as waiting, Connection(broker.port) as other:
        waiting.send(request(fetch_body(topic, 0, wait_ms=2**31 - 1)))
        assert produce(other, topic, batch(b"at last"))[0] == 0
        assert b"at last" in waiting.receive()


@pytest.mark.parametrize("replica", [0, 1, 2**31 - 1])
def test_a_client_that_says_it_is_a_follower(client, topic, replica):
    """It would move the high watermark (CVE-2018-1288)."""
    assert fetch(client, topic, 0, replica=replica)[0] == CLUSTER_AUTHORIZATION
    assert fetch(client, topic, 0)[:2] == (0, 0)


@pytest.mark.parametrize("offset, error", [(-2, 1), (100, 1), (-2**63, 1)])
def test_records_that_can_not_be_deleted(client, topic, offset, error):
    body = Body("DeleteRecords", 0).array(
        [topic], lambda b, t: b.string(t).array([0], lambda c, p: c.i32(p).i64(offset))).i32(1000)
    answer = client.call(body)
    answer.i32(), answer.i32(), answer.string(), answer.i32(), answer.i32()
    assert (answer.i64(), answer.i16()) == (-1, error)


# Record batches

def huge_lz4_header(size):
    return b"\x04\x22\x4d\x18" + bytes([0x68]) + b"\x40" + struct.pack("<Q", size)


BAD_BATCHES = {
    "checksum": (batch(b"x", crc_xor=1), CORRUPT),
    "length too small": (batch(b"x", length_off=-1), CORRUPT),
    "length too large": (batch(b"x", length_off=1), CORRUPT),
    "length negative": (batch(b"x", length_off=-100_000), CORRUPT),
    "cut in the header": (batch(b"x")[:30], CORRUPT),
    "bytes after it": (batch(b"x") + b"abc", CORRUPT),
    "magic 1": (batch(b"x", magic=1), OLD_FORMAT),
    "magic 0": (batch(b"x", magic=0), OLD_FORMAT),
    "magic 3": (batch(b"x", magic=3), INVALID_RECORD),
    "nothing": (b"", INVALID_RECORD),
    "null": (None, INVALID_RECORD),
    "two batches": (batch(b"x") + batch(b"y"), INVALID_RECORD),
    "count too large": (batch(b"x", count=2), INVALID_RECORD),
    "count huge": (batch(b"x", count=2**31 - 1), INVALID_RECORD),
    "count zero": (batch(count=0, last_delta=-1), INVALID_RECORD),
    "count negative": (batch(b"x", count=-1, last_delta=0), INVALID_RECORD),
    "count and last offset": (batch(b"x", b"y", last_delta=5), INVALID_RECORD),
    "control batch": (batch(b"x", attributes=CONTROL), INVALID_RECORD),
    "header count": (batch(count=1, records=record(0, b"x", headers=5)), INVALID_RECORD),
    "header count negative": (batch(count=1, records=record(0, b"x", headers=-1)), INVALID_RECORD),
    "record offsets": (batch(count=1, records=record(7, b"x")), INVALID_RECORD),
    "record length": (batch(count=1, records=varint(2**31 - 1) + b"\0" * 8), INVALID_RECORD),
    "codec 5": (batch(b"x", attributes=5), BAD_CODEC),
    "codec 7": (batch(b"x", attributes=7), BAD_CODEC),
    "base offset": (batch(b"x", base_offset=5), INVALID_RECORD),
    "producer without sequence": (batch(b"x", producer=(5, 0, -1)), INVALID_RECORD),
    "too old a time": (batch(b"x", timestamp=-2), 32),
    **{f"noise for codec {codec}": (batch(count=1, attributes=codec, records=b"\xa5" * 40), CORRUPT)
       for codec in (GZIP, SNAPPY, LZ4, ZSTD)},
    "a gzip stream cut short": (batch(count=1, attributes=GZIP, records=gzip.compress(
        record(0, b"x" * 1000))[:-12]), CORRUPT),
}


@pytest.mark.parametrize("what", BAD_BATCHES)
def test_batches(client, topic, what):
    records, error = BAD_BATCHES[what]
    assert produce(client, topic, records) == (error, -1)
    assert fetch(client, topic, 0)[1] == 0


@pytest.mark.parametrize("megabytes", [200])
def test_a_decompression_bomb(client, topic, megabytes):
    """A megabyte that unfolds to a thousand times as much; memory is checked by `unharmed`."""
    bomb = gzip.compress(b"\0" * (megabytes << 20), 9)
    error, _ = produce(client, topic, batch(count=1, attributes=GZIP, records=bomb))
    assert error in (CORRUPT, TOO_LARGE, INVALID_RECORD)
    lz4 = huge_lz4_header(2**62) + b"\0" * 100
    assert produce(client, topic, batch(count=1, attributes=LZ4, records=lz4))[0] in (
        CORRUPT, TOO_LARGE)


def test_a_batch_larger_than_allowed(client, topic):
    assert produce(client, topic, batch(b"x" * 1_100_000))[0] == TOO_LARGE


@pytest.mark.parametrize("acks", [5, -2, 2, 32767, -32768])
def test_acks(client, topic, acks):
    assert produce(client, topic, batch(b"x"), acks=acks)[0] == INVALID_ACKS
    assert fetch(client, topic, 0)[1] == 0


def test_a_failed_produce_that_wants_no_answer(broker):
    """Closing is the only way to tell."""
    with Connection(broker.port) as connection:
        connection.send(request(produce_body("bystander", batch(b"x", crc_xor=1), acks=0)))
        assert connection.closed()


def producer_id(client):
    answer = client.call(Body("InitProducerId", 0).string(None).i32(60_000))
    answer.i32()
    assert answer.i16() == 0
    return answer.i64()


def test_sequences_and_epochs(client, topic):
    pid = producer_id(client)
    assert produce(client, topic, batch(b"a", producer=(pid, 1, 0))) == (0, 0)
    assert produce(client, topic, batch(b"b", producer=(pid, 1, 2)))[0] == OUT_OF_ORDER
    assert produce(client, topic, batch(b"b", producer=(pid, 1, 1))) == (0, 1)
    assert produce(client, topic, batch(b"b", producer=(pid, 1, 1))) == (0, 1)  # a retry
    assert produce(client, topic, batch(b"c", producer=(pid, 0, 2)))[0] == OLD_EPOCH
    assert produce(client, topic, batch(b"c", producer=(pid, 2, 5)))[0] == OUT_OF_ORDER
    assert produce(client, topic, batch(b"c", producer=(pid, 2, 0))) == (0, 2)
    assert fetch(client, topic, 0)[1] == 3


def test_the_clusters_own_topics_are_not_written_to(client):
    assert coordinator(client, "g") == 0
    assert produce(client, "__consumer_offsets", batch(b"x"))[0] in (INVALID_TOPIC, 29)


# Groups

def coordinator(client, group):
    answer = client.call(Body("FindCoordinator", 1).string(group).i8(0))
    answer.i32()
    return answer.i16()


@pytest.fixture
def group(client):
    wait_until(lambda: coordinator(client, "group") == 0 and heartbeat(client, "group") != 14,
               "the group's coordinator is there")
    return "group"


def heartbeat(client, group, generation=1, member="nobody"):
    return client.call(Body("Heartbeat", 0).string(group).i32(generation).string(member)).i16()


def join(client, group, member="", metadata_bytes=b"m", session=10_000, kind="consumer"):
    """(error, generation, member)"""
    body = Body("JoinGroup", 2).string(group).i32(session, 10_000).string(member, kind).array(
        ["range"], lambda b, name: b.string(name).blob(metadata_bytes))
    answer = client.call(body)
    answer.i32()
    error, generation = answer.i16(), answer.i32()
    answer.string(), answer.string()
    return error, generation, answer.string()


def commit(client, group, generation=-1, member="", text="", topic="bystander", partition=0):
    body = Body("OffsetCommit", 5).string(group).i32(generation).string(member).array(
        [topic],
        lambda b, t: b.string(t).array([partition], lambda c, p: c.i32(p).i64(1).string(text)))
    answer = client.call(body)
    answer.i32(), answer.i32(), answer.string(), answer.i32(), answer.i32()
    return answer.i16()


def test_members_that_nobody_knows(client, group):
    assert heartbeat(client, group) == UNKNOWN_MEMBER
    assert join(client, group, member="nobody")[0] == UNKNOWN_MEMBER
    sync = Body("SyncGroup", 0).string(group).i32(1).string("nobody").array([])
    assert client.call(sync).i16() == UNKNOWN_MEMBER
    assert client.call(Body("LeaveGroup", 0).string(group, "nobody")).i16() == UNKNOWN_MEMBER
    assert commit(client, group, 5, "nobody") in (UNKNOWN_MEMBER, 22)


def test_groups_without_a_name(client, group):
    assert group and join(client, "")[0] == 24
    assert heartbeat(client, "") == 24


@pytest.mark.parametrize("session", [0, -1, 5_999, 2**31 - 1])
def test_session_timeouts(client, group, session):
    assert join(client, group, session=session)[0] == 26


def test_joining_without_a_protocol(client, group):
    assert join(client, group, kind="")[0] == 23
    body = Body("JoinGroup", 2).string(group).i32(10_000, 10_000).string("", "consumer").array([])
    answer = client.call(body)
    answer.i32()
    assert answer.i16() == 23


def test_huge_metadata_of_members(client, group):
    """Nothing of what was refused stays; what was taken goes with its member."""
    for i in range(4):
        error, generation, member = join(client, f"huge-{i}", metadata_bytes=b"x" * (3 << 20))
        if error == 0:
            sync = Body("SyncGroup", 0).string(f"huge-{i}").i32(generation).string(member).array(
                [member], lambda b, m: b.string(m).blob(b"y" * 100))
            client.call(sync)
            leave = Body("LeaveGroup", 0).string(f"huge-{i}", member)
            assert client.call(leave).i16() == 0


def test_huge_text_with_a_position(client, group):
    assert commit(client, group, text="x" * 4096) == 0
    assert commit(client, group, text="x" * 4097) == METADATA_TOO_LARGE


def test_positions_in_partitions_that_are_not_there(client, group):
    assert commit(client, group, topic="nowhere") == UNKNOWN_TOPIC
    assert commit(client, group, partition=-1) == UNKNOWN_TOPIC


# Nothing to do

EMPTY = {
    "Produce": lambda b: b.string(None).i16(1).i32(1000).array([]),
    "Fetch": lambda b: (b.until(14).i32(-1), b.i32(0, 1, 1000).i8(0), b.since(7).i32(0, -1),
                        b.array([]), b.since(7).array([]), b.since(11).string("")),
    "ListOffsets": lambda b: (b.i32(-1), b.since(2).i8(0), b.array([]), b.since(10).i32(1000)),
    "Metadata": lambda b: (b.array([]), b.since(4).i8(0),
                           b.since(8).until(10).i8(0),
                           b.since(8).i8(0)),
    "OffsetCommit": lambda b: (b.string("group").i32(-1).string(""), b.since(7).string(None),
                               b.until(4).i64(-1), b.array([])),
    "OffsetFetch": lambda b: (b.until(7).string("group"), b.until(7).array([]),
                              b.since(8).array([]), b.since(7).i8(0)),
    "FindCoordinator": lambda b: (b.until(3).string("group"), b.since(1).i8(0),
                                  b.since(4).array([])),
    "JoinGroup": lambda b: (b.string("group").i32(10_000), b.since(1).i32(10_000), b.string(""),
                            b.since(5).string(None), b.string("consumer").array([]),
                            b.since(8).string(None)),
    "Heartbeat": lambda b: (b.string("group").i32(1).string("m"), b.since(3).string(None)),
    "LeaveGroup": lambda b: (b.string("group"), b.until(2).string("m"), b.since(3).array([])),
    "SyncGroup": lambda b: (b.string("group").i32(1).string("m"), b.since(3).string(None),
                            b.since(5).string(None, None), b.array([])),
    "DescribeGroups": lambda b: (b.array([]), b.since(3).i8(0)),
    "ListGroups": lambda b: (b.since(4).array([]), b.since(5).array([])),
    "ApiVersions": lambda b: b.since(3).string("a", "1"),
    "CreateTopics": lambda b: b.array([]).i32(1000).i8(0),
    "DeleteTopics": lambda b: b.array([]).i32(1000),
    "DeleteRecords": lambda b: b.array([]).i32(1000),
    "InitProducerId": lambda b: (b.string(None).i32(1000), b.since(3).i64(-1).i16(-1)),
    "OffsetForLeaderEpoch": lambda b: (b.since(3).i32(-1), b.array([])),
    "DescribeConfigs": lambda b: (b.array([]), b.since(1).i8(0), b.since(3).i8(0)),
    "AlterConfigs": lambda b: b.array([]).i8(0),
    "DescribeLogDirs": lambda b: b.array([]),
    "CreatePartitions": lambda b: b.array([]).i32(1000).i8(0),
    "DeleteGroups": lambda b: b.array([]),
    "ElectLeaders": lambda b: (b.since(1).i8(0), b.array([]), b.i32(1000)),
    "IncrementalAlterConfigs": lambda b: b.array([]).i8(0),
    "AlterPartitionReassignments": lambda b: (b.i32(1000), b.since(1).i8(0), b.array([])),
    "ListPartitionReassignments": lambda b: b.i32(1000).array([]),
    "OffsetDelete": lambda b: b.string("group").array([]),
    "DescribeQuorum": lambda b: b.array([]),
    "UpdateFeatures": lambda b: (b.i32(1000).array([]), b.since(1).i8(0)),
    "DescribeCluster": lambda b: (b.i8(0), b.since(1).i8(1), b.since(2).i8(0)),
    "UnregisterBroker": lambda b: b.i32(7),
    "ListConfigResources": lambda b: b.since(1).array([]),
    "DescribeTopicPartitions": lambda b: b.array([]).i32(10).i8(-1),
    "AddRaftVoter": lambda b: (b.string(None).i32(1000, 7).raw(bytes(16)).array([]),
                               b.since(1).i8(1)),
    "RemoveRaftVoter": lambda b: b.string(None).i32(7).raw(bytes(16)),
}


@pytest.mark.parametrize("api", APIS)
def test_empty_lists(client, group, api):
    """A normal answer, in every version."""
    assert group
    for version in APIS[api][1]:
        body = Body(api, version)
        EMPTY[api](body)
        client.call(body.tags())
