#!/usr/bin/env python3
"""Runs real Kafka clients against a broker, one suite after the other.

    run.py [--broker moldau|kafka] [--port P] [--list] [CLIENT...] [CLIENT:CASE...]

With MOLDAU_TEST_BOOTSTRAP=host:port the suites run against that broker, and none is started.
--broker kafka starts Apache Kafka instead: what passes there and fails on Moldau is Moldau's.
Clients are installed into build/clients/ at pinned versions. A client whose registry can't be
reached is skipped by name with the reason; any other trouble in installing it is a failure.
"""

import argparse
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(1, str(HERE.parent / "cluster"))

import brokers
import ports

BUILD = brokers.ROOT / "build" / "clients"
SUITE_SECONDS = 600
UNREACHABLE = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|NewConnectionError|ProxyError"
    r"|Temporary failure in name resolution|Connection to .* timed out|Read timed out"
    r"|Unknown host|Connection refused|Connect timed out|Network is unreachable"
    r"|cannot be reached|status code: (403|407|50[234])", re.IGNORECASE)


class Skip(Exception):
    pass


def install_step(command, cwd=None, environment=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=900,
                          env={**os.environ, **(environment or {})})
    if done.returncode == 0:
        return
    said = (done.stdout + done.stderr).strip()
    found = UNREACHABLE.search(said)
    if found:
        raise Skip(f"its registry can't be reached ({found.group(0)})")
    raise RuntimeError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{said[-2000:]}")


def up_to_date(folder, *inputs):
    """Whether folder was filled from these very files; mark(folder, ...) says so afterwards."""
    stamp = folder / ".installed-from"
    return stamp.exists() and stamp.read_text() == digest(inputs)


def mark(folder, *inputs):
    (folder / ".installed-from").write_text(digest(inputs))


def digest(inputs):
    return hashlib.sha256(b"".join(path.read_bytes() for path in inputs)).hexdigest()


class DebianPython:
    """A suite that needs only /usr/bin/python3 and the Debian packages of tools/packages.txt."""

    def __init__(self, folder, needs):
        self.suite = HERE / folder / "suite.py"
        self.needs = needs

    def install(self):
        if self.needs.startswith("/"):
            present = pathlib.Path(self.needs).exists()
        else:
            present = subprocess.run(["/usr/bin/python3", "-c", f"import {self.needs}"],
                                     capture_output=True, check=False).returncode == 0
        if not present:
            raise RuntimeError(f"{self.needs} is missing: ./dev test installs Debian's package")

    def command(self):
        return ["/usr/bin/python3", str(self.suite)]

    environment = {}


class VenvPython:
    """A suite with a virtual environment of its own, from the folder's requirements.txt."""

    def __init__(self, folder):
        self.suite = HERE / folder / "suite.py"
        self.requirements = HERE / folder / "requirements.txt"
        self.venv = BUILD / folder

    def install(self):
        if up_to_date(self.venv, self.requirements):
            return
        shutil.rmtree(self.venv, ignore_errors=True)
        install_step(["/usr/bin/python3", "-m", "venv", str(self.venv)])
        install_step([str(self.venv / "bin/pip"), "install", "--quiet", "--no-deps",
                      "--only-binary", ":all:", "-r", str(self.requirements)])
        mark(self.venv, self.requirements)

    def command(self):
        return [str(self.venv / "bin/python"), str(self.suite)]

    environment = {}


class Node:
    """kafkajs, by npm ci from the folder's lock file."""

    folder = BUILD / "kafkajs"
    environment = {"NODE_PATH": str(folder / "node_modules")}

    def install(self):
        inputs = [HERE / "kafkajs" / name for name in ("package.json", "package-lock.json")]
        if up_to_date(self.folder, *inputs):
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in inputs:
            shutil.copy(path, self.folder)
        install_step(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=self.folder)
        mark(self.folder, *inputs)

    def command(self):
        return ["node", str(HERE / "kafkajs" / "suite.js")]


class Java:
    """Jars and classes by Maven from java/pom.xml, and what to run with them."""

    folder = BUILD / "java"
    environment = {}

    def __init__(self, command):
        self.argv = command

    def install(self):
        inputs = [HERE / "java" / "pom.xml", *sorted((HERE / "java" / "src").rglob("*.java"))]
        if up_to_date(self.folder, *inputs):
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        install_step(["mvn", "-q", "-B", "-f", str(inputs[0]), "compile", f"-Dout={self.folder}"])
        mark(self.folder, *inputs)

    def command(self):
        return self.argv


CLIENTS = {
    "kafka-python-2.0.2": DebianPython("kafka_python", "kafka"),
    "kafka-python-3.0.12": VenvPython("kafka_python"),
    "confluent-kafka-1.7.0": DebianPython("confluent_kafka", "confluent_kafka"),
    "confluent-kafka-2.16.1": VenvPython("confluent_kafka"),
    "kcat-1.7.1": DebianPython("kcat", "/usr/bin/kcat"),
    "kafkajs-2.2.4": Node(),
    "aiokafka-0.14.0": VenvPython("aiokafka"),
    "java-4.3.1": Java(["java", "-Xmx512m", "-cp",
                        f"{Java.folder}/classes:{Java.folder}/lib/*", "moldau.Suite"]),
    "kafka-tools-4.3.1": Java(["/usr/bin/python3", str(HERE / "kafka_tools" / "suite.py")]),
}


