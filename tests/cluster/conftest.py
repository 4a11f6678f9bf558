"""Clusters of real processes, driven through the command line as a user would.

The binary is $MOLDAU, or build/release/moldau. Run with Debian's python3-pytest.
"""

import json
import os
import pathlib
import subprocess
import time

import calls
import pytest
import wire
from ports import is_free

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("MOLDAU", str(ROOT / "build/release/moldau"))
FIRST_PORT = int(os.environ.get("MOLDAU_TEST_PORTS", "21610"))
PORTS = range(FIRST_PORT, FIRST_PORT + 80)
PATIENCE_SECONDS = 120  # what nothing here takes, even on a machine that is busy with other tests

OK, ERROR, USAGE, TIMEOUT = 0, 1, 2, 4


def free_port(count=1):
    """The first of so many in a row; those that speak gRPC are free too."""
    for first in PORTS:
        if all(is_free(port) and is_free(port + 10_000)
               for port in range(first, first + count)):
            return first
    raise RuntimeError("no port is free")


def wait_until(condition, what, seconds=PATIENCE_SECONDS):
    """The first true value that condition() returns."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.02)


class Answer:
    """What a command did."""

    def __init__(self, completed):
        self.code = completed.returncode
        self.out = completed.stdout.decode()
        self.err = completed.stderr.decode()

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def json_lines(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def __repr__(self):
        return f"exit code {self.code}\n{self.out}\n{self.err}"


def environment():
    out = {k: v for k, v in os.environ.items() if not k.startswith(("MOLDAU_", "KAFKA_"))}
    out["NO_COLOR"] = "1"
    return out


def moldau(*arguments, stdin="", cwd=None, env=None, seconds=PATIENCE_SECONDS):
    return Answer(
        subprocess.run([BINARY, *map(str, arguments)], input=stdin.encode(), capture_output=True,
                       cwd=cwd, env={**environment(), **(env or {})}, timeout=seconds,
                       check=False))


class Cluster:
    """A local cluster, of one broker unless said otherwise, in a directory of its own."""

    def __init__(self, folder, brokers=1):
        self.folder = pathlib.Path(folder)
        self.brokers = brokers
        self.port = free_port(brokers)

    def address(self, broker=0):
        return f"localhost:{self.port + broker}"

    def __call__(self, *arguments, code=OK, to=0, **how):
        """A command that talks to a broker; its exit code must be the one given."""
        answer = self.run(*arguments, to=to, **how)
        assert answer.code == code, answer
        return answer

    def run(self, *arguments, to=0, **how):
        """The same, whatever its exit code is."""
        brokers = [] if "-b" in arguments else ["-b", self.address(to)]
        return moldau(*arguments, *brokers, **how)

    def local(self, verb, *arguments, code=OK, **how):
        answer = moldau("local", verb, *arguments, "--dir", self.folder, **how)
        assert answer.code == code, answer
        return answer

    def start(self, *arguments, **how):
        return self.local("start", "--detach", "--brokers", self.brokers, "--port", self.port,
                          "--timeout", PATIENCE_SECONDS, *arguments, **how)

    def broker(self, broker=0):
        """The status row of a broker."""
        return self.status()[broker]

    def status(self):
        return self.local("status", "-o", "json").json

    def log(self):
        """What broker 0 told since the cluster was made."""
        return "".join(p.read_text(encoding="utf-8") for p in self.folder.glob("broker-0/*.log"))

    def voters(self, to=0):
        """The controllers that vote, as the broker says; none if nobody leads them."""
        answer = self.run("controller", "status", "-o", "json", "--timeout", 5, to=to)
        members = answer.json["members"] if answer.code == OK else []
        return sorted(m["node"] for m in members if m["role"] in ("leader", "voter"))

    def produce(self, topic, values, *arguments):
        answer = self("produce", topic, "-o", "json", *arguments, stdin="\n".join(values) + "\n")
        assert answer.json["produced"] == len(values)

    def consume(self, topic, *arguments):
        """All values from the beginning."""
        return self("consume", topic, "-e", *arguments).out.splitlines()

    def close(self):
        if self.folder.exists() and any(self.folder.glob("broker-*")):
            moldau("local", "stop", "--dir", self.folder)


@pytest.fixture
def cluster(tmp_path):
    """A cluster that is not started yet."""
    cluster = Cluster(tmp_path / "cluster")
    yield cluster
    cluster.close()


@pytest.fixture
def three(tmp_path):
    """A cluster of three brokers that is not started yet."""
    cluster = Cluster(tmp_path / "three", brokers=3)
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A running cluster that the tests of one file share."""
    cluster = Cluster(tmp_path_factory.mktemp("running") / "cluster")
    cluster.start()
    yield cluster
    cluster.close()


def memory_bytes(pid, field):
    """VmRSS is what the process has in memory now, VmHWM the most since forget_peak()."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split(f"{field}:")[1].split()[0]) * 1024


def forget_peak(pid):
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


@pytest.fixture(scope="module")
def broker(request, tmp_path_factory):
    """A running cluster that the tests of one file share, with the file's own SETTINGS."""
    cluster = Cluster(tmp_path_factory.mktemp("broker") / "cluster")
    cluster.start(*(f"--set={setting}" for setting in request.module.SETTINGS))
    yield cluster
    cluster.close()


@pytest.fixture
def unharmed(broker):
    """Whatever the test sends, the same process still serves a client that was there before and
    one that comes after. It took no more memory than a batch may unfold to (64 MiB), and some."""
    pid = broker.broker()["pid"]
    assert calls.serves(broker.port)
    memory = memory_bytes(pid, "VmRSS")
    forget_peak(pid)
    with wire.Connection(broker.port) as bystander:
        assert calls.metadata(bystander, "bystander") == [0]
        yield
        assert calls.metadata(bystander, "bystander") == [0]
    assert calls.serves(broker.port)
    assert broker.broker()["pid"] == pid
    assert memory_bytes(pid, "VmHWM") - memory < 80 << 20
