"""What every Python client is put through, over a small adapter that each suite writes for its API.

A suite defines a class with the calls used below (see kafka_python/suite.py) and ends with
scenarios.main(Adapter). Output is one line a case, which run.py reads:

    ok NAME SECONDS | FAILED NAME REASON | absent NAME REASON

"absent" says that the client's own API has no such call; it is not counted as a skip.
"""

import dataclasses
import os
import signal
import sys
import threading
import time
import traceback

PATIENCE_SECONDS = 60  # what no state takes to be reached, even on a machine that is busy
CASE_SECONDS = 150


@dataclasses.dataclass(frozen=True)
class Record:
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple = ()
    timestamp: int = -1


class Run:
    """Names that are this run's own, so that a broker may serve many runs."""

    def __init__(self, client, bootstrap):
        self.client = client
        self.bootstrap = bootstrap
        self.id = os.environ.get("MOLDAU_TEST_RUN", f"{int(time.time()):x}")

    def name(self, what):
        return f"{self.client}-{what}-{self.id}".replace("_", "-")


def expect(actual, wanted, what):
    if actual != wanted:
        raise AssertionError(f"{what}: got {actual!r}, expected {wanted!r}")


def until(what, condition, step=0.05):
    """Waits for a state of the broker that is reached in its own time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {PATIENCE_SECONDS} s")
        time.sleep(step)


def read(consumer, count):
    """Polls until count records are there; more than count is for the caller to see."""
    records = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(records) < count:
        if time.monotonic() > deadline:
            raise AssertionError(f"{len(records)} of {count} records within "
                                 f"{PATIENCE_SECONDS} s")
        records += consumer.poll(0.2)
    return records


def payload(i):
    # Compressible and long enough for every codec to be worth its while.
    return b"record %06d " % i + b"moldau " * 30


def make_topic(api, topic, partitions, config=None):
    """Creates a topic; brokers hear of it, as of every change, in their own time."""
    api.create_topic(topic, partitions, config)
    until("the topic is listed", lambda: topic in api.topics())


def fill(api, topic, count, **options):
    """Produces count records to partition 0; returns their acknowledged (partition, offset)."""
    producer = api.producer(**options)
    for i in range(count):
        producer.send(topic, payload(i), key=b"%d" % i, partition=0)
    acknowledged = producer.flush()
    producer.close()
    return acknowledged


def codec_case(codec):
    def case(api, run):
        topic = run.name(f"codec-{codec}")
        make_topic(api, topic, 1)
        acknowledged = fill(api, topic, 300, codec=codec)
        expect(sorted(acknowledged), [(0, i) for i in range(300)], "acknowledged offsets")
        consumer = api.consumer()
        consumer.assign(topic, [0])
        consumer.seek_to_beginning()
        records = read(consumer, 300)
        consumer.close()
        expect([r.value for r in records], [payload(i) for i in range(300)], "values")
        expect([r.offset for r in records], list(range(300)), "offsets")

    return case


def acks_case(acks):
    def case(api, run):
        topic = run.name(f"acks-{acks}")
        make_topic(api, topic, 1)
        acknowledged = fill(api, topic, 50, acks=acks)
        if acks != 0:
            expect(sorted(acknowledged), [(0, i) for i in range(50)], "acknowledged offsets")
        consumer = api.consumer()
        consumer.assign(topic, [0])
        consumer.seek_to_beginning()
        expect([r.value for r in read(consumer, 50)], [payload(i) for i in range(50)], "values")
        consumer.close()

    return case


def idempotent_producer(api, run):
    topic = run.name("idempotent")
    make_topic(api, topic, 1)
    acknowledged = fill(api, topic, 100, idempotent=True)
    expect(sorted(acknowledged), [(0, i) for i in range(100)], "acknowledged offsets")


def topic_made_by_first_produce(api, run):
    topic = run.name("auto")
    producer = api.producer()
    producer.send(topic, b"first")
    expect(producer.flush(), [(0, 0)], "acknowledged offset")
    producer.close()
    assert topic in api.topics(), "the topic is listed"


def keys_and_headers(api, run):
    topic = run.name("headers")
    make_topic(api, topic, 1)
    sent = [
        (b"key", b"value", (("h1", b"one"), ("h2", b"\x00\xff"))),
        (None, b"no key", ()),
        (b"no value", None, (("h1", b"again"), ("h1", b"and again"))),
        (b"", b"", (("empty", b""),)),
        ("klíč".encode(), "hodnota".encode(), (("hlavička", "text".encode()),)),
    ]
    producer = api.producer()
    for key, value, headers in sent:
        producer.send(topic, value, key=key, headers=headers, partition=0)
    producer.flush()
    producer.close()
    consumer = api.consumer()
    consumer.assign(topic, [0])
    consumer.seek_to_beginning()
    got = [(r.key, r.value, r.headers) for r in read(consumer, len(sent))]
    consumer.close()
    expect(got, sent, "records")


def consume_from_beginning_and_end(api, run):
    topic = run.name("ends")
    make_topic(api, topic, 1)
    fill(api, topic, 20)
    late = api.consumer(reset="latest")
    late.assign(topic, [0])
    late.seek_to_end()
    expect(late.position(topic, 0), 20, "position at the end")
    early = api.consumer(reset="earliest")
    early.assign(topic, [0])
    producer = api.producer()
    producer.send(topic, b"after", partition=0)
    expect(producer.flush(), [(0, 20)], "acknowledged offset")
    producer.close()
    expect([r.value for r in read(late, 1)], [b"after"], "from the end")
    expect([r.offset for r in read(early, 21)], list(range(21)), "from the beginning")
    expect(early.bounds(topic, 0), (0, 21), "beginning and end offsets")
    late.close()
    early.close()


def consume_from_timestamp(api, run):
    topic = run.name("time")
    make_topic(api, topic, 1)
    base = int(time.time() * 1000) - 100_000
    producer = api.producer()
    for i in range(10):
        producer.send(topic, b"%d" % i, partition=0, timestamp_ms=base + i * 1000)
    producer.flush()
    producer.close()
    consumer = api.consumer()
    consumer.assign(topic, [0])
    expect(consumer.offset_for_time(topic, 0, base + 4_500), 5, "offset between two timestamps")
    expect(consumer.offset_for_time(topic, 0, base), 0, "offset of the first timestamp")
    expect(consumer.offset_for_time(topic, 0, base + 60_000), None, "offset after all timestamps")
    consumer.seek(topic, 0, 5)
    records = read(consumer, 5)
    consumer.close()
    expect([r.value for r in records], [b"5", b"6", b"7", b"8", b"9"], "values")
    expect([r.timestamp for r in records], [base + i * 1000 for i in range(5, 10)], "timestamps")


def seek(api, run):
    topic = run.name("seek")
    make_topic(api, topic, 1)
    fill(api, topic, 30)
    consumer = api.consumer()
    consumer.assign(topic, [0])
    for offset in (12, 29, 0, 7):
        consumer.seek(topic, 0, offset)
        expect(read(consumer, 1)[0].offset, offset, "first offset after seek")
    consumer.close()


def commit_and_resume(api, run):
    topic, group = run.name("commit"), run.name("commit-group")
    make_topic(api, topic, 1)
    fill(api, topic, 40)
    first = api.consumer(group=group)
    first.subscribe([topic])
    read(first, 40)
    first.commit(topic, 0, 25)
    expect(first.committed(topic, 0), 25, "committed offset")
    first.close()
    second = api.consumer(group=group)
    second.subscribe([topic])
    records = read(second, 15)
    expect([r.offset for r in records], list(range(25, 40)), "offsets after resuming")
    second.close()


class Member(threading.Thread):
    """A group member that polls in a thread of its own, as joining blocks some clients' poll."""

    def __init__(self, api, group, topic):
        super().__init__(daemon=True)
        self.make = lambda: api.consumer(group=group)
        self.topic = topic
        self.records = []
        self.assigned = []
        self.error = None
        self.leaving = threading.Event()
        self.start()

    def run(self):
        try:
            consumer = self.make()
            consumer.subscribe([self.topic])
            while not self.leaving.is_set():
                self.records += consumer.poll(0.1)
                self.assigned = consumer.assignment()
            consumer.close()
        except Exception as error:
            self.error = error

    def holds(self, count):
        if self.error:
            raise self.error
        return len(self.assigned) == count

    def read(self, value):
        return {r.partition for r in list(self.records) if r.value == value}

    def leave(self):
        self.leaving.set()
        self.join(20)
        assert not self.is_alive(), "a member has left within 20 s"


