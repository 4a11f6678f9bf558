"""The two sides of the benchmark, each started on an empty directory and stopped by its own pid."""

import json
import os
import pathlib
import shutil
import signal
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
KAFKA = ROOT / "bench" / "kafka"


class Moldau:
    name = "Moldau"

    def __init__(self, binary, folder, port):
        self.binary, self.folder, self.port = str(binary), pathlib.Path(folder), port

    def start(self):
        """Returns at once: what is measured is how soon it serves."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.starting = subprocess.Popen(
            [self.binary, "local", "start", "--brokers", "1", "--detach", "--dir",
             str(self.folder), "--port", str(self.port)], stdout=subprocess.DEVNULL)

    def wait(self):
        if self.starting.wait(timeout=120) != 0:
            raise RuntimeError(f"Moldau did not start: see {self.folder}")

    def pid(self):
        status = subprocess.run(
            [self.binary, "local", "status", "--dir", str(self.folder), "-o", "json"],
            capture_output=True, check=True)
        return json.loads(status.stdout)[0]["pid"]

    def stop(self):
        subprocess.run([self.binary, "local", "stop", "--dir", str(self.folder)],
                       stdout=subprocess.DEVNULL, check=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def version(self):
        return subprocess.run([self.binary, "--version"], capture_output=True, check=True,
                              text=True).stdout.split()[-1]


class ApacheKafka:
    """A single node in KRaft mode, with the JVM settings of kafka-server-start.sh."""

    name = "Apache Kafka"
    HEAP = ["-Xmx1G", "-Xms1G"]
    TUNING = ["-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
              "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent",
              "-XX:MaxInlineLevel=15", "-Djava.awt.headless=true"]

    def __init__(self, libraries, folder, port):
        self.libraries, self.folder, self.port = pathlib.Path(libraries), pathlib.Path(folder), port

    @staticmethod
    def install(libraries):
        if any(pathlib.Path(libraries).glob("kafka_2.13-*.jar")):
            return
        subprocess.run(["mvn", "-q", "-B", "-f", str(KAFKA / "pom.xml"),
                        "dependency:copy-dependencies", f"-DoutputDirectory={libraries}"],
                       check=True)

    def java(self, *arguments):
        return ["java", "-Dlog4j2.configurationFile=" + str(KAFKA / "log4j2.properties"), "-cp",
                f"{self.libraries}/*", *arguments]

    def start(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        properties = self.folder / "server.properties"
        properties.write_text(f"""process.roles=broker,controller
node.id=0
controller.quorum.voters=0@127.0.0.1:{self.port + 1}
listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.port + 1}
advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={self.folder}/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
""", encoding="utf-8")
        # Formatting is part of a first start, as it is of Moldau's.
        subprocess.run(self.java("kafka.tools.StorageTool", "format", "-t",
                                 "bW9sZGF1LWJlbmNobWFyaw", "-c", str(properties)),
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        with open(self.folder / "broker.log", "wb") as log:
            self.process = subprocess.Popen(
                self.java(*self.HEAP, *self.TUNING, "kafka.Kafka", str(properties)), stdout=log,
                stderr=subprocess.STDOUT)

    def wait(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"Apache Kafka did not start: see {self.folder}/broker.log")

    def pid(self):
        return self.process.pid

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def version(self):
        return next(self.libraries.glob("kafka_2.13-*.jar")).stem.split("-")[-1]


def memory_mb(pid):
    """MB of memory that the process holds now, and the most that it ever held."""
    found = {}
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(("VmRSS:", "VmHWM:")):
            name, value = line.split()[:2]
            found[name] = int(value) * 1024 / 1e6
    return found["VmRSS:"], found["VmHWM:"]


def cpu_seconds(pid):
    """What the process has used so far, of all its threads, in user and kernel mode."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
