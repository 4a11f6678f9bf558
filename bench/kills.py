"""Nodes that are killed or paused, and how soon the others have taken their part over."""

import threading
import time

from asking import NONE, PAUSE_SECONDS, TOPIC_EXISTS, until
from nodes import ALL

PARTITIONS = 30
WATCH_PAUSE_SECONDS = 0.05
GIVE_UP_SECONDS = 120


class Threads:
    """One a survivor; an error of any is the error of all."""

    def __init__(self, work, which):
        self.failed = None
        self.threads = [threading.Thread(target=self._run, args=(work, n), daemon=True)
                        for n in which]
        for thread in self.threads:
            thread.start()

    def _run(self, work, node):
        try:
            work(node)
        except Exception as error:  # whatever it is, join() tells it
            self.failed = error

    def join(self):
        for thread in self.threads:
            thread.join()
        if self.failed:
            raise self.failed


def healthy(nodes):
    """Waits until each node sees all three in service, and the same controller; who that is."""
    told = {}

    def seen():
        nodes.check()
        for node in ALL:
            asked = nodes.client(node)
            try:
                if asked.brokers() != {n: False for n in ALL}:
                    return False
                told[node] = asked.quorum()
            finally:
                asked.close()
        return len(set(told.values())) == 1 and told[0][0] in ALL
    until(seen, f"{nodes.name}: three nodes in service", GIVE_UP_SECONDS, 0.02)
    return told[0][0]


def others(node):
    return [n for n in ALL if n != node]


class FencingWatch:
    """Looks, through each survivor, whether one of the survivors is ever fenced."""

    def __init__(self, nodes, survivors):
        self.found = set()
        self.ended = threading.Event()
        self.threads = Threads(lambda n: self._look(nodes.client(n), survivors), survivors)

    def _look(self, node, survivors):
        while not self.ended.wait(WATCH_PAUSE_SECONDS):
            try:
                brokers = node.brokers()
                self.found |= {n for n in survivors if brokers.get(n, True)}
            except OSError:
                pass
        node.close()

    def end(self):
        self.ended.set()
        self.threads.join()
        return len(self.found)


def controller_killed(nodes, number, watch_seconds):
    """Milliseconds until a survivor answers that it made a topic; survivors fenced meanwhile, and
    for as long afterwards as a session lasts."""
    victim = healthy(nodes)
    survivors = others(victim)
    watch = FencingWatch(nodes, survivors)
    clients = {n: nodes.client(n) for n in survivors}
    for client in clients.values():
        client.quorum()  # connected beforehand
    done = threading.Event()
    times = []

    def create(node):
        deadline = time.monotonic() + GIVE_UP_SECONDS
        attempt = 0
        while not done.is_set() and time.monotonic() < deadline:
            attempt += 1
            try:
                # The name is its own: that it exists says that it was made.
                error, = clients[node].create_topics([f"kill-{number}-{node}-{attempt}"], 1, 1)
                if error in (NONE, TOPIC_EXISTS):
                    times.append(time.monotonic())
                    done.set()
            except OSError:
                pass
            time.sleep(PAUSE_SECONDS)
        clients[node].close()

    nodes.kill(victim)
    begin = time.monotonic()
    Threads(create, survivors).join()
    if not times:
        raise RuntimeError(f"{nodes.name}: no new controller within {GIVE_UP_SECONDS} s")
    time.sleep(watch_seconds)
    fenced = watch.end()
    nodes.start(victim)
    return (min(times) - begin) * 1000, fenced


def taken_over(nodes, victim, topics, act):
    """Milliseconds from act() until every survivor shows the broker out of service and all of the
    topics' partitions led by others."""
    survivors = others(victim)
    clients = {n: nodes.client(n) for n in survivors}
    for client in clients.values():
        client.partitions(topics[0])
    times = []

    def watch(node):
        deadline = time.monotonic() + GIVE_UP_SECONDS
        left = list(topics)
        while left:
            partitions, serving = clients[node].partitions(left[0])
            leaders = [leader for leader, _ in partitions]
            if victim not in serving and not {victim, -1} & set(leaders):
                left.pop(0)
            elif time.monotonic() > deadline:
                raise RuntimeError(f"{nodes.name}: after {GIVE_UP_SECONDS} s broker {victim} leads "
                                   f"{leaders.count(victim)} of {left[0]}, nobody "
                                   f"{leaders.count(-1)}")
            else:
                time.sleep(PAUSE_SECONDS)
        times.append(time.monotonic())
        clients[node].close()

    act(victim)
    begin = time.monotonic()
    Threads(watch, survivors).join()
    return (max(times) - begin) * 1000


def all_led(nodes, topic, partitions=PARTITIONS):
    """Waits until each node knows the topic, all brokers lead a part of it, and all are in sync."""
    for node in ALL:
        client = nodes.client(node)

        def led(client=client):
            found, _ = client.partitions(topic)
            return len(found) == partitions and set(found) == {(n, len(ALL)) for n in ALL}
        until(led, f"{nodes.name}: {topic} has its leaders", pause=0.005)
        client.close()


def broker_lost(nodes, number, act, back):
    """One that is not the active controller: ms until the others have taken over, and its id."""
    controller = healthy(nodes)
    victim = others(controller)[number % 2]
    topic = f"lost-{act.__name__}-{number}"
    with_all = nodes.client(controller)
    until(lambda: with_all.create_topics([topic], PARTITIONS, 3) in ([NONE], [TOPIC_EXISTS]),
          f"{nodes.name}: {topic} is made")
    all_led(nodes, topic)
    took = taken_over(nodes, victim, [topic], act)
    back(victim)
    healthy(nodes)
    with_all.delete_topics([topic])
    with_all.close()
    return took
