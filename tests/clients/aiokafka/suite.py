"""aiokafka: its event loop runs in a thread of its own, and the scenarios call into it."""

import asyncio
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import aiokafka
import scenarios
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from scenarios import Record

LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, daemon=True).start()


def wait(coroutine, seconds=60):
    return asyncio.run_coroutine_threadsafe(coroutine, LOOP).result(seconds)


async def make(kind, **options):
    made = kind(**options)
    await made.start()
    return made


class Producer:
    def __init__(self, bootstrap, acks="all", codec="none", idempotent=False):
        self.producer = wait(make(
            AIOKafkaProducer, bootstrap_servers=bootstrap, acks=acks, linger_ms=5,
            compression_type=None if codec == "none" else codec, enable_idempotence=idempotent))
        self.acks = acks
        self.futures = []

    def send(self, topic, value, key=None, headers=(), partition=None, timestamp_ms=None):
        self.futures.append(wait(self.producer.send(
            topic, value, key=key, headers=list(headers), partition=partition,
            timestamp_ms=timestamp_ms)))

    def flush(self):
        async def all_done(futures):
            return await asyncio.gather(*futures)

        done = wait(all_done(self.futures))
        self.futures = []
        return [] if self.acks == 0 else [(m.partition, m.offset) for m in done]

    def close(self):
        wait(self.producer.stop())


class Consumer:
    def __init__(self, bootstrap, group, reset):
        self.consumer = wait(make(
            AIOKafkaConsumer, bootstrap_servers=bootstrap, group_id=group,
            auto_offset_reset=reset, enable_auto_commit=False, heartbeat_interval_ms=300))

    def subscribe(self, topics):
        LOOP.call_soon_threadsafe(self.consumer.subscribe, topics)

    def assign(self, topic, partitions):
        LOOP.call_soon_threadsafe(self.consumer.assign,
                                  [TopicPartition(topic, p) for p in partitions])

    def poll(self, seconds):
        polled = wait(self.consumer.getmany(timeout_ms=int(seconds * 1000)))
        return [
            Record(r.partition, r.offset, r.key, r.value, tuple(tuple(h) for h in r.headers),
                   r.timestamp)
            for records in polled.values() for r in records
        ]

    def seek_to_beginning(self):
        wait(self.consumer.seek_to_beginning())

    def seek_to_end(self):
        wait(self.consumer.seek_to_end())

    def seek(self, topic, partition, offset):
        LOOP.call_soon_threadsafe(self.consumer.seek, TopicPartition(topic, partition), offset)

    def position(self, topic, partition):
        return wait(self.consumer.position(TopicPartition(topic, partition)))

    def bounds(self, topic, partition):
        tp = TopicPartition(topic, partition)
        return (wait(self.consumer.beginning_offsets([tp]))[tp],
                wait(self.consumer.end_offsets([tp]))[tp])

    def offset_for_time(self, topic, partition, timestamp_ms):
        tp = TopicPartition(topic, partition)
        found = wait(self.consumer.offsets_for_times({tp: timestamp_ms}))[tp]
        return None if found is None else found.offset

    def commit(self, topic, partition, offset):
        wait(self.consumer.commit({TopicPartition(topic, partition): (offset, "note")}))

    def committed(self, topic, partition):
        return wait(self.consumer.committed(TopicPartition(topic, partition)))

    def assignment(self):
        return sorted(tp.partition for tp in self.consumer.assignment())

    def close(self):
        wait(self.consumer.stop())


def refuse_errors(answer, entries):
    """Raises the first error of an answer; its entries hold (name, code) and more."""
    for entry in entries:
        error = aiokafka.errors.for_code(entry[1])
        if error is not aiokafka.errors.NoError:
            raise error(str(answer))


class Api:
    client = f"aiokafka-{aiokafka.__version__}".replace(".", "")
    absent = {"delete_group": "0.14.0 has no call for it"}

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.admin = wait(make(AIOKafkaAdminClient, bootstrap_servers=bootstrap))

    def producer(self, **options):
        return Producer(self.bootstrap, **options)

    def consumer(self, group=None, reset="earliest"):
        return Consumer(self.bootstrap, group, reset)

    def create_topic(self, topic, partitions, config=None):
        new = NewTopic(topic, partitions, 1, topic_configs=config or {})
        answer = wait(self.admin.create_topics([new]))
        refuse_errors(answer, answer.topic_errors)

    def topics(self):
        return wait(self.admin.list_topics())

    def partitions(self, topic):
        return len(wait(self.admin.describe_topics([topic]))[0]["partitions"])

    def delete_topic(self, topic):
        answer = wait(self.admin.delete_topics([topic]))
        refuse_errors(answer, answer.topic_error_codes)

    def config(self, topic):
        return self.describe(ConfigResourceType.TOPIC, topic)

    def broker_config(self):
        brokers = wait(self.admin.describe_cluster())["brokers"]
        return self.describe(ConfigResourceType.BROKER, str(brokers[0]["node_id"]))

    def describe(self, kind, name):
        answer = wait(self.admin.describe_configs([ConfigResource(kind, name)]))
        return {entry[0]: entry[1] for entry in answer[0].resources[0][4]}

    def set_config(self, topic, config):
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, config)
        answer = wait(self.admin.alter_configs([resource]))[0]
        refuse_errors(answer, [(entry[3], entry[0]) for entry in answer.resources])

    def add_partitions(self, topic, total):
        answer = wait(self.admin.create_partitions({topic: NewPartitions(total)}))
        refuse_errors(answer, answer.topic_errors)

    def groups(self):
        return [group[0] for group in wait(self.admin.list_consumer_groups())]

    def describe_group(self, group):
        described = wait(self.admin.describe_consumer_groups([group]))[0].groups[0]
        return described[2], len(described[5])

    def delete_records(self, topic, partition, offset):
        wait(self.admin.delete_records({TopicPartition(topic, partition): RecordsToDelete(offset)}))

    def is_error(self, error, _name, code):
        return getattr(error, "errno", None) == code


if __name__ == "__main__":
    scenarios.main(Api)