class Count:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []

    def fail(self, name, reason):
        self.failed.append(name)
        print(f"FAILED   {name}: {reason}", flush=True)

    def skip(self, name, reason):
        self.skipped.append(f"{name}: {reason}")
        print(f"skipped  {name}: {reason}", flush=True)

    def line(self, client, line):
        """One line of a suite's output; anything else that it prints is shown as it is."""
        kind, _, rest = line.partition(" ")
        name, _, detail = rest.partition(" ")
        if kind == "ok":
            self.passed += 1
            print(f"ok       {client} {name} ({detail} s)", flush=True)
        elif kind == "FAILED":
            self.fail(f"{client} {name}", detail)
        elif kind == "absent":
            print(f"absent   {client} {name}: {detail}", flush=True)
        elif line:
            print(f"         {line}", flush=True)


def run_suite(count, client, kind, bootstrap, cases, log):
    started = time.monotonic()
    before = count.passed + len(count.failed)
    environment = {**os.environ, **kind.environment, "PYTHONUNBUFFERED": "1",
                   "PYTHONDONTWRITEBYTECODE": "1", "MOLDAU_TEST_RUN": f"{int(time.time()):x}"}
    with subprocess.Popen([*kind.command(), bootstrap, *cases], stdout=subprocess.PIPE,
                          stderr=log, text=True, env=environment) as suite:
        with brokers.Deadline(suite, SUITE_SECONDS):
            for line in suite.stdout:
                count.line(client, line.rstrip("\n"))
        code = suite.wait()
    told = count.passed + len(count.failed) - before
    # Every suite tells its failures itself; ending badly without one is a failure of its own.
    if code < 0 or told == 0:
        count.fail(client, f"ended with code {code} after {told} cases, see {log.name}")
    print(f"         {client}: {told} cases in {time.monotonic() - started:.1f} s", flush=True)


def run_seed_programs(count, clients, make_broker, folder, log):
    """The first example's two programs want localhost:9092, so they get a broker there."""
    wanted = [name for name in clients if name.startswith("kafka-python")]
    if not wanted:
        return
    if not ports.is_free(9092):
        for name in wanted:
            count.skip(f"{name} seed_programs", "port 9092 is taken on this machine")
        return
    for name in wanted:
        broker = make_broker(folder / f"seed-{name}", 9092)
        try:
            broker.start()
        except RuntimeError as error:
            count.fail(f"{name} seed_programs", error)
            continue
        try:
            run_suite(count, name, clients[name], "localhost:9092", [], log)
        finally:
            broker.stop()


def chosen(arguments):
    """{client: cases} of what was named on the command line; no cases means all of them."""
    if not arguments:
        return {name: [] for name in CLIENTS}
    wanted = {}
    for argument in arguments:
        prefix, _, case = argument.partition(":")
        names = [name for name in CLIENTS if name == prefix or name.rsplit("-", 1)[0] == prefix]
        if not names:
            sys.exit(f"no client {prefix}; there are {', '.join(CLIENTS)}")
        for name in names:
            wanted.setdefault(name, []).extend([case] if case else [])
    return wanted


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--broker", choices=["moldau", "kafka"], default="moldau")
    parser.add_argument("--port", type=int, default=21500)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("clients", nargs="*")
    options = parser.parse_args()
    if options.list:
        print("\n".join(CLIENTS))
        return 0

    count = Count()
    wanted = chosen(options.clients)
    ready = {}
    for name in wanted:
        try:
            CLIENTS[name].install()
            ready[name] = CLIENTS[name]
        except Skip as reason:
            count.skip(name, reason)
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            count.fail(f"{name} install", error)

    with tempfile.TemporaryDirectory(prefix="moldau-clients-") as folder:
        folder = pathlib.Path(folder)
        make = brokers.ApacheKafka if options.broker == "kafka" else brokers.Moldau
        bootstrap = os.environ.get("MOLDAU_TEST_BOOTSTRAP")
        broker = (brokers.Running(bootstrap) if bootstrap
                  else make(folder / "broker", options.port))
        BUILD.mkdir(parents=True, exist_ok=True)
        with open(BUILD / "suites.log", "w", encoding="utf-8") as log:
            if ready:
                run_all(count, ready, wanted, broker, bootstrap or f"127.0.0.1:{options.port}", log)
                everything = not any(wanted.values()) and not bootstrap
                if everything or any("seed_programs" in cases for cases in wanted.values()):
                    run_seed_programs(count, ready, make, folder, log)

    for skipped in count.skipped:
        print(f"skipped: {skipped}")
    for failed in count.failed:
        print(f"failed: {failed} (what it printed: {BUILD / 'suites.log'})")
    print(f"{count.passed} passed, {len(count.failed)} failed, {len(count.skipped)} skipped")
    return 1 if count.failed else 0


def run_all(count, ready, wanted, broker, bootstrap, log):
    try:
        broker.start()
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        count.fail("broker", f"did not start: {error}")
        return
    try:
        for name, kind in ready.items():
            cases = [case for case in wanted[name] if case != "seed_programs"]
            if cases or not wanted[name]:
                run_suite(count, name, kind, bootstrap, cases, log)
    finally:
        try:
            broker.stop()
        except (RuntimeError, subprocess.SubprocessError) as error:
            count.fail("broker", f"did not stop: {error}")


if __name__ == "__main__":
    sys.exit(main())
