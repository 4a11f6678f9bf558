#!/usr/bin/env python3
"""Measures what replication costs and how soon it recovers: three local nodes, three replicas,
min.insync.replicas=2, acks=all; Moldau and Apache Kafka in turns.

    bench/cluster.py [--quick] [--only PART]... [--side moldau|kafka] [--rounds N] [--gaps N]
                     [--docs] [--note TEXT]

Parts: load (throughput, latency, memory, CPU, and the bare pipeline to compare with), killed,
paused, stopped, rolled, cut (gaps between acknowledgements; cut needs root) and profile (where the
leader's CPU time goes; Moldau only, needs perf). The table goes to standard output, everything that
was measured to BUILD/bench/cluster.json; what --only or --side leaves out stays there as it was
measured before. All nodes end with this program; what they told before a failure is kept beside
that file.
"""

import argparse
import json
import pathlib
import shutil
import signal
import sys
import time

import gaps
import links
import profile_leader
from at_rest import start
from brokers import ROOT, ApacheKafka
from cluster_report import missed, section, table
from controller import write_json
from loads import Load, pipeline
from nodes import ALL, Kafka, Moldau
from report import REPLICATION, with_part
from run import machine

PORT = 22090
FAULTS = ("killed", "paused", "stopped", "rolled", "cut")
PARTS = ("load", *FAULTS, "profile")
STARTED = time.monotonic()

# How often, (Moldau, Apache Kafka): there, a round takes half a minute or more.
ROUNDS = {"killed": (20, 5), "paused": (20, 3), "stopped": (20, 5), "rolled": (5, 2),
          "cut": (20, 3)}
QUICK_ROUNDS = {"killed": (3, 1), "paused": (1, 1), "stopped": (3, 1), "rolled": (1, 1),
                "cut": (3, 1)}


def progress(text):
    print(f"[{time.monotonic() - STARTED:4.0f}s] {text}", file=sys.stderr, flush=True)


