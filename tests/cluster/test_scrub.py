"""A bit flips on a disk: it is found, and had again from another replica, and nobody is the wiser."""

import os
import signal
import time

import pytest
from conftest import OK, wait_until
from test_replication import TOPIC, leader, partitions, values, wait_until_in_sync

SCRUB = ("--set=log.scrub.interval.ms=500", "--set=log.scrub.bytes.per.second=100000000")
DAMAGED, WHOLE = "is DAMAGED", "are WHOLE AGAIN"


def log_of(cluster, broker):
    logs = (cluster.folder / f"broker-{broker}").glob("*.log")
    return "".join(path.read_text(encoding="utf-8") for path in logs)


def closed_segments(cluster, broker):
    """Of the topic, in their order."""
    of_topic = [d for d in (cluster.folder / f"broker-{broker}" / "data").glob("*.0")
                if len(list(d.glob("*.log"))) > 2]
    assert len(of_topic) == 1, of_topic
    return sorted(of_topic[0].glob("*.log"))[:-1]


def flip(path, at=None):
    with open(path, "r+b") as file:
        size = file.seek(0, 2)
        at = size // 2 if at is None else at
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 4]))


def stop(cluster, broker):
    os.kill(cluster.broker(broker)["pid"], signal.SIGTERM)
    wait_until(lambda: cluster.broker(broker)["state"] == "stopped", "it stopped")


def fill(cluster, parts=16):
    """Batches, about four to a segment."""
    for part in range(parts):
        cluster.produce(TOPIC, values(f"part-{part}", 30))


def make_topic(cluster, replicas=3, *arguments):
    cluster.start(*SCRUB, *arguments)
    cluster("topic", "create", TOPIC, "-p", 1, "-r", replicas, "-c", "segment.bytes=2000",
            "-c", "min.insync.replicas=" + str(min(replicas, 2)))
    if replicas == 3:
        wait_until_in_sync(cluster, [0, 1, 2])
    fill(cluster)


@pytest.mark.parametrize("who", ["follower", "leader"])
def test_a_flipped_bit_is_found_and_mended(three, who):
    make_topic(three)
    led_by = leader(three)
    epoch = partitions(three)[0]["epoch"]
    victim = led_by if who == "leader" else (led_by + 1) % 3
    segment = closed_segments(three, victim)[1]
    before = segment.read_bytes()
    flip(segment)
    assert segment.read_bytes() != before
    began = time.monotonic()
    wait_until(lambda: WHOLE in log_of(three, victim), "it is whole again", 60)
    print(f"found and mended within {time.monotonic() - began:.2f} s")
    assert DAMAGED in log_of(three, victim)
    assert segment.read_bytes() == before
    wait_until_in_sync(three, [0, 1, 2])
    if who == "leader":
        assert partitions(three)[0]["epoch"] > epoch, "it gave up leading"
    expected = [v for part in range(16) for v in values(f"part-{part}", 30)]
    assert sorted(three.consume(TOPIC)) == sorted(expected)
    other = segment.parent.name
    for broker in (0, 1, 2):
        copy = three.folder / f"broker-{broker}" / "data" / other / segment.name
        assert copy.read_bytes() == before, broker
    assert not list(segment.parent.glob("*.copy"))


def test_damage_that_a_restart_finds_is_mended(three):
    make_topic(three)
    victim = (leader(three) + 1) % 3
    segment = closed_segments(three, victim)[1]
    before = segment.read_bytes()
    # In order: what was written in the seconds before a kill a start may take for a torn tail.
    stop(three, victim)
    flip(segment)
    segment.with_suffix(".index").unlink()
    three.local("start", victim)
    wait_until(lambda: WHOLE in log_of(three, victim), "it is whole again", 60)
    assert segment.read_bytes() == before
    wait_until_in_sync(three, [0, 1, 2])


def test_the_only_replica_serves_what_is_whole(cluster):
    make_topic(cluster, replicas=1)
    segment = closed_segments(cluster, 0)[2]
    before = segment.read_bytes()
    flip(segment)
    wait_until(lambda: "no other replica has the damaged offsets" in log_of(cluster, 0),
               "it is told", 60)
    read = cluster.run("consume", TOPIC, "--timeout", 5)
    assert read.code != OK and len(read.out.splitlines()) == int(segment.stem), read
    after = int(closed_segments(cluster, 0)[3].stem)
    rest = cluster.run("consume", TOPIC, "-e", "--from", after).out.splitlines()
    assert len(rest) == 16 * 30 - after, "what lies behind is served"
    fill(cluster, 2)
    stop(cluster, 0)
    segment.write_bytes(before)
    cluster.local("start", 0)
    assert len(cluster.consume(TOPIC)) == 18 * 30
