"""What three nodes cost that have nothing to do, and whether they stay calm when the machine is
full."""

import json
import multiprocessing
import subprocess
import time

from asking import NONE, TOPIC_EXISTS, until
from kills import healthy
from nodes import ALL

SETTLE_SECONDS = 10
LOOK_SECONDS = 0.1


def start(nodes):
    """Seconds from the start of three fresh nodes until one acknowledges a topic that has a replica
    on each."""
    nodes.make()
    begin = time.monotonic()
    nodes.start()
    client = nodes.client(0)

    def made():
        nodes.check()
        return client.create_topics(["first"], 1, 3) in ([NONE], [TOPIC_EXISTS])
    until(made, f"{nodes.name}: the first topic")
    took = time.monotonic() - begin
    client.close()
    healthy(nodes)
    return took


def idle(nodes, seconds):
    """Each node's CPU in percent of a core, and its memory."""
    time.sleep(SETTLE_SECONDS)
    begin, before = time.monotonic(), nodes.cpu_seconds()
    time.sleep(seconds)
    passed = time.monotonic() - begin
    cpu = [(now - then) / passed * 100 for now, then in zip(nodes.cpu_seconds(), before)]
    return {"idle_cpu_percent": sum(cpu), "idle_memory_mb": max(nodes.memory_mb())}


def _burn(ends_at):
    while time.monotonic() < ends_at:
        pass


def under_load(nodes, load_program, minutes, progress):
    """Fencings and controller changes while two busy loops and a producer take all of two cores."""
    healthy(nodes)
    clients = {n: nodes.client(n) for n in ALL}
    until(lambda: clients[0].create_topics(["load"], 3, 1) in ([NONE], [TOPIC_EXISTS]), "the topic")
    _, epoch = clients[0].quorum()
    told = sum(nodes.log(n).count("fenced") for n in ALL)
    ends_at = time.monotonic() + minutes * 60
    burners = [multiprocessing.Process(target=_burn, args=(ends_at,), daemon=True)
               for _ in range(2)]
    addresses = nodes.addresses()
    load = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", str(load_program), "produce", "-b", addresses, "-t",
         "load", "--rate", "20", "--seconds", str(minutes * 60 - 5)],
        stdout=subprocess.PIPE, text=True)
    for burner in burners:
        burner.start()
    seen, gone = set(), 0
    next_word = time.monotonic() + 60
    try:
        while time.monotonic() < ends_at:
            nodes.check()
            for client in clients.values():
                try:
                    fenced = frozenset(n for n, out in client.brokers().items() if out)
                except OSError:
                    gone += 1
                    continue
                seen |= fenced
            if time.monotonic() > next_word:
                progress(f"{(ends_at - time.monotonic()) / 60:.0f} minutes of full load left; "
                         f"fenced so far: {sorted(seen) or 'nobody'}")
                next_word += 60
            time.sleep(LOOK_SECONDS)
        produced = json.loads(load.communicate(timeout=120)[0])
    finally:
        load.kill()
        load.wait()
        for burner in burners:
            burner.kill()
            burner.join()
    _, now = clients[0].quorum()
    for client in clients.values():
        client.close()
    logged = sum(nodes.log(n).count("fenced") for n in ALL) - told
    return {"load_minutes": minutes, "fenced": max(len(seen), logged), "fenced_lines": logged,
            "controller_changes": now - epoch, "unanswered": gone,
            "load_mb_s": produced["mb_per_s"], "load_errors": produced["errors"]}
