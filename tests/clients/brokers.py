"""The brokers that the client suites run against, each started here and stopped by its own pid."""

import os
import pathlib
import socket
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
JAVA_LIB = ROOT / "build" / "clients" / "java" / "lib"


def wait_for_port(port, seconds, alive):
    """Returns once something listens on the port; fails as soon as alive() is false."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if not alive():
            raise RuntimeError(f"the broker for port {port} ended before it listened")
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port} after {seconds} s")


class Deadline:
    """Kills the process if the block is not left in time."""

    def __init__(self, process, seconds):
        self.timer = threading.Timer(seconds, process.kill)

    def __enter__(self):
        self.timer.start()

    def __exit__(self, *_):
        self.timer.cancel()


class Moldau:
    """A local cluster of one, started and stopped with the moldau binary."""

    name = "moldau"

    def __init__(self, folder, port, binary=None):
        self.folder = pathlib.Path(folder)
        self.port = port
        self.binary = binary or os.environ.get("MOLDAU", str(ROOT / "build/release/moldau"))

    def start(self):
        # Kafka's default of 3 s before a group's first rebalance would be most of the suites' time.
        command = [self.binary, "local", "start", "--brokers", "1", "--dir", str(self.folder),
                   "--port", str(self.port), "--detach",
                   "--set", "group.initial.rebalance.delay.ms=0"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n"
                               f"{done.stdout}{done.stderr}")

    def stop(self):
        done = subprocess.run([self.binary, "local", "stop", "--dir", str(self.folder)],
                              capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"local stop: exit {done.returncode}\n{done.stdout}{done.stderr}")


class ApacheKafka:
    """Apache Kafka, one combined node from the jars of java/pom.xml: proves the suites themselves."""

    name = "kafka"

    def __init__(self, folder, port):
        self.folder = pathlib.Path(folder)
        self.port = port
        self.process = None

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "server.properties"
        config.write_text("\n".join([
            "process.roles=broker,controller",
            "node.id=1",
            f"controller.quorum.voters=1@127.0.0.1:{self.port + 1}",
            f"listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.port + 1}",
            f"advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}",
            "controller.listener.names=CONTROLLER",
            f"log.dirs={self.folder / 'data'}",
            "offsets.topic.replication.factor=1",
            "share.coordinator.state.topic.replication.factor=1",
            "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1",
            "group.initial.rebalance.delay.ms=0",
        ]) + "\n")
        java = ["java", "-Xmx1g", "-cp", f"{JAVA_LIB}/*"]
        subprocess.run([*java, "kafka.tools.StorageTool", "format",
                        "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c", str(config)],
                       check=True, capture_output=True)
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen([*java, "kafka.Kafka", str(config)],
                                            stdout=log, stderr=subprocess.STDOUT)
        wait_for_port(self.port, 60, lambda: self.process.poll() is None)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Running:
    """A broker that somebody else started: never stopped here."""

    name = "running"

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap

    def start(self):
        host, port = self.bootstrap.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=5):
            pass

    def stop(self):
        pass
