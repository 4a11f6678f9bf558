"""confluent-kafka, over librdkafka: the newest wheel, and Debian's over Debian's librdkafka."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import confluent_kafka
import scenarios
from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic
from scenarios import Record

if not confluent_kafka.version()[0].startswith("1."):
    from confluent_kafka.admin import AlterConfigOpType, ConfigEntry

VERSION = confluent_kafka.version()[0]
OLD = VERSION.startswith("1.")


class Producer:
    def __init__(self, bootstrap, acks="all", codec="none", idempotent=False):
        self.delivered = []
        self.errors = []
        self.producer = confluent_kafka.Producer({
            "bootstrap.servers": bootstrap, "acks": str(acks), "compression.type": codec,
            "enable.idempotence": idempotent, "linger.ms": 5})

    def send(self, topic, value, key=None, headers=(), partition=None, timestamp_ms=None):
        options = {} if partition is None else {"partition": partition}
        if timestamp_ms is not None:
            options["timestamp"] = timestamp_ms
        self.producer.produce(topic, value, key, headers=list(headers),
                              on_delivery=self.on_delivery, **options)

    def on_delivery(self, error, message):
        if error:
            self.errors.append(error)
        else:
            self.delivered.append((message.partition(), message.offset()))

    def flush(self):
        left = self.producer.flush(20)
        assert left == 0 and not self.errors, f"{left} not delivered, errors {self.errors[:1]}"
        delivered, self.delivered = self.delivered, []
        return delivered

    def close(self):
        pass


class Consumer:
    def __init__(self, bootstrap, group, reset):
        self.consumer = confluent_kafka.Consumer({
            "bootstrap.servers": bootstrap, "group.id": group or "not-used",
            "auto.offset.reset": reset, "enable.auto.commit": False,
            "heartbeat.interval.ms": 300})
        self.assigned = []

    def subscribe(self, topics):
        self.consumer.subscribe(topics)

    def assign(self, topic, partitions):
        self.assigned = [TopicPartition(topic, p) for p in partitions]
        self.consumer.assign(self.assigned)

    def poll(self, seconds):
        records = []
        for message in self.consumer.consume(500, seconds):
            if message.error():
                raise confluent_kafka.KafkaException(message.error())
            records.append(Record(
                message.partition(), message.offset(), message.key(), message.value(),
                tuple(tuple(header) for header in message.headers() or ()),
                message.timestamp()[1]))
        return records

    def seek_to_beginning(self):
        self.assign_at(OFFSET_BEGINNING)

    def seek_to_end(self):
        # OFFSET_END is looked up when fetching begins; the tests need the end of now.
        self.assign_at(OFFSET_END, resolve=True)

    def assign_at(self, offset, resolve=False):
        partitions = []
        for tp in self.assigned:
            at = self.bounds(tp.topic, tp.partition)[1] if resolve else offset
            partitions.append(TopicPartition(tp.topic, tp.partition, at))
        self.resolved = {(tp.topic, tp.partition): tp.offset for tp in partitions}
        self.consumer.assign(partitions)

    def seek(self, topic, partition, offset):
        self.consumer.assign([TopicPartition(topic, partition, offset)])

    def position(self, topic, partition):
        at = self.consumer.position([TopicPartition(topic, partition)])[0].offset
        return at if at >= 0 else self.resolved[topic, partition]

    def bounds(self, topic, partition):
        return self.consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=60)

    def offset_for_time(self, topic, partition, timestamp_ms):
        asked = [TopicPartition(topic, partition, timestamp_ms)]
        found = self.consumer.offsets_for_times(asked, timeout=60)[0]
        return None if found.offset < 0 else found.offset

    def commit(self, topic, partition, offset):
        self.consumer.commit(offsets=[TopicPartition(topic, partition, offset)],
                             asynchronous=False)

    def committed(self, topic, partition):
        return self.consumer.committed([TopicPartition(topic, partition)], timeout=60)[0].offset

    def assignment(self):
        return sorted(tp.partition for tp in self.consumer.assignment())

    def close(self):
        self.consumer.close()


def done(futures):
    """The results of an admin call, by name; raises what the broker refused."""
    return {name: future.result(20) for name, future in futures.items()}


class Api:
    client = f"confluent-{VERSION}".replace(".", "")
    absent = {
        "delete_group": "1.7.0 has no call for it",
        "delete_records": "1.7.0 has no delete_records",
    } if OLD else {}

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.admin = AdminClient({"bootstrap.servers": bootstrap})

    def producer(self, **options):
        return Producer(self.bootstrap, **options)

    def consumer(self, group=None, reset="earliest"):
        return Consumer(self.bootstrap, group, reset)

    def create_topic(self, topic, partitions, config=None):
        done(self.admin.create_topics([NewTopic(topic, partitions, 1, config=config or {})]))

    def topics(self):
        return list(self.admin.list_topics(timeout=60).topics)

    def partitions(self, topic):
        return len(self.admin.list_topics(topic, timeout=60).topics[topic].partitions)

    def delete_topic(self, topic):
        done(self.admin.delete_topics([topic], operation_timeout=60))

    def config(self, topic):
        return self.describe("topic", topic)

    def broker_config(self):
        return self.describe("broker", str(next(iter(self.admin.list_topics(timeout=60).brokers))))

    def describe(self, kind, name):
        resource = ConfigResource(kind, name)
        entries = done(self.admin.describe_configs([resource]))[resource]
        return {key: entry.value for key, entry in entries.items()}

    def set_config(self, topic, config):
        if OLD:
            done(self.admin.alter_configs([ConfigResource("topic", topic, set_config=config)]))
            return
        entries = [ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
                   for key, value in config.items()]
        done(self.admin.incremental_alter_configs(
            [ConfigResource("topic", topic, incremental_configs=entries)]))

    def add_partitions(self, topic, total):
        done(self.admin.create_partitions([NewPartitions(topic, total)]))

    def groups(self):
        if OLD:
            return [group.id for group in self.admin.list_groups(timeout=60)]
        return [group.group_id for group in self.admin.list_consumer_groups().result(20).valid]

    def describe_group(self, group):
        if OLD:
            described = self.admin.list_groups(group, timeout=60)[0]
            return described.state, len(described.members)
        described = done(self.admin.describe_consumer_groups([group]))[group]
        return described.state.name.capitalize(), len(described.members)

    def delete_group(self, group):
        done(self.admin.delete_consumer_groups([group]))

    def delete_records(self, topic, partition, offset):
        done(self.admin.delete_records([TopicPartition(topic, partition, offset)]))

    def is_error(self, error, _name, code):
        return isinstance(error, confluent_kafka.KafkaException) and error.args[0].code() == code


if __name__ == "__main__":
    scenarios.main(Api)