class Bench:
    def __init__(self, options):
        self.options = options
        self.folder = options.build / "bench"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path = self.folder / "cluster.json"
        self.result = {"versions": {}, "rounds": [], "gaps": {}}
        if (options.only or options.side) and self.path.exists():
            self.result = json.loads(self.path.read_text(encoding="utf-8"))
        self.result |= {"machine": machine(), "quick": options.quick, "notes": options.note,
                        "failed": {}}

    def wants(self, part):
        return not self.options.only or part in self.options.only

    def sides(self):
        if self.options.side in (None, "moldau"):
            yield Moldau(self.options.build / "moldau", self.folder / "cluster-moldau", PORT)
        if self.options.side in (None, "kafka"):
            yield Kafka(self.folder / "kafka" / "lib", self.folder / "cluster-apache", PORT)

    def guarded(self, nodes, what, work):
        """What was measured stays measured when something fails, or is interrupted; the rest goes
        on with other nodes."""
        try:
            with nodes:
                work()
        except (OSError, RuntimeError) as error:
            self.result["failed"][f"{nodes.name}, {what}"] = str(error)
            progress(f"{nodes.name}: {what} FAILED: {error}")
            for node in ALL:
                path = self.folder / f"failed-{nodes.name.replace(' ', '-')}-{node}.log"
                path.write_text(nodes.last_logs.get(node, ""), encoding="utf-8")
        finally:
            write_json(self.path, self.result)

    def load(self, sides):
        """In turns, the first one alternating: a ratio is taken within its round."""
        seconds = 3 if self.options.quick else 6
        kept, self.result["rounds"] = self.result["rounds"], []
        for number in range(self.options.rounds):
            progress(f"round {number + 1} of {self.options.rounds}: the bare pipeline")
            # What --side leaves out is as it was before.
            found = kept[number] if number < len(kept) and self.options.side else {}
            self.result["rounds"].append(found)
            try:
                found["pipeline"] = pipeline(self.options.build / "moldau_pipeline",
                                             self.folder / "pipeline", seconds)
            except (OSError, RuntimeError) as error:
                self.result["failed"]["the bare pipeline"] = str(error)
            for nodes in sides if number % 2 == 0 else sides[::-1]:
                progress(f"round {number + 1} of {self.options.rounds}: {nodes.name}")
                own = found[nodes.name] = {}
                self.guarded(nodes, f"load, round {number + 1}", lambda nodes=nodes, own=own: Load(
                    nodes, self.options.build, seconds, progress).measure(own))

    def times(self, part, nodes):
        both = (QUICK_ROUNDS if self.options.quick else ROUNDS)[part]
        return self.options.gaps or both[isinstance(nodes, Kafka)]

    def fault(self, part, nodes):
        """So many rounds of one kind of fault; they stay measured if one fails."""
        fault = {"killed": lambda: gaps.Killed(nodes),
                 "paused": lambda: gaps.Paused(nodes, fixed=gaps.PAUSED_SECONDS,
                                               settings=gaps.REFRESHING),
                 "stopped": lambda: gaps.Stopped(nodes),
                 "rolled": lambda: gaps.Rolled(nodes),
                 "cut": lambda: gaps.Cut(nodes, nodes.network, watch=6.0)}[part]()
        count = self.times(part, nodes)
        progress(f"{nodes.name}: {part}, {count} rounds")
        start(nodes)
        done = []
        for number in range(count):
            try:
                done.append(gaps.once(fault, number, f"{part}-{number}",
                                      self.options.build / "moldau_load"))
            finally:
                if done:
                    self.result["gaps"].setdefault(nodes.name, {})[part] = gaps.summary(done)
                    write_json(self.path, self.result)
            last = done[-1]
            progress(f"  {number + 1}: longest {max(last['gaps_ms']):.0f} ms, on return "
                     f"{max(last['return_ms']):.0f} ms, {last['errors']} errors, took {last['strike_s']:.1f} s"
                     f"{'' if last['recovered'] else ', NOT RECOVERED'}")

    def faults(self, nodes):
        for part in FAULTS:
            if not self.wants(part):
                continue
            if part != "cut":
                self.guarded(nodes, part, lambda part=part: self.fault(part, nodes))
            elif links.possible():
                with links.Network(ALL) as nodes.network:
                    self.guarded(nodes, part, lambda: self.fault("cut", nodes))
                nodes.network = None
            else:
                progress("cut: not measured: it needs root, ip and iptables")

    def profile(self, nodes):
        self.result["profile"] = profile_leader.measure(
            nodes, self.options.build, self.folder, 4 if self.options.quick else 10, progress)

    def run(self):
        if self.options.side != "moldau":
            ApacheKafka.install(self.folder / "kafka" / "lib")
        sides = list(self.sides())
        for nodes in sides:
            self.result["versions"][nodes.name] = nodes.version()
        if self.wants("load"):
            self.load(sides)
        for nodes in sides:
            self.faults(nodes)
        if self.wants("profile") and self.options.side != "kafka":
            self.guarded(sides[0], "profile", lambda: self.profile(sides[0]))
        return self.result


def write_docs(result, command):
    docs = ROOT / "docs" / "benchmarks.md"
    text = docs.read_text(encoding="utf-8")
    docs.write_text(with_part(text, REPLICATION, section(result, command)), encoding="utf-8")
    write_json(ROOT / "docs" / "benchmarks-cluster.json", result)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a look, not a measurement")
    parser.add_argument("--only", action="append", choices=PARTS, help="this part, repeatable")
    parser.add_argument("--rounds", type=int, help="of the load; default: 3, or 1 with --quick")
    parser.add_argument("--gaps", type=int, help="of each fault, instead of the default of each side")
    parser.add_argument("--side", choices=["moldau", "kafka"], help="only one of the two")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--docs", action="store_true", help="write docs/benchmarks.md, its part")
    parser.add_argument("--note", action="append", default=[], help="a line for the docs")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.rounds = options.rounds or (1 if options.quick else 3)
    if options.side != "moldau" and not (shutil.which("java") and shutil.which("mvn")):
        sys.exit("bench: Apache Kafka needs java and mvn (Debian: openjdk-17-jre-headless, maven)")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    result = Bench(options).run()
    print(table(result))
    print("\n" + "\n".join(missed(result)))
    if options.docs:
        write_docs(result, "bench/cluster.py")
    for what, why in result["failed"].items():
        print(f"{what} failed: {why}")
    return 1 if result["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
