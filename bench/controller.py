#!/usr/bin/env python3
"""Measures the controllers of three local nodes, Moldau's and Apache Kafka's, one after the other.

    bench/controller.py [--quick] [--only PART]... [--side moldau|kafka] [--load-minutes N]
                        [--docs] [--note TEXT]

Parts: rest (start, idle), controller_killed, broker_killed, broker_paused, many (10,000 partitions),
image (its memory) and load (false fencing at full CPU load), both Moldau only. The table goes to standard output, everything
that was measured to BUILD/bench/controller.json; what --only or --side leaves out stays there as it
was measured before. All nodes end with this program; what they told before a failure is kept
beside that file.
"""

import argparse
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import at_rest
import kills
import many_partitions
from brokers import ROOT, ApacheKafka
from controller_report import percentiles, rounds_text, section, table
from report import CONTROLLERS, with_part
from nodes import ALL, Kafka, Moldau
from run import machine

PORT = 21790
PARTS = ("rest", "controller_killed", "broker_killed", "broker_paused", "many", "image", "load")
STARTED = time.monotonic()

# How often, (Moldau, Apache Kafka): a round of Kafka's takes its session of 9 s and a start of it.
ROUNDS = {"controller_killed": (50, 5), "broker_killed": (50, 5), "broker_paused": (10, 3)}
QUICK_ROUNDS = {"controller_killed": (5, 2), "broker_killed": (5, 2), "broker_paused": (2, 1)}
# How long after a kill the survivors are watched: a session and some.
WATCH_SECONDS = {Moldau.name: 3.5, Kafka.name: 9.5}


def progress(text):
    print(f"[{time.monotonic() - STARTED:4.0f}s] {text}", file=sys.stderr, flush=True)


class Bench:
    def __init__(self, options):
        self.options = options
        self.folder = options.build / "bench"
        self.folder.mkdir(exist_ok=True)
        self.path = self.folder / "controller.json"

    def wants(self, part):
        return not self.options.only or part in self.options.only

    def rounds(self, part, nodes):
        both = (QUICK_ROUNDS if self.options.quick else ROUNDS)[part]
        return both[isinstance(nodes, Kafka)]

    def repeated(self, part, nodes, once):
        """once(number) so many times; its times, or (time, fenced) pairs."""
        progress(f"{nodes.name}: {part}, {self.rounds(part, nodes)} rounds")
        found = []
        for number in range(self.rounds(part, nodes)):
            found.append(once(number))
            progress(f"  {number + 1}: {found[-1]:.0f} ms")
        return percentiles(found)

    def killed_controllers(self, nodes):
        fenced = []

        def once(number):
            took, count = kills.controller_killed(nodes, number, WATCH_SECONDS[nodes.name])
            fenced.append(count)
            if count:
                progress(f"  {count} of the survivors fenced")
            return took
        return {**self.repeated("controller_killed", nodes, once), "fenced": sum(fenced)}

    def image(self):
        """What 10,000 partitions take, at most: in one topic, in 100, in one each."""
        told = subprocess.run([self.options.build / "decisions_bench", "--benchmark_format=json",
                               "--benchmark_filter=^memory/"], capture_output=True, check=True)
        found = json.loads(told.stdout)["benchmarks"]
        return {"kib_per_partition": max(one["bytes_per_partition"] for one in found) / 1024}

    def measure(self, nodes, out):
        progress(f"{nodes.name}: start, and at rest")
        start_s = at_rest.start(nodes)
        if self.wants("rest"):
            out["rest"] = {"start_s": start_s,
                           **at_rest.idle(nodes, 10 if self.options.quick else 30)}
        if self.wants("controller_killed"):
            out["controller_killed"] = self.killed_controllers(nodes)
        if self.wants("broker_killed"):
            out["broker_killed"] = self.repeated(
                "broker_killed", nodes,
                lambda number: kills.broker_lost(nodes, number, nodes.kill, nodes.start))
        if self.wants("broker_paused"):
            out["broker_paused"] = self.repeated(
                "broker_paused", nodes,
                lambda number: kills.broker_lost(nodes, number, nodes.pause, nodes.resume))
        if self.wants("many"):
            at_rest.start(nodes)
            many_partitions.measure(nodes, progress, out.setdefault("many", {}))
        if self.wants("image") and isinstance(nodes, Moldau):
            out["image"] = self.image()
        if self.wants("load") and isinstance(nodes, Moldau):
            at_rest.start(nodes)
            minutes = self.options.load_minutes
            progress(f"{nodes.name}: {minutes:g} minutes at full load")
            out["load"] = at_rest.under_load(nodes, self.options.build / "moldau_load", minutes,
                                             progress)

    def sides(self):
        if self.options.side in (None, "moldau"):
            yield Moldau(self.options.build / "moldau", self.folder / "controllers-moldau", PORT)
        if self.options.side in (None, "kafka"):
            libraries = self.folder / "kafka" / "lib"
            ApacheKafka.install(libraries)
            yield Kafka(libraries, self.folder / "controllers-apache", PORT)

    def run(self):
        """What was measured stays measured when a later part fails, or is interrupted."""
        result = {"versions": {}, "figures": {}}
        if (self.options.only or self.options.side) and self.path.exists():
            result = json.loads(self.path.read_text(encoding="utf-8"))
        result |= {"machine": machine(), "quick": self.options.quick,
                   "notes": self.options.note, "failed": {}}
        for nodes in self.sides():
            figures = result["figures"].setdefault(nodes.name, {})
            result["versions"][nodes.name] = nodes.version()
            with nodes:
                try:
                    self.measure(nodes, figures)
                except (OSError, RuntimeError) as error:
                    result["failed"][nodes.name] = str(error)
                    progress(f"{nodes.name}: FAILED: {error}")
                    for node in ALL:
                        path = self.folder / f"failed-{nodes.name.replace(' ', '-')}-{node}.log"
                        path.write_text(nodes.log(node), encoding="utf-8")
                finally:
                    write_json(self.path, result)
        return result


def write_json(path, result):
    """Whole or not at all: what was measured before took long."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    fresh.replace(path)


def write_docs(result, command):
    """Its part of docs/benchmarks.md takes the place of the one before, or comes last."""
    docs = ROOT / "docs" / "benchmarks.md"
    text = docs.read_text(encoding="utf-8")
    docs.write_text(with_part(text, CONTROLLERS, section(result, command)), encoding="utf-8")
    write_json(ROOT / "docs" / "benchmarks-controller.json", result)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a look, not a measurement")
    parser.add_argument("--only", action="append", choices=PARTS, help="this part, repeatable")
    parser.add_argument("--load-minutes", type=float, help="default: 10, or 1 with --quick")
    parser.add_argument("--side", choices=["moldau", "kafka"], help="only one of the two")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--docs", action="store_true", help="write docs/benchmarks.md, its part")
    parser.add_argument("--note", action="append", default=[], help="a line for the docs")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.load_minutes = options.load_minutes or (1 if options.quick else 10)
    if options.side != "moldau" and not (shutil.which("java") and shutil.which("mvn")):
        sys.exit("bench: Apache Kafka needs java and mvn (Debian: openjdk-17-jre-headless, maven)")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    result = Bench(options).run()
    print(table(result))
    print("\n" + "\n".join(rounds_text(result, side) for side in result["figures"]))
    if options.docs:
        write_docs(result, "bench/controller.py")
    for side, why in result["failed"].items():
        print(f"{side} failed: {why}")
    return 1 if result["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