def two_members_share_and_one_leaves(api, run):
    topic, group = run.name("share"), run.name("share-group")
    make_topic(api, topic, 4)
    one = Member(api, group, topic)
    until("the only member has all partitions", lambda: one.holds(4))
    two = Member(api, group, topic)
    until("both members have half", lambda: one.holds(2) and two.holds(2))
    expect(sorted(one.assigned + two.assigned), [0, 1, 2, 3], "assignment of both")

    # A position is not known as soon as a partition is assigned; the records come in any case,
    # as members without a committed offset begin at the first.
    send_to_each(api, topic, b"both")
    until("each member reads its two partitions",
          lambda: len(one.read(b"both")) == 2 and len(two.read(b"both")) == 2)
    expect(one.read(b"both") & two.read(b"both"), set(), "partitions read by both")

    two.leave()
    until("the remaining member has all partitions", lambda: one.holds(4))
    send_to_each(api, topic, b"rest")
    until("the remaining member reads all", lambda: len(one.read(b"rest")) == 4)
    one.leave()


def send_to_each(api, topic, value):
    producer = api.producer()
    for partition in range(4):
        producer.send(topic, value, partition=partition)
    producer.flush()
    producer.close()


def admin_topics(api, run):
    topic = run.name("admin")
    make_topic(api, topic, 3, {"retention.ms": "86400000"})
    expect(api.partitions(topic), 3, "partitions")
    try:
        api.create_topic(topic, 3)
    except Exception as error:
        assert api.is_error(error, "TOPIC_ALREADY_EXISTS", 36), f"second create: {error!r}"
    else:
        raise AssertionError("a second create of the same topic succeeded")
    api.delete_topic(topic)
    until("the topic is gone", lambda: topic not in api.topics())


