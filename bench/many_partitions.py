"""Ten thousand partitions: to make them, to restart with them, and to lose a third of the leaders."""

import time

from asking import NONE, until
from kills import Threads, healthy, others, taken_over
from nodes import ALL

TOPICS = [f"many-{i}" for i in range(10)]
EACH = 1000
PARTITIONS = len(TOPICS) * EACH
GIVE_UP_SECONDS = 300


def everywhere(nodes, in_sync=1):
    """Waits until every node shows every partition with a leader, and with so many in sync; how
    many each node leads."""
    led = {}

    def watch(node):
        client = nodes.client(node)
        count = dict.fromkeys(ALL, 0)
        for topic in TOPICS:
            found = []

            def complete(topic=topic, found=found):
                nodes.check()
                found[:] = client.partitions(topic)[0]
                return len(found) == EACH and all(
                    leader >= 0 and members >= in_sync for leader, members in found)
            until(complete, f"{nodes.name}: node {node} shows {topic}", GIVE_UP_SECONDS)
            for leader, _ in found:
                count[leader] += 1
        led[node] = count
        client.close()
    Threads(watch, ALL).join()
    return led[0]


def settled_memory_mb(nodes):
    """Once what was freed has gone back to the system."""
    time.sleep(5)
    return nodes.memory_mb()


def measure(nodes, progress, out):
    """On three fresh nodes that run. What was measured before a failure is in `out`."""
    out.clear()
    controller = healthy(nodes)
    before = settled_memory_mb(nodes)
    client = nodes.client(others(controller)[0])
    progress(f"{PARTITIONS:,} partitions, three replicas each")
    begin = time.monotonic()
    errors = client.create_one_by_one(TOPICS, EACH, 3, GIVE_UP_SECONDS * 1000)
    out["create_s"] = time.monotonic() - begin
    if set(errors) != {NONE}:
        raise RuntimeError(f"{nodes.name}: errors {errors}")
    everywhere(nodes)
    out["create_everywhere_s"] = time.monotonic() - begin
    led = everywhere(nodes, len(ALL))
    after = settled_memory_mb(nodes)
    out["memory_kib_per_partition"] = max(
        (now - then) * 1e6 / 1024 / PARTITIONS for now, then in zip(after, before))
    out["memory_mb"] = max(after)

    controller = healthy(nodes)
    victim = max(others(controller), key=led.get)
    progress(f"killing node {victim}, which leads {led[victim]:,} of them")
    out["led"] = led[victim]
    out["reelected_ms"] = taken_over(nodes, victim, TOPICS, nodes.kill)
    begin = time.monotonic()
    nodes.start(victim)
    healthy(nodes)
    out["back_s"] = time.monotonic() - begin

    progress("restarting the whole cluster with them")
    begin = time.monotonic()
    nodes.stop()
    out["stop_s"] = time.monotonic() - begin
    begin = time.monotonic()
    nodes.start()
    healthy(nodes)
    everywhere(nodes)
    out["restart_s"] = time.monotonic() - begin
