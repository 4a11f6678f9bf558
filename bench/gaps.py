"""For how long a client gets no acknowledgement, partition by partition, while a node is killed,
paused, cut off, or stopped cleanly."""

import math
import statistics
import subprocess
import threading
import time

from asking import NONE, TOPIC_EXISTS, until
from kills import all_led, healthy
from nodes import ALL

PARTITIONS = 12
PER_PARTITION = 200  # records a second
SHORTEST_MS = 20.0  # the client tells no shorter gap; its batches alone take up to 10 ms
CALM_SECONDS = 0.25  # acknowledged so lately: it goes on
STEADY_SECONDS = 1  # and for so long without a break: it has recovered
PAUSED_SECONDS = 10
GIVE_UP_SECONDS = 90
SETTLE_SECONDS = 2
# A client whose leader neither answers nor closes the connection looks for another one only when it
# refreshes what it knows: by default every five minutes.
REFRESHING = ["topic.metadata.refresh.interval.ms=1000"]


class Steady:
    """A client that sends to all partitions, and where it had to wait."""

    def __init__(self, program, nodes, topic, settings=()):
        self.name = f"{nodes.name}: {topic}"
        self.gaps, self.failed, self.state = [], [], None
        self.calm_since = None  # without a break
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", str(program), "steady", "-b", nodes.addresses(),
             "-t", topic, "--per-partition", str(PER_PARTITION), "--record-bytes", "100",
             *(part for one in settings for part in ("--set", one))],
            stdout=subprocess.PIPE, text=True)
        self.reading = threading.Thread(target=self._read, daemon=True)
        self.reading.start()

    def _read(self):
        for line in self.process.stdout:
            kind, *rest = line.split(maxsplit=3)
            if kind == "gap":
                self.gaps.append((int(rest[0]), float(rest[1]), float(rest[2])))
            elif kind == "failed":
                self.failed.append((float(rest[1]), rest[2].strip()))
            else:
                at, oldest, counts = float(rest[0]), float(rest[1]), rest[2].split()
                self.state = (at, oldest, *map(int, counts))
                self.calm_since = (self.calm_since or at) if oldest < CALM_SECONDS else None

    def calm(self, since, seconds=GIVE_UP_SECONDS):
        """Waits until all partitions are acknowledged again, without a break and after `since`;
        whether they came to it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name}: the client ended")
            calm_since = self.calm_since
            if calm_since and self.state[0] > max(since, calm_since + STEADY_SECONDS):
                return True
            time.sleep(0.05)
        return False

    def end(self):
        self.process.terminate()
        self.process.wait(60)
        self.reading.join()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def longest_ms(self, begin, end, partitions):
        """Of each partition, the longest of its gaps that began in that time (or shortly before), in
        their full length."""
        found = dict.fromkeys(partitions, SHORTEST_MS)
        for partition, since, until_ in self.gaps:
            if partition in found and begin - CALM_SECONDS < since < end and until_ > begin:
                found[partition] = max(found[partition], (until_ - since) * 1000)
        return list(found.values())


def in_sync(nodes, topic):
    """Waits until every node shows every partition led, and held by all three."""
    for node in ALL:
        client = nodes.client(node)

        def whole(client=client):
            nodes.check()
            found = client.partitions(topic)[0]
            return len(found) == PARTITIONS and all(
                leader >= 0 and members == len(ALL) for leader, members in found)
        until(whole, f"{nodes.name}: {topic} is held by all", 180, 0.02)
        client.close()


class Fault:
    """One way to disturb a cluster: how often, and what happens. strike() and mend() say when they
    are done by returning; between them the client is watched for at least `watch` seconds."""

    def __init__(self, nodes, watch=2.0, fixed=None, settings=None):
        self.nodes, self.watch, self.fixed, self.settings = nodes, watch, fixed, settings

    def affected(self, number, leaders):
        """The partitions whose gaps count: those that the node of this round leads."""
        return [p for p, leader in leaders.items() if leader == number % len(ALL)]

    def strike(self, number, topic):
        raise NotImplementedError

    def mend(self, number):
        raise NotImplementedError


class Killed(Fault):
    def strike(self, number, topic):
        self.nodes.kill(number % len(ALL))

    def mend(self, number):
        self.nodes.start(number % len(ALL))


class Paused(Fault):
    def strike(self, number, topic):
        self.nodes.pause(number % len(ALL))

    def mend(self, number):
        self.nodes.resume(number % len(ALL))


class Stopped(Killed):
    def strike(self, number, topic):
        self.nodes.stop_one(number % len(ALL))


class Cut(Fault):
    """Between two nodes; `links` cuts and heals."""

    def __init__(self, nodes, links, **options):
        super().__init__(nodes, **options)
        self.links = links

    @staticmethod
    def pair(number):
        return number % len(ALL), (number + 1) % len(ALL)

    def affected(self, number, leaders):
        return [p for p, leader in leaders.items() if leader in self.pair(number)]

    def strike(self, number, topic):
        self.links.cut(*self.pair(number))

    def mend(self, number):
        self.links.heal()


class Rolled(Fault):
    """All three, one after the other; the next once all replicas are in sync again."""

    def affected(self, number, leaders):
        return list(leaders)

    def strike(self, number, topic):
        for node in ALL:
            self.nodes.stop_one(node)
            self.nodes.start(node)
            healthy(self.nodes)
            in_sync(self.nodes, topic)

    def mend(self, number):
        pass


def once(fault, number, topic, program):
    """One disturbance of a healthy cluster with a topic of its own."""
    nodes = fault.nodes
    controller = healthy(nodes)
    with_one = nodes.client(controller)
    until(lambda: with_one.create_topics([topic], PARTITIONS, len(ALL)) in (
        [NONE], [TOPIC_EXISTS]), f"{nodes.name}: {topic} is made")
    all_led(nodes, topic, PARTITIONS)
    affected = fault.affected(number, with_one.leaders(topic))
    clients = [Steady(program, nodes, topic)]
    if fault.settings:
        clients.append(Steady(program, nodes, topic, fault.settings))
    try:
        for client in clients:
            client.calm(time.monotonic() + SETTLE_SECONDS)
        begin = time.monotonic()
        fault.strike(number, topic)
        struck = time.monotonic()
        if fault.fixed:
            time.sleep(fault.fixed)
            recovered = True
        else:
            recovered = all([client.calm(struck + fault.watch) for client in clients])
        mended = time.monotonic()
        fault.mend(number)
        healthy(nodes)
        in_sync(nodes, topic)
        for client in clients:
            client.calm(time.monotonic() + SETTLE_SECONDS)
            client.end()
        ended = time.monotonic()
    finally:
        for client in clients:
            client.kill()
    with_one = nodes.client(healthy(nodes))
    with_one.delete_topics([topic])
    with_one.close()
    stock, *refreshing = clients
    return {"gaps_ms": stock.longest_ms(begin, mended, affected),
            "refreshing_ms": [gap for client in refreshing
                              for gap in client.longest_ms(begin, mended, affected)],
            "return_ms": stock.longest_ms(mended, ended, range(PARTITIONS)),
            "errors": sum(len(client.failed) for client in clients),
            "skipped": sum(client.state[4] for client in clients),
            "reasons": sorted({why for client in clients for _, why in client.failed}),
            "records": sum(client.state[2] for client in clients),
            "recovered": recovered, "controller": controller,
            "strike_s": struck - begin, "mend_s": ended - mended}


def percentile(values, percent):
    """The smallest that so many percent are not above."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent * len(ordered) / 100) - 1)]


def _spread(values, prefix=""):
    return {prefix + "p50_ms": statistics.median(values), prefix + "p99_ms": percentile(values, 99),
            prefix + "max_ms": max(values)} if values else {}


def summary(rounds):
    """Over all rounds, and all the partitions that were disturbed in each."""
    def all_of(key):
        return [value for one in rounds for value in one[key]]
    return {"rounds": len(rounds), "partitions": len(all_of("gaps_ms")),
            **_spread(all_of("gaps_ms")), **_spread(all_of("refreshing_ms"), "refreshing_"),
            **_spread(all_of("return_ms"), "return_"),
            "errors": sum(one["errors"] for one in rounds),
            "skipped": sum(one["skipped"] for one in rounds),
            "records": sum(one["records"] for one in rounds),
            "not_recovered": sum(not one["recovered"] for one in rounds),
            "reasons": sorted({why for one in rounds for why in one["reasons"]}),
            "each": rounds}
