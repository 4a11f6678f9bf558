"""kafka-python 2.0.2 (Debian's) and 3: one suite, as most programs use the same calls on both."""

import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import brokers
import kafka
import scenarios
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic
from scenarios import Record

V2 = kafka.__version__.startswith("2.0.")


class Producer:
    def __init__(self, bootstrap, acks="all", codec="none", idempotent=False):
        options = {"enable_idempotence": True} if idempotent else {}
        if not V2 and not idempotent:
            options["enable_idempotence"] = False
        self.producer = KafkaProducer(
            bootstrap_servers=bootstrap, acks=acks, linger_ms=5,
            compression_type=None if codec == "none" else codec, **options)
        self.futures = []

    def send(self, topic, value, key=None, headers=(), partition=None, timestamp_ms=None):
        self.futures.append(self.producer.send(
            topic, value, key=key, headers=list(headers), partition=partition,
            timestamp_ms=timestamp_ms))

    def flush(self):
        self.producer.flush(20)
        done = [future.get(timeout=60) for future in self.futures]
        self.futures = []
        return [(metadata.partition, metadata.offset) for metadata in done]

    def close(self):
        self.producer.close()


class Consumer:
    def __init__(self, bootstrap, group, reset):
        self.consumer = KafkaConsumer(
            bootstrap_servers=bootstrap, group_id=group, auto_offset_reset=reset,
            enable_auto_commit=False, heartbeat_interval_ms=300)

    def subscribe(self, topics):
        self.consumer.subscribe(topics)
        if not V2:
            # Version 3.0.12 loses its assignment where it joins before it knows the partitions, joins
            # again when it does, and a poll ends in between: it then waits for ever, without
            # heartbeats. This blocks until the partitions are known.
            for topic in topics:
                self.consumer.partitions_for_topic(topic)

    def assign(self, topic, partitions):
        self.consumer.assign([TopicPartition(topic, p) for p in partitions])

    def poll(self, seconds):
        polled = self.consumer.poll(timeout_ms=int(seconds * 1000))
        return [
            Record(r.partition, r.offset, r.key, r.value, tuple(tuple(h) for h in r.headers or ()),
                   r.timestamp)
            for records in polled.values() for r in records
        ]

    def seek_to_beginning(self):
        self.consumer.seek_to_beginning()

    def seek_to_end(self):
        self.consumer.seek_to_end()

    def seek(self, topic, partition, offset):
        self.consumer.seek(TopicPartition(topic, partition), offset)

    def position(self, topic, partition):
        return self.consumer.position(TopicPartition(topic, partition))

    def bounds(self, topic, partition):
        tp = TopicPartition(topic, partition)
        return (self.consumer.beginning_offsets([tp])[tp], self.consumer.end_offsets([tp])[tp])

    def offset_for_time(self, topic, partition, timestamp_ms):
        tp = TopicPartition(topic, partition)
        found = self.consumer.offsets_for_times({tp: timestamp_ms})[tp]
        return None if found is None or found.offset < 0 else found.offset

    def commit(self, topic, partition, offset):
        metadata = [offset, "note"] if V2 else [offset, "note", -1]
        self.consumer.commit({
            TopicPartition(topic, partition): kafka.structs.OffsetAndMetadata(*metadata)})

    def committed(self, topic, partition):
        return self.consumer.committed(TopicPartition(topic, partition))

    def assignment(self):
        return sorted(tp.partition for tp in self.consumer.assignment())

    def close(self):
        self.consumer.close(autocommit=False)


class Api:
    client = f"kafka-python-{kafka.__version__}".replace(".", "")
    absent = {
        "idempotent_producer": "2.0.2 has no idempotent producer",
        "delete_records": "2.0.2 has no delete_records",
    } if V2 else {}

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.admin = KafkaAdminClient(bootstrap_servers=bootstrap)

    def producer(self, **options):
        return Producer(self.bootstrap, **options)

    def consumer(self, group=None, reset="earliest"):
        return Consumer(self.bootstrap, group, reset)

    def create_topic(self, topic, partitions, config=None):
        new = NewTopic(topic, partitions, 1, topic_configs=config or {})
        self.admin.create_topics([new])

    def topics(self):
        return self.admin.list_topics()

    def partitions(self, topic):
        return len(self.admin.describe_topics([topic])[0]["partitions"])

    def delete_topic(self, topic):
        self.admin.delete_topics([topic])

    def config(self, topic):
        return self.describe(ConfigResourceType.TOPIC, topic)

    def broker_config(self):
        brokers = self.admin.describe_cluster()["brokers"]
        return self.describe(ConfigResourceType.BROKER,
                             str(brokers[0]["node_id" if V2 else "broker_id"]))

    def describe(self, kind, name):
        options = {} if V2 else {"config_filter": "all"}
        answer = self.admin.describe_configs([ConfigResource(kind, name)], **options)
        if V2:
            return {entry[0]: entry[1] for entry in answer[0].resources[0][4]}
        by_name = answer[kind.name.lower()] if kind.name.lower() in answer else answer
        return {key: entry["value"] for key, entry in by_name[name].items()}

    def set_config(self, topic, config):
        self.admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, config)])

    def add_partitions(self, topic, total):
        self.admin.create_partitions({topic: NewPartitions(total)})

    def groups(self):
        listed = self.admin.list_consumer_groups() if V2 else self.admin.list_groups()
        return [group[0] if isinstance(group, tuple) else group["group_id"] for group in listed]

    def describe_group(self, group):
        if V2:
            described = self.admin.describe_consumer_groups([group])[0]
            return described.state, len(described.members)
        described = self.admin.describe_groups([group])[group]
        return described["group_state"], len(described["members"])

    def delete_group(self, group):
        if V2:
            for _, error in self.admin.delete_consumer_groups([group]):
                if error is not kafka.errors.NoError:
                    raise error()
        else:
            answer = self.admin.delete_groups([group])[group]
            if answer != "OK":
                raise getattr(kafka.errors, answer)()

    def delete_records(self, topic, partition, offset):
        self.admin.delete_records({TopicPartition(topic, partition): offset})

    def is_error(self, error, _name, code):
        return getattr(error, "errno", None) == code


def seed_programs(api, _run):
    """The producer and the consumer of the first example, each its own process, as they stand.

    The consumer starts at the end of the topic, so the producer is started only once the group
    has a committed offset, which it has five seconds after it found that end."""
    seeds = pathlib.Path(__file__).resolve().parents[1] / "seeds"
    with subprocess.Popen([sys.executable, "-u", str(seeds / "consume.py")],
                          stdout=subprocess.PIPE, text=True) as consumer:
        try:
            scenarios.until(
                "the consumer has found where to start",
                lambda: consumer.poll() is not None or committed_somewhere(api, "test_group"), 0.2)
            subprocess.run([sys.executable, str(seeds / "produce.py")], check=True, timeout=60)
            with brokers.Deadline(consumer, 20):
                printed = consumer.stdout.readline()
            scenarios.expect(printed, "test message\n", "what it prints")
        finally:
            consumer.kill()


def committed_somewhere(api, group):
    try:
        offsets = (api.admin.list_consumer_group_offsets if V2
                   else api.admin.list_group_offsets)
        return bool(offsets(group) if V2 else offsets([group])[group])
    except kafka.errors.KafkaError:
        time.sleep(0.2)
        return False


if __name__ == "__main__":
    cases = dict(scenarios.CASES)
    if sys.argv[1].rsplit(":", 1)[1] == "9092":
        cases = {"seed_programs": seed_programs}
    scenarios.main(Api, cases)
