#!/usr/bin/env python3
"""Measures Moldau and Apache Kafka side by side, and writes docs/benchmarks.md.

    bench/run.py [--quick] [--rounds N] [--no-docs]

Both run on this machine, one at a time, in turns: every round measures both, the first one
alternating, and a ratio is taken within its round. Clients are the same for both: moldau_load, on
librdkafka. What is the same on both sides in durability stands in one table:

  cached   an acknowledgement means in memory: write.caching=true here, Kafka's default there
  synced   an acknowledgement means on disk: the default here, flush.messages=1 there
"""

import argparse
import json
import pathlib
import platform
import shutil
import subprocess
import sys
import time

import report
from brokers import ROOT, ApacheKafka, Moldau, cpu_seconds, memory_mb

PORT = 21690
DURABILITY = {
    "cached": {"Moldau": ["write.caching=true"], "Apache Kafka": []},
    "synced": {"Moldau": ["write.caching=false"], "Apache Kafka": ["flush.messages=1"]},
}


class Bench:
    def __init__(self, options):
        self.options = options
        self.binary = options.build / "moldau"
        self.generator = options.build / "moldau_load"
        self.folder = options.build / "bench"
        self.libraries = self.folder / "kafka" / "lib"
        self.seconds = 3 if options.quick else 8
        self.latency_seconds = 5 if options.quick else 15

    def load(self, mode, topic, *arguments):
        out = subprocess.run(
            [str(self.generator), mode, "-b", f"127.0.0.1:{PORT}", "-t", topic,
             *map(str, arguments)], capture_output=True, text=True, timeout=600, check=False)
        if out.returncode != 0:
            raise RuntimeError(f"moldau_load {mode}: {out.stderr}")
        result = json.loads(out.stdout)
        if isinstance(result, dict) and result["errors"]:
            raise RuntimeError(f"moldau_load {mode}: {result}")
        return result

    def topic(self, verb, name, *arguments):
        subprocess.run([str(self.binary), "topic", verb, name, "-b", f"127.0.0.1:{PORT}",
                        *map(str, arguments)], stdout=subprocess.DEVNULL, check=True)

    def fresh(self, name, configs, partitions=3):
        self.topic("create", name, "-p", partitions,
                   *[part for config in configs for part in ("-c", config)])

    def start(self, broker):
        """Starts it, and takes the time until a client's first message is acknowledged."""
        begin = time.time()
        broker.start()
        acknowledged = self.load("first", "first")
        broker.wait()
        return {"start_s": acknowledged - begin}

    def warm_up(self):
        """The same for both: a JVM compiles what is used, an allocator finds its memory."""
        self.fresh("warm-up", [])
        self.load("produce", "warm-up", "--seconds", self.seconds, "--warmup", 0)
        self.load("consume", "warm-up")
        self.topic("delete", "warm-up")

    def costed(self, broker, *load):
        """A load's result, and the CPU seconds that the broker spent meanwhile."""
        before = cpu_seconds(broker.pid())
        result = self.load(*load)
        return result, cpu_seconds(broker.pid()) - before

    def throughput(self, broker, configs):
        out = {}
        common = ["--seconds", self.seconds, "--warmup", 0]
        self.fresh("one", configs)
        one, cpu = self.costed(broker, "produce", "one", *common)
        out["produce_mb_s"] = one["mb_per_s"]
        out["cpu_s_gb"] = cpu / (one["mb_per_s"] * one["seconds"] / 1000)
        read, cpu = self.costed(broker, "consume", "one")
        out["consume_mb_s"] = read["mb_per_s"]
        out["consume_cpu_s_gb"] = cpu / (read["mb_per_s"] * read["seconds"] / 1000)
        self.topic("delete", "one")
        self.fresh("three", configs)
        out["produce3_mb_s"] = self.load("produce", "three", "--producers", 3, *common)["mb_per_s"]
        self.topic("delete", "three")
        self.fresh("small", configs)
        small, cpu = self.costed(broker, "produce", "small", "--record-bytes", 100, *common)
        out["small_records_s"] = small["records_per_s"]
        out["small_cpu_s"] = cpu / (small["records"] / 1e6)
        self.topic("delete", "small")
        return out

    def latency(self, configs):
        """With the clients' default linger, and with none: one record a batch, if it must be."""
        out = {}
        for linger_ms in (5, 0):
            self.fresh("latency", configs)
            found = self.load("produce", "latency", "--rate", 10, "--linger-ms", linger_ms,
                              "--seconds", self.latency_seconds, "--warmup", 2)["latency_us"]
            self.topic("delete", "latency")
            for name in ("p50", "p99", "p99.9"):
                out[f"linger{linger_ms}_{name}_ms"] = found[name] / 1000
        return out

    def measure(self, broker):
        """All figures of one broker, once."""
        out = {"once": self.start(broker)}
        try:
            self.warm_up()
            for durability, configs in DURABILITY.items():
                own = configs[broker.name]
                out[durability] = {**self.throughput(broker, own), **self.latency(own)}
            time.sleep(5)
            now, peak = memory_mb(broker.pid())
            out["once"] |= {"memory_mb": now, "memory_peak_mb": peak}
        finally:
            broker.stop()
        return out

    def warm_memory(self):
        """Memory that was never touched is slow to write to; whoever comes first would pay."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "warm"
        block = bytes(1 << 20)
        with open(path, "wb") as file:
            for _ in range(1024 if self.options.quick else 4096):
                file.write(block)
        path.unlink()

    def run(self):
        ApacheKafka.install(self.libraries)
        self.warm_memory()
        brokers = [Moldau(self.binary, self.folder / "moldau", PORT),
                   ApacheKafka(self.libraries, self.folder / "apache", PORT)]
        rounds = []
        for number in range(self.options.rounds):
            order = brokers if number % 2 == 0 else brokers[::-1]
            rounds.append({})
            for broker in order:
                print(f"round {number + 1} of {self.options.rounds}: {broker.name}",
                      file=sys.stderr, flush=True)
                rounds[-1][broker.name] = self.measure(broker)
        return {"machine": machine(), "quick": self.options.quick,
                "versions": {b.name: b.version() for b in brokers}, "rounds": rounds}


def read(path):
    return pathlib.Path(path).read_text(encoding="utf-8").strip()


def machine():
    cpu = next((line.split(":", 1)[1].strip() for line in read("/proc/cpuinfo").splitlines()
                if line.startswith("model name")), platform.machine())
    memory_kb = int(read("/proc/meminfo").split()[1])
    return {"cpu": cpu, "cores": len([l for l in read("/proc/cpuinfo").splitlines()
                                      if l.startswith("processor")]),
            "memory_gb": round(memory_kb * 1024 / 1e9), "kernel": platform.release(),
            "congestion_control": read("/proc/sys/net/ipv4/tcp_congestion_control")}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a look, not a measurement")
    parser.add_argument("--rounds", type=int, help="default: 3, or 1 with --quick")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--no-docs", action="store_true", help="print, but leave docs/ as it is")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.rounds = options.rounds or (1 if options.quick else 3)
    if not shutil.which("java") or not shutil.which("mvn"):
        sys.exit("bench: Apache Kafka needs java and mvn (Debian: openjdk-17-jre-headless, maven)")
    result = Bench(options).run()
    text = report.markdown(result, " ".join(["bench/run.py"] + sys.argv[1:]))
    print(text)
    if not options.no_docs:
        docs = ROOT / "docs" / "benchmarks.md"
        docs.write_text(report.with_part(docs.read_text(encoding="utf-8"), "", text),
                        encoding="utf-8")
        (ROOT / "docs" / "benchmarks.json").write_text(json.dumps(result, indent=1) + "\n",
                                                       encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