def admin_configs(api, run):
    topic = run.name("configs")
    make_topic(api, topic, 1, {"retention.ms": "3600000"})
    expect(api.config(topic)["retention.ms"], "3600000", "retention.ms as created")
    expect(api.config(topic)["cleanup.policy"], "delete", "cleanup.policy by default")
    api.set_config(topic, {"retention.ms": "7200000"})
    until("retention.ms is as altered",
          lambda: api.config(topic)["retention.ms"] == "7200000")
    assert len(api.broker_config()) > 10, "broker configs are described"


def admin_partitions(api, run):
    topic = run.name("partitions")
    make_topic(api, topic, 1)
    api.add_partitions(topic, 5)
    until("the topic has five partitions", lambda: api.partitions(topic) == 5)
    producer = api.producer()
    producer.send(topic, b"to the new one", partition=4)
    expect(producer.flush(), [(4, 0)], "acknowledged offset")
    producer.close()


def admin_groups(api, run):
    topic, group = run.name("groups"), run.name("groups-group")
    make_topic(api, topic, 1)
    fill(api, topic, 3)
    consumer = api.consumer(group=group)
    consumer.subscribe([topic])
    read(consumer, 3)
    consumer.commit(topic, 0, 3)
    assert group in api.groups(), "the group is listed"
    expect(api.describe_group(group), ("Stable", 1), "state and members while a member is there")
    consumer.close()
    until("the group is empty", lambda: api.describe_group(group) == ("Empty", 0))


def delete_group(api, run):
    topic, group = run.name("gone"), run.name("gone-group")
    make_topic(api, topic, 1)
    fill(api, topic, 3)
    consumer = api.consumer(group=group)
    consumer.subscribe([topic])
    read(consumer, 3)
    consumer.commit(topic, 0, 3)
    try:
        api.delete_group(group)
    except Exception as error:
        assert api.is_error(error, "NON_EMPTY_GROUP", 68), f"delete of a live group: {error!r}"
    else:
        raise AssertionError("a group was deleted under its member")
    consumer.close()
    until("the group is empty", lambda: api.describe_group(group) == ("Empty", 0))
    api.delete_group(group)
    until("the group is gone", lambda: group not in api.groups())
    again = api.consumer(group=group)
    again.subscribe([topic])
    expect([r.offset for r in read(again, 3)], [0, 1, 2], "offsets without a commit")
    again.close()


def delete_records(api, run):
    topic = run.name("delete-records")
    make_topic(api, topic, 1)
    fill(api, topic, 10)
    api.delete_records(topic, 0, 6)
    consumer = api.consumer()
    consumer.assign(topic, [0])
    consumer.seek_to_beginning()
    expect([r.offset for r in read(consumer, 4)], [6, 7, 8, 9], "offsets that are left")
    expect(consumer.bounds(topic, 0), (6, 10), "beginning and end offsets")
    consumer.close()


CASES = {
    **{f"codec_{codec}": codec_case(codec) for codec in ("none", "gzip", "snappy", "lz4", "zstd")},
    "acks_0": acks_case(0),
    "acks_1": acks_case(1),
    "acks_all": acks_case("all"),
    "idempotent_producer": idempotent_producer,
    "topic_made_by_first_produce": topic_made_by_first_produce,
    "keys_and_headers": keys_and_headers,
    "consume_from_beginning_and_end": consume_from_beginning_and_end,
    "consume_from_timestamp": consume_from_timestamp,
    "seek": seek,
    "commit_and_resume": commit_and_resume,
    "two_members_share_and_one_leaves": two_members_share_and_one_leaves,
    "admin_topics": admin_topics,
    "admin_configs": admin_configs,
    "admin_partitions": admin_partitions,
    "admin_groups": admin_groups,
    "delete_group": delete_group,
    "delete_records": delete_records,
}


def main(adapter, cases=None):
    """adapter(bootstrap) with .client (its name) and .absent ({case: why its API lacks it})."""
    bootstrap = sys.argv[1]
    only = set(sys.argv[2:])

    def overdue(_signal, _frame):
        raise TimeoutError(f"not done within {CASE_SECONDS} s")

    signal.signal(signal.SIGALRM, overdue)
    run = Run(adapter.client, bootstrap)
    api = adapter(bootstrap)
    failed = 0
    for name, case in (cases or CASES).items():
        if only and name not in only:
            continue
        if name in adapter.absent:
            print(f"absent {name} {adapter.absent[name]}", flush=True)
            continue
        started = time.monotonic()
        signal.alarm(CASE_SECONDS)
        try:
            case(api, run)
            print(f"ok {name} {time.monotonic() - started:.2f}", flush=True)
        except Exception as error:
            failed += 1
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"FAILED {name} {reason}", flush=True)
            traceback.print_exc(file=sys.stderr)
        finally:
            signal.alarm(0)
    # A client's own threads may not end after a failure; the verdict is already printed.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1 if failed else 0)
