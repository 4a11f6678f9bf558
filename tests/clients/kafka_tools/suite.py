"""Kafka's own command-line tools, run by their main classes from the jars of java/pom.xml."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import scenarios
from brokers import JAVA_LIB
from scenarios import expect, until

TOOLS = {
    "topics": "org.apache.kafka.tools.TopicCommand",
    "configs": "kafka.admin.ConfigCommand",
    "console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "producer-perf-test": "org.apache.kafka.tools.ProducerPerformance",
    "get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
}
JVM = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xmx256m",
       "-cp", f"{JAVA_LIB}/*"]


class Tools:
    client = "kafka-tools"
    absent = {}

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap

    def command(self, tool, *arguments):
        return [*JVM, TOOLS[tool], "--bootstrap-server", self.bootstrap, *arguments]

    def run(self, tool, *arguments, stdin=""):
        done = subprocess.run(self.command(tool, *arguments), input=stdin, capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 0, \
            f"{tool} {' '.join(arguments)}: exit {done.returncode}: {done.stdout} {done.stderr}"
        return done.stdout


def topics(tools, run):
    topic = run.name("topics")
    made = tools.run("topics", "--create", "--topic", topic, "--partitions", "3",
                     "--config", "retention.ms=3600000")
    assert f"Created topic {topic}." in made, made
    assert topic in tools.run("topics", "--list").split()
    tools.run("topics", "--alter", "--topic", topic, "--partitions", "4")
    described = tools.run("topics", "--describe", "--topic", topic)
    assert re.search(r"PartitionCount: 4\s+ReplicationFactor: 1\s+Configs: .*retention.ms=3600000",
                     described), described
    assert len(re.findall(r"Partition: \d+\s+Leader: (\d+)\s+Replicas: \1\s+Isr: \1",
                          described)) == 4, described
    tools.run("topics", "--delete", "--topic", topic)
    assert topic not in tools.run("topics", "--list").split()


def configs(tools, run):
    topic = run.name("configs")
    tools.run("topics", "--create", "--topic", topic)
    entity = ("--entity-type", "topics", "--entity-name", topic)
    tools.run("configs", *entity, "--alter", "--add-config",
              "retention.ms=7200000,max.message.bytes=2000000")
    described = tools.run("configs", *entity, "--describe")
    assert "retention.ms=7200000" in described, described
    assert "DYNAMIC_TOPIC_CONFIG:retention.ms=7200000" in described, described
    tools.run("configs", *entity, "--alter", "--delete-config", "retention.ms")
    described = tools.run("configs", *entity, "--describe")
    assert "retention.ms" not in described and "max.message.bytes=2000000" in described, described
    everything = tools.run("configs", *entity, "--describe", "--all")
    assert "retention.ms=604800000" in everything, everything


def console(tools, run):
    topic = run.name("console")
    tools.run("topics", "--create", "--topic", topic)
    tools.run("console-producer", "--topic", topic, "--compression-codec", "zstd",
              "--reader-property", "parse.key=true", "--reader-property", "parse.headers=true",
              stdin="h1:a,h2:b\tkey one\tvalue one\nh1:c\tkey two\tvalue two\n")
    out = tools.run("console-consumer", "--topic", topic, "--from-beginning", "--max-messages", "2",
                    "--formatter-property", "print.key=true",
                    "--formatter-property", "print.headers=true",
                    "--formatter-property", "print.offset=true")
    expect(out.splitlines(), ["Offset:0\th1:a,h2:b\tkey one\tvalue one",
                              "Offset:1\th1:c\tkey two\tvalue two"], "consumed lines")


def consumer_groups(tools, run):
    topic, group = run.name("groups"), run.name("groups-group")
    tools.run("topics", "--create", "--topic", topic)
    tools.run("console-producer", "--topic", topic, stdin="".join(f"{i}\n" for i in range(10)))
    out = tools.run("console-consumer", "--topic", topic, "--group", group, "--from-beginning",
                    "--max-messages", "10")
    expect(out.split(), [str(i) for i in range(10)], "consumed lines")
    assert group in tools.run("consumer-groups", "--list").split()
    described = tools.run("consumer-groups", "--describe", "--group", group)
    assert re.search(rf"{group}\s+{topic}\s+0\s+10\s+10\s+0\s", described), described
    state = tools.run("consumer-groups", "--describe", "--group", group, "--state")
    assert re.search(r"\sEmpty\s+0\s", state), state
    tools.run("consumer-groups", "--reset-offsets", "--group", group, "--topic", topic,
              "--to-offset", "4", "--execute")
    described = tools.run("consumer-groups", "--describe", "--group", group)
    assert re.search(rf"{group}\s+{topic}\s+0\s+4\s+10\s+6\s", described), described
    tools.run("consumer-groups", "--delete", "--group", group)
    assert group not in tools.run("consumer-groups", "--list").split()


def live_member(tools, run):
    topic, group = run.name("member"), run.name("member-group")
    tools.run("topics", "--create", "--topic", topic, "--partitions", "2")
    command = tools.command("console-consumer", "--topic", topic, "--group", group)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as member:
        try:
            until("the group has one member", lambda: re.search(
                r"\sStable\s+1\s",
                tools.run("consumer-groups", "--describe", "--group", group, "--state")))
            members = tools.run("consumer-groups", "--describe", "--group", group, "--members",
                                "--verbose")
            assert re.search(rf"\s2\s.*{topic}", members), members
        finally:
            member.terminate()


def get_offsets(tools, run):
    topic = run.name("offsets")
    tools.run("topics", "--create", "--topic", topic)
    before = int(time.time() * 1000) - 1000
    tools.run("console-producer", "--topic", topic, stdin="a\nb\nc\n")
    for moment, offset in (("latest", 3), ("earliest", 0), (str(before), 0), ("max-timestamp", None)):
        out = tools.run("get-offsets", "--topic", topic, "--time", moment).strip()
        if offset is None:
            assert re.fullmatch(rf"{topic}:0:[012]", out), out
        else:
            expect(out, f"{topic}:0:{offset}", f"offset at {moment}")


def producer_perf_test(tools, run):
    topic = run.name("perf")
    tools.run("topics", "--create", "--topic", topic)
    # This tool names its option as the producer does.
    out = subprocess.run(
        [*JVM, TOOLS["producer-perf-test"], "--topic", topic, "--num-records", "20000",
         "--record-size", "1024", "--throughput", "-1", "--producer-props",
         f"bootstrap.servers={tools.bootstrap}", "acks=all", "compression.type=lz4"],
        check=True, capture_output=True, text=True, timeout=60).stdout
    assert "20000 records sent" in out, out
    expect(tools.run("get-offsets", "--topic", topic).strip(), f"{topic}:0:20000", "end offset")


def delete_records(tools, run):
    topic = run.name("delete")
    tools.run("topics", "--create", "--topic", topic)
    tools.run("console-producer", "--topic", topic, stdin="a\nb\nc\n")
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as plan:
        plan.write('{"version": 1, "partitions": '
                   f'[{{"topic": "{topic}", "partition": 0, "offset": 2}}]}}')
    try:
        out = tools.run("delete-records", "--offset-json-file", plan.name)
    finally:
        os.unlink(plan.name)
    assert re.search(rf"{topic}-0\s+low_watermark: 2", out), out


def broker_api_versions(tools, _run):
    out = tools.run("broker-api-versions")
    assert "Produce(0): " in out and "ApiVersions(18): " in out, out


CASES = {case.__name__: case for case in (
    topics, configs, console, consumer_groups, live_member, get_offsets, producer_perf_test,
    delete_records, broker_api_versions)}

if __name__ == "__main__":
    scenarios.main(Tools, CASES)
