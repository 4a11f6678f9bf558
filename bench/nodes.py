"""Clusters of three combined nodes on this machine: Moldau's, and Apache Kafka's beside it.

Every node is a child of this process and ends with it. Nothing here waits for a node to serve: that
is what is measured.
"""

import pathlib
import signal
import subprocess
import time

from asking import Node
from brokers import KAFKA, ApacheKafka, cpu_seconds

ALL = (0, 1, 2)
STOP_SECONDS = 60
PROPERTIES = """process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
"""


class Nodes:
    """What both have in common: processes, their folders and their ports."""

    name = ""

    def __init__(self, folder, first_port):
        self.folder, self.first_port = pathlib.Path(folder), first_port
        self.processes = {}
        self.last_logs = {}  # what the nodes told that are laid aside now
        self.network = None  # links.Network: each node in a namespace of its own

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
        self.last_logs = {node: self.log(node) for node in ALL}
        self.lay_aside()
        # 90,000 files can take minutes, which nobody need wait for.
        aside = map(str, self.folder.parent.glob(f"{self.folder.name}-*"))
        subprocess.Popen(["rm", "-rf", *aside], start_new_session=True)

    def lay_aside(self):
        if self.folder.exists():
            self.folder.rename(f"{self.folder}-{time.time_ns()}")

    def end(self):
        for node in list(self.processes):
            self.kill(node)

    def port(self, node):
        return self.first_port + node

    def host(self, node):
        return self.network.address(node) if self.network else "127.0.0.1"

    def addresses(self):
        """As a client takes them."""
        return ",".join(f"{self.host(n)}:{self.port(n)}" for n in ALL)

    def client(self, node):
        return Node(self.port(node), self.host(node))

    def home(self, node):
        return self.folder / f"node-{node}"

    def log(self, node):
        """All that it told since the cluster was made."""
        path = self.home(node) / "log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def make(self):
        """Three nodes that were never started; those of before are ended, and laid aside."""
        self.end()
        self.lay_aside()
        voters = ",".join(f"{n}@{self.host(n)}:{self.port(n) + 10_000}" for n in ALL)
        for node in ALL:
            self.home(node).mkdir(parents=True)
            self.properties(node).write_text(PROPERTIES.format(
                node=node, voters=voters, host=self.host(node), port=self.port(node),
                controller_port=self.port(node) + 10_000, data=self.home(node) / "data"),
                encoding="utf-8")

    def properties(self, node):
        return self.home(node) / "server.properties"

    def command(self, node):
        raise NotImplementedError

    def start(self, *which):
        for node in which or ALL:
            inside = self.network.inside(node) if self.network else []
            with open(self.home(node) / "log", "ab") as log:
                self.processes[node] = subprocess.Popen(
                    ["setpriv", "--pdeathsig", "KILL", *inside, *self.command(node)],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                    start_new_session=True)

    def pid(self, node):
        return self.processes[node].pid

    def kill(self, node):
        """-9; returns once the process is gone."""
        process = self.processes.pop(node)
        process.kill()
        process.wait()

    def pause(self, node):
        self.processes[node].send_signal(signal.SIGSTOP)

    def resume(self, node):
        self.processes[node].send_signal(signal.SIGCONT)

    def stop_one(self, node):
        """Cleanly; returns once the process is gone."""
        self.processes[node].terminate()
        self.processes[node].wait(STOP_SECONDS)
        del self.processes[node]

    def stop(self):
        """All cleanly, together, as `moldau local stop` and a deployment tool do it."""
        for process in self.processes.values():
            process.terminate()
        for node, process in list(self.processes.items()):
            try:
                process.wait(STOP_SECONDS)
                del self.processes[node]
            except subprocess.TimeoutExpired:
                self.kill(node)

    def check(self):
        """Nobody has ended by itself."""
        for node, process in self.processes.items():
            if process.poll() is not None:
                tail = "\n".join(self.log(node).splitlines()[-15:])
                raise RuntimeError(f"{self.name}: node {node} ended with {process.returncode}:\n{tail}")

    def memory_mb(self):
        """What each holds now."""
        return [_resident_mb(self.pid(node)) for node in ALL]

    def cpu_seconds(self):
        return [cpu_seconds(self.pid(node)) for node in ALL]


class Moldau(Nodes):
    name = "Moldau"

    def __init__(self, binary, folder, first_port):
        super().__init__(folder, first_port)
        self.binary = str(binary)

    def command(self, node):
        return [self.binary, "serve", "--config", str(self.properties(node))]

    def version(self):
        return subprocess.run([self.binary, "--version"], capture_output=True, check=True,
                              text=True).stdout.split()[-1]


class Kafka(Nodes):
    """KRaft with Kafka's defaults, and the JVM settings of kafka-server-start.sh."""

    name = "Apache Kafka"

    def __init__(self, libraries, folder, first_port):
        super().__init__(folder, first_port)
        self.libraries = pathlib.Path(libraries)

    def java(self, *arguments):
        return ["java", "-Dlog4j2.configurationFile=" + str(KAFKA / "log4j2.properties"), "-cp",
                f"{self.libraries}/*", *arguments]

    def make(self):
        """Formatting is not part of what a start is measured by: it is done once, beforehand."""
        super().make()
        formats = [subprocess.Popen(
            self.java("kafka.tools.StorageTool", "format", "-t", "bW9sZGF1LWJlbmNobWFyaw", "-c",
                      str(self.properties(node))),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for node in ALL]
        if any([process.wait() for process in formats]):
            raise RuntimeError("Apache Kafka's directories could not be formatted")

    def command(self, node):
        return self.java(*ApacheKafka.HEAP, *ApacheKafka.TUNING, "kafka.Kafka",
                         str(self.properties(node)))

    def version(self):
        return next(self.libraries.glob("kafka_2.13-*.jar")).stem.split("-")[-1]


def _resident_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"process {pid} has no memory")
