#!/usr/bin/env python3
"""./dev chaos: three brokers and a load, faults drawn from a seed, and a verdict.

    run.py --minutes 10 --seed 4711        exit code 0: nothing is wrong; 1: something is, and it is
                                           named; 2: a fault had no effect, so the run says nothing

Where it is root it runs in a network and a mount namespace of its own, and then also cuts links in
one direction and fills disks up. What it leaves: the folder it names, if anything is wrong.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import faults  # noqa: E402
from lab import ALL, Broken, Invalid, Lab  # noqa: E402

GOOD, BAD, INVALID = 0, 1, 2
ISOLATED = "MOLDAU_CHAOS_ISOLATED"


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5, help="of faults; then the end")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(31))
    parser.add_argument("--faults", help="only these, with commas between: "
                        + ", ".join(faults.BY_NAME))
    parser.add_argument("--replicas", type=int, default=3, choices=[1, 2, 3])
    parser.add_argument("--acks", default="all", choices=["all", "1"])
    parser.add_argument("--rate", type=int, default=600, help="values a second")
    parser.add_argument("--no-churn", dest="churn", action="store_false",
                        help="no topics that come and go")
    parser.add_argument("--no-ends", dest="ends", action="store_false",
                        help="nobody asks for the ends of partitions")
    parser.add_argument("--set", action="append", default=[], help="key=value for every broker")
    parser.add_argument("--keep", help="the folder for everything, kept whatever happens")
    return parser.parse_args()


def isolate():
    """Goes on in namespaces of its own, if that can be had."""
    if os.geteuid() != 0 or os.environ.get(ISOLATED) or not shutil.which("unshare"):
        return
    probe = ["unshare", "--net", "--mount", "ip", "link", "set", "lo", "up"]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        return
    os.execvpe("unshare", ["unshare", "--net", "--mount", "sh", "-c",
                           'ip link set lo up && exec "$@"', "sh", sys.executable, *sys.argv],
               {**os.environ, ISOLATED: "1"})


class Run:
    def __init__(self, options, folder):
        self.options = options
        self.began = time.monotonic()
        self.lab = Lab(folder, options, self.say)
        self.chance = random.Random(options.seed)
        self.windows = []  # (fault, from, until) by the monotonic clock

    def say(self, text):
        print(f"[{time.monotonic() - self.began:6.1f}s] {text}", flush=True)

    def kinds(self):
        isolated = bool(os.environ.get(ISOLATED))
        if self.options.faults:
            return [faults.BY_NAME[name] for name in self.options.faults.split(",")]
        return [kind for kind in faults.KINDS
                if (isolated or not (kind.needs_network or kind.needs_disk)) and
                (self.options.replicas > 1 or not kind.needs_others)]

    def schedule(self):
        """Every kind once, in an order drawn from the seed; then as they are drawn."""
        kinds = self.kinds()
        first = kinds[:]
        self.chance.shuffle(first)
        for kind in first:
            yield kind(self.lab, self.chance)
        while True:
            kind, = self.chance.choices(kinds, [k.weight for k in kinds])
            yield kind(self.lab, self.chance)

    def one(self, fault):
        self.say(str(fault))
        began = time.monotonic()
        try:
            fault.run()
        finally:
            healed = time.monotonic()
            fault.heal()
        # Sometimes the next fault comes before the cluster has recovered from this one.
        hurried = self.chance.random() < 0.25 and fault.may_be_hurried
        settled = "not waited for" if hurried else f"{self.lab.settle():.1f} s later"
        if not hurried:
            self.lab.wait_for_progress()
        self.windows.append((type(fault).__name__, began, time.monotonic()))
        counts = self.lab.progress()
        self.say(f"    seen after {fault.took:.2f} s, healed after {healed - began:.1f} s, "
                 f"all well {settled}; {counts['acknowledged']} acknowledged, "
                 f"{counts['in_doubt']} in doubt")

    def faults(self):
        until = time.monotonic() + 60 * self.options.minutes
        for fault in self.schedule():
            if time.monotonic() > until:
                return
            self.one(fault)
            time.sleep(self.chance.uniform(0.2, 2))

    def end(self):
        """All comes to rest, and is looked at; the verdict."""
        self.say("healing, and reading everything")
        self.lab.settle()
        drained = self.lab.end_workload()
        self.say("stopping the brokers, and hashing what they have")
        self.lab.settle()
        self.lab.local("stop", "--timeout", 100)
        replicas = self.lab.hash_replicas()
        verdict = self.lab.check(*replicas)
        if not drained:
            self.say("the workload could not read everything")
        return verdict

    def tell(self, verdict):
        partitions = verdict["partitions"]
        total = {key: sum(p[key] for p in partitions)
                 for key in ("sent", "acknowledged", "refused", "in_doubt", "polled", "drained")}
        self.say(f"{len(self.windows)} faults; " +
                 ", ".join(f"{value} {key.replace('_', ' ')}" for key, value in total.items()) +
                 f"; {verdict['compared_blocks']} blocks of replicas compared")
        self.tell_gaps(verdict)
        for name in verdict["anomalies"]:
            for finding in [f for f in verdict["findings"] if f["anomaly"] == name][:3]:
                self.say("  " + json.dumps(finding))
        named = ", ".join(f"{n} {name}" for name, n in verdict["anomalies"].items())
        self.say(f"ANOMALIES: {named}" if named else "no anomaly")

    def tell_gaps(self, verdict):
        """By kind of fault, how long a partition went without an acknowledgement at most."""
        longest = {}
        for name, began, ended in self.windows:
            here = longest.setdefault(name, [])
            for partition in verdict["partitions"]:
                gaps = [gap["seconds"] for gap in partition["gaps"]
                        if gap["at_seconds"] + verdict["begin_seconds"] < ended and
                        gap["at_seconds"] + verdict["begin_seconds"] + gap["seconds"] > began]
                here.append(max(gaps, default=0.0))
        for name, gaps in sorted(longest.items()):
            gaps.sort()
            self.say(f"  gap of a partition, {name}: median {gaps[len(gaps) // 2]:.2f} s, p99 "
                     f"{gaps[min(len(gaps) - 1, len(gaps) * 99 // 100)]:.2f} s, longest "
                     f"{gaps[-1]:.2f} s, of {len(gaps)}")

    def all(self):
        isolated = bool(os.environ.get(ISOLATED))
        try:
            if isolated:
                faults.mount_data(self.lab)
            self.lab.start()
            self.lab.start_workload()
            self.say(f"seed {self.options.seed}: {len(ALL)} brokers under load"
                     + ("" if isolated else "; not isolated: no one-way cuts, no full disks"))
            self.faults()
            verdict = self.end()
            self.tell(verdict)
            return GOOD if verdict["good"] else BAD
        except Invalid as why:
            self.say(f"INVALID: {why}")
            return INVALID
        except Broken as why:
            self.say(f"BROKEN: {why}")
            return BAD
        except (AssertionError, OSError, subprocess.SubprocessError) as why:
            traceback.print_exc()
            self.say(f"BROKEN: {why!r}")
            return BAD
        finally:
            self.lab.close()
            if isolated:
                self.keep_data()
                faults.unmount_data(self.lab)

    def keep_data(self):
        """Out of the file systems that go with the process."""
        for broker in ALL:
            data = self.lab.data(broker)
            if data.is_mount():
                shutil.copytree(data, data.with_name("data-at-the-end"), dirs_exist_ok=True)


def main():
    options = parse()
    isolate()
    folder = options.keep or tempfile.mkdtemp(prefix="moldau-chaos-")
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    code = Run(options, folder).all()
    if code == GOOD and not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        seed = [] if "--seed" in sys.argv else ["--seed", str(options.seed)]
        again = " ".join(["./dev chaos", *sys.argv[1:], *seed])
        print(f"everything is in {folder}; again: {again}")
    return code


if __name__ == "__main__":
    sys.exit(main())
