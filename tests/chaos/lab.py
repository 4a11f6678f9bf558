"""The cluster under test, the load on it, and what can be seen of it from outside."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/cluster"))

import power_loss  # noqa: E402
from conftest import BINARY, OK, Cluster, environment, moldau  # noqa: E402

BUILD = pathlib.Path(BINARY).resolve().parent
ALL = [0, 1, 2]
PATIENCE_SECONDS = 120
TOPICS = {"chaos-a": 4, "chaos-b": 2}
# Segments are closed soon, and read again and again.
SEGMENT_BYTES = 1 << 16
SCRUB = ["log.scrub.interval.ms=1000", f"log.scrub.bytes.per.second={20 << 20}"]


class Invalid(Exception):
    """A fault had no effect that could be measured: the run says nothing."""


class Broken(Exception):
    """The cluster does not do what it must."""


def wait_for(condition, seconds, failure):
    """The first true value that condition() returns, and after how many seconds it came."""
    began = time.monotonic()
    while True:
        value = condition()
        if value:
            return value, time.monotonic() - began
        if time.monotonic() - began > seconds:
            raise failure
        time.sleep(0.05)


class Lab:
    """Three brokers, and a workload."""

    def __init__(self, folder, options, log):
        self.folder, self.options, self.log = pathlib.Path(folder), options, log
        self.cluster = Cluster(self.folder / "cluster", brokers=len(ALL))
        self.notes = {b: self.folder / f"disk-{b}.notes" for b in ALL}
        self.faults_of_disk = {b: self.folder / f"disk-{b}.fault" for b in ALL}
        self.workload = None
        self.history = self.folder / "history"

    # The cluster

    def environment_of_broker(self, broker):
        return {"LD_PRELOAD": str(BUILD / "tests/chaos/libmoldau_disk_shim.so"),
                "DISK_SHIM_NOTES": str(self.notes[broker]),
                "DISK_SHIM_KEPT": str(self.data(broker) / power_loss.KEPT),
                "DISK_SHIM_FAULT": str(self.faults_of_disk[broker])}

    def local(self, verb, *arguments, env=None):
        answer = moldau("local", verb, *arguments, "--dir", self.cluster.folder, env=env)
        if answer.code != OK:
            raise Broken(f"local {verb} {arguments}: {answer}")
        return answer

    def start_broker(self, broker):
        self.local("start", broker, "--timeout", PATIENCE_SECONDS,
                   env=self.environment_of_broker(broker))

    def start(self):
        replicas = self.options.replicas
        factors = [f"{key}.replication.factor={replicas}" for key in ("default", "offsets.topic")]
        self.cluster.start(*(f"--set={one}" for one in [*factors, *SCRUB, *self.options.set]))
        # Anew, one by one, each with the shim and a file of faults of its own.
        for broker in ALL:
            self.local("kill", broker)
            power_loss.note_all_safe(self.notes[broker], self.data(broker))
            self.start_broker(broker)
        self.settle()
        for topic, partitions in TOPICS.items():
            self.cluster("topic", "create", topic, "-p", partitions, "-r", replicas,
                         "-c", f"min.insync.replicas={min(2, replicas)}",
                         "-c", f"segment.bytes={SEGMENT_BYTES}")
        self.settle()

    def data(self, broker):
        return self.cluster.folder / f"broker-{broker}" / "data"

    def pid(self, broker):
        return self.cluster.broker(broker)["pid"]

    def controller(self):
        """Which broker is the active controller; None: nobody knows."""
        for row in self.cluster.status():
            if row["controller"]:
                return row["broker"]
        return None

    def ask(self, *arguments, of=None):
        """What a live broker answers, as JSON; None: nothing."""
        for broker in ALL if of is None else [of]:
            answer = self.cluster.run(*arguments, "-o", "json", "--timeout", 3, to=broker)
            with contextlib.suppress(json.JSONDecodeError):
                if answer.out:
                    return answer.json
        return None

    def admin(self, *arguments):
        """A change that must be taken."""
        answer = self.cluster.run(*arguments, "--timeout", PATIENCE_SECONDS)
        if answer.code != OK:
            raise Broken(f"{arguments}: {answer}")

    def state(self, broker, of):
        rows = self.ask("broker", "list", of=of) or []
        return next((row["state"] for row in rows if row["broker"] == broker), None)

    def partitions(self, of=None):
        """(topic, partition) → what is told of it."""
        topics = self.ask("topic", "describe", *TOPICS, of=of) or []
        return {(t["topic"], p["partition"]): p for t in topics for p in t["partitions"]}

    def topic_ids(self):
        return [t["id"] for t in self.ask("topic", "describe", *TOPICS) or []]

    def log_of(self, broker):
        """All that it has told."""
        logs = (self.cluster.folder / f"broker-{broker}").glob("*.log")
        return "".join(path.read_text(encoding="utf-8") for path in sorted(logs))

    def leads(self, broker, of):
        return any(p["leader"] == broker for p in self.partitions(of).values())

    def healthy(self):
        seen = [self.ask("cluster", "status", of=broker) for broker in ALL]
        # One whose disk was lost may be in sync, and not vote yet: the others can spare none then.
        return (all(status and status["healthy"] for status in seen) and
                self.cluster.voters() == ALL)

    def settle(self):
        """Waits until all is as it should be, every replica in sync; how long that took."""
        try:
            return wait_for(self.healthy, PATIENCE_SECONDS, TimeoutError())[1]
        except TimeoutError:
            seen = [self.ask("cluster", "status", of=broker) for broker in ALL]
            raise Broken(f"not healthy again within {PATIENCE_SECONDS} s: {seen}") from None

    # The load

    def start_workload(self):
        bootstrap = ",".join(self.cluster.address(broker) for broker in ALL)
        command = [BUILD / "moldau_workload", "-b", bootstrap, "--topics", ",".join(TOPICS),
                   "--history", self.history, "--run", self.options.seed + 1,
                   "--acks", self.options.acks, "--rate", self.options.rate,
                   "--patience-seconds", PATIENCE_SECONDS, "--seconds", 10 ** 6]
        if not self.options.ends:
            command.append("--no-ends")
        if self.options.churn:
            command.append("--churn")
        with open(self.folder / "workload.log", "wb") as out:
            self.workload = subprocess.Popen([str(word) for word in command], stdout=out,
                                             stderr=subprocess.STDOUT, env=environment())
        self.wait_for_progress()

    def progress(self):
        """The newest counts that the workload told."""
        lines = (self.folder / "workload.log").read_text(encoding="utf-8").splitlines()
        told = [line for line in lines if line.startswith("{") and line.endswith("}")]
        return json.loads(told[-1]) if told else {"acknowledged": 0, "sent": 0, "in_doubt": 0}

    def wait_for_progress(self):
        """Something more is acknowledged."""
        before = self.progress()["acknowledged"]

        def more():
            if self.workload.poll() is not None:
                raise Broken(f"the workload ended by itself: {self.workload.returncode}")
            return self.progress()["acknowledged"] > before
        return wait_for(more, PATIENCE_SECONDS, Broken("nothing is acknowledged any more"))[1]

    def end_workload(self):
        """It reads everything, and ends; whether it could."""
        self.workload.send_signal(signal.SIGTERM)
        return self.workload.wait(timeout=5 * PATIENCE_SECONDS) == 0

    # The end

    def hash_replicas(self):
        """The histories of what the brokers have on disk, which must be stopped."""
        out = []
        for broker in ALL:
            path = self.folder / f"replicas-{broker}"
            answer = moldau("lab", "hash", self.data(broker), path, "--node", broker,
                            "--run", self.options.seed + 1)
            if answer.code != OK:
                raise Broken(f"the log of broker {broker}: {answer.err}")
            out.append(path)
        return out

    def check(self, *more):
        answer = moldau("lab", "check", self.history, *more, "-o", "json", seconds=600)
        (self.folder / "verdict.json").write_text(answer.out, encoding="utf-8")
        if not answer.out:
            raise Broken(f"the check: {answer.err}")
        return answer.json

    def close(self):
        if self.workload and self.workload.poll() is None:
            self.workload.kill()
            self.workload.wait()
        for row in self.cluster.status():
            if row["pid"]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(row["pid"], signal.SIGCONT)
        self.cluster.close()
