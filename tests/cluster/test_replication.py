"""Three brokers that hold the same records: what is acknowledged outlives any one of them."""

import shutil
import subprocess

import pytest
from conftest import ERROR, OK, TIMEOUT, environment, wait_until

TOPIC = "events"


@pytest.fixture
def replicated(three):
    three.start()
    three("topic", "create", TOPIC, "-p", 3, "-r", 3)
    return three


def partitions(cluster, to=0, topic=TOPIC):
    answer = cluster.run("topic", "describe", topic, "-o", "json", "--timeout", 5, to=to)
    return answer.json[0]["partitions"] if answer.code == OK else []


def wait_until_in_sync(cluster, replicas, to=0, topic=TOPIC):
    wait_until(lambda: (found := partitions(cluster, to, topic)) and
               all(sorted(p["isr"]) == replicas for p in found),
               f"{topic} is in sync on {replicas}")


def leader(cluster, to=0, topic=TOPIC):
    return partitions(cluster, to, topic)[0]["leader"]


def values(name, count=50):
    return [f"{name}-{i}" for i in range(count)]


def others(broker):
    return [b for b in (0, 1, 2) if b != broker]


def test_what_is_acknowledged_outlives_its_leader(replicated):
    wait_until_in_sync(replicated, [0, 1, 2])
    replicated.produce(TOPIC, values("before"))
    for broker in (0, 1, 2):
        replicated.local("kill", broker)
        left = others(broker)[0]
        # Through the others, that are addressed first.
        replicated("produce", TOPIC, stdin="\n".join(values(f"without-{broker}")) + "\n", to=left)
        replicated.local("start", broker)
        wait_until_in_sync(replicated, [0, 1, 2], to=left)
    expected = values("before") + [v for b in (0, 1, 2) for v in values(f"without-{b}")]
    assert sorted(replicated.consume(TOPIC)) == sorted(expected)


def test_all_are_killed_at_once_and_nothing_is_lost(replicated):
    wait_until_in_sync(replicated, [0, 1, 2])
    for round_ in range(3):
        replicated.produce(TOPIC, values(f"round-{round_}"))
        for broker in (0, 1, 2):
            replicated.local("kill", broker)
        replicated.start()
        wait_until(lambda: all(p["leader"] >= 0 for p in partitions(replicated)) and
                   partitions(replicated), "all partitions are led")
    expected = [v for r in range(3) for v in values(f"round-{r}")]
    assert sorted(replicated.consume(TOPIC)) == sorted(expected)


def test_with_too_few_in_sync_acks_all_is_refused_and_goes_on_later(replicated):
    wait_until_in_sync(replicated, [0, 1, 2])
    replicated.produce(TOPIC, values("before"))
    kept = 0
    for broker in (1, 2):
        replicated.local("pause", broker)
    refused = replicated.run("produce", TOPIC, "--timeout", 6, stdin="lost\n", to=kept)
    assert refused.code in (ERROR, TIMEOUT), refused
    for broker in (1, 2):
        replicated.local("resume", broker)
    wait_until_in_sync(replicated, [0, 1, 2])
    replicated.produce(TOPIC, values("after"))
    read = replicated.consume(TOPIC)
    assert set(values("before") + values("after")) <= set(read)


def test_a_broker_with_a_blank_disk_is_filled_again(replicated):
    replicated.produce(TOPIC, values("kept", 500))
    replicated.local("kill", 2)
    for path in (replicated.folder / "broker-2").glob("data*"):
        shutil.rmtree(path)
    replicated.local("start", 2)
    wait_until_in_sync(replicated, [0, 1, 2])
    # Until it votes again there are two voters, who can spare none.
    wait_until(lambda: replicated.voters() == [0, 1, 2], "all vote")
    for broker in (0, 1):
        wait_until_in_sync(replicated, [0, 1, 2], to=2)
        replicated.local("kill", broker)
        wait_until(lambda: partitions(replicated, to=2) and
                   all(p["leader"] not in (-1, broker) for p in partitions(replicated, to=2)),
                   f"others lead without {broker}")
        replicated.local("start", broker)
    wait_until_in_sync(replicated, [0, 1, 2])
    assert sorted(replicated.consume(TOPIC, "-b", replicated.address(2))) == sorted(values("kept", 500))


PRODUCER = """
import sys
from kafka import KafkaProducer
producer = KafkaProducer(bootstrap_servers=sys.argv[1])
producer.send('test', b'test message'); producer.flush()
"""
CONSUMER = """
import sys
from kafka import KafkaConsumer
for message in KafkaConsumer('test', group_id='test_group', bootstrap_servers=sys.argv[1],
                             auto_offset_reset='earliest'):
    print(message.value.decode('utf-8'), flush=True)
    break
"""


def test_both_python_programs_outlive_the_leader(three):
    three.start()
    bootstrap = ",".join(three.address(b) for b in (0, 1, 2))

    def run(program):
        return subprocess.run(["/usr/bin/python3", "-c", program, bootstrap], timeout=120,
                              env=environment(), capture_output=True, text=True, check=False)
    produced = run(PRODUCER)
    assert produced.returncode == 0, produced.stderr
    found = partitions(three, topic="test")
    assert len(found[0]["replicas"]) == 3, found
    dead = found[0]["leader"]
    three.local("kill", dead)
    consumed = run(CONSUMER)
    assert consumed.stdout == "test message\n", consumed.stderr
