"""What three nodes bear: throughput, latency, memory and CPU with three replicas of everything."""

import json
import os
import subprocess
import time

from at_rest import start
from kills import healthy
from nodes import ALL

PARTITIONS = 12
RATE_MB_S = 5
# What an acknowledgement means: held by all replicas in memory, or synced by all of them.
DURABILITY = {
    "cached": {"Moldau": ["write.caching=true"], "Apache Kafka": []},
    "synced": {"Moldau": ["write.caching=false"], "Apache Kafka": ["flush.messages=1"]},
}


class Load:
    """All figures of a cluster, once. `seconds` is what a measurement takes."""

    def __init__(self, nodes, build, seconds, progress):
        self.nodes, self.seconds, self.progress = nodes, seconds, progress
        self.cli, self.program = build / "moldau", build / "moldau_load"

    def topic(self, verb, name, *arguments):
        done = subprocess.run([str(self.cli), "topic", verb, name, "-b", self.nodes.addresses(),
                               *map(str, arguments)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{self.nodes.name}: topic {verb} {name}: {done.stderr.strip()}")

    def load(self, mode, topic, *arguments):
        done = subprocess.run(
            [str(self.program), mode, "-b", self.nodes.addresses(), "-t", topic,
             *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False)
        self.nodes.check()
        if done.returncode != 0:
            raise RuntimeError(f"{self.nodes.name}: moldau_load {mode}: {done.stderr.strip()}")
        found = json.loads(done.stdout)
        if found["errors"]:
            raise RuntimeError(f"{self.nodes.name}: moldau_load {mode}: {found}")
        return found

    def on_fresh(self, configs, mode, *arguments):
        """A load on a topic of its own, with nothing of an earlier one left to be written."""
        self.topic("create", "load", "-p", PARTITIONS, "-r", len(ALL), "-c",
                   "min.insync.replicas=2", *(part for one in configs for part in ("-c", one)))
        os.sync()
        before = sum(self.nodes.cpu_seconds())
        found = self.load(mode, "load", *arguments)
        found["cpu_s"] = sum(self.nodes.cpu_seconds()) - before
        self.topic("delete", "load")
        return found

    def throughput(self, configs):
        out = {}
        for producers in (1, 3):
            found = self.on_fresh(configs, "produce", "--producers", producers, "--seconds",
                                  self.seconds, "--warmup", 0)
            out[f"produce{producers}_mb_s"] = found["mb_per_s"]
            out[f"cpu{producers}_s_gb"] = found["cpu_s"] / (
                found["mb_per_s"] * found["seconds"] / 1000)
        return out

    def latency(self, configs):
        """With the clients' default linger, and with none."""
        out = {}
        for linger_ms in (5, 0):
            for mode in ("produce", "endtoend"):
                found = self.on_fresh(configs, mode, "--rate", RATE_MB_S, "--linger-ms", linger_ms,
                                      "--seconds", self.seconds * 2, "--warmup", 2)["latency_us"]
                for name in ("p50", "p99", "p99.9"):
                    out[f"{mode}_linger{linger_ms}_{name}_ms"] = found[name] / 1000
        return out

    def measure(self, out):
        """What was measured before a failure is in `out`."""
        start(self.nodes)
        self.progress(f"{self.nodes.name}: warming up")
        self.on_fresh([], "produce", "--seconds", self.seconds, "--warmup", 0)
        for durability, configs in DURABILITY.items():
            own = configs[self.nodes.name]
            found = out.setdefault(durability, {})
            found |= self.throughput(own)
            self.progress(f"{self.nodes.name}: {durability}: {found['produce1_mb_s']:.0f} and "
                          f"{found['produce3_mb_s']:.0f} MB/s")
            found |= self.latency(own)
            self.progress(f"{self.nodes.name}: {durability}: p99 of produce, no linger "
                          f"{found['produce_linger0_p99_ms']:.1f} ms, end to end "
                          f"{found['endtoend_linger0_p99_ms']:.1f} ms")
        healthy(self.nodes)
        time.sleep(5)
        out["once"] = {"memory_mb": sum(self.nodes.memory_mb()),
                       "cpu_s": sum(self.nodes.cpu_seconds())}


def pipeline(program, folder, seconds):
    """The bare copying, with and without sync: MB/s."""
    folder.mkdir(parents=True, exist_ok=True)
    out = {}
    for name, more in (("cached", []), ("synced", ["sync"])):
        os.sync()
        done = subprocess.run([str(program), str(folder), str(seconds), *more],
                              capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"moldau_pipeline: {done.stderr.strip()}")
        found = json.loads(done.stdout)
        out[name] = {"produce_mb_s": found["mb_per_s"],
                     "cpu_s_gb": found["cpu_seconds"] / (found["mb_per_s"] * found["seconds"] / 1000)}
    return out
