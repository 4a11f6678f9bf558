"""A configuration that can't be meant is refused at start, by line, before anything is touched."""

import socket

import pytest

from conftest import ERROR, USAGE, free_port, moldau


@pytest.fixture
def serve(tmp_path):
    """serve(lines, *arguments): starts a node that is expected to refuse."""
    def run(text, *arguments, code=USAGE, env=None):
        properties = tmp_path / "server.properties"
        properties.write_text(f"# a test\nlog.dirs={tmp_path / 'data'}\n{text}\n", encoding="utf-8")
        answer = moldau("serve", "--config", properties, *arguments, env=env)
        assert answer.code == code, answer
        assert answer.out == "", answer
        assert not (tmp_path / "data").exists(), "a refused configuration touched the data"
        return answer.err
    return run


@pytest.mark.parametrize("line, nearest", [
    ("num.partiton=3", "num.partitions"), ("log.retention.hour=1", "log.retention.hours"),
    ("autocreate.topics.enable=true", "auto.create.topics.enable"),
    ("message.max.byte=1", "message.max.bytes")])
def test_an_unknown_key(serve, line, nearest):
    told = serve(line)
    assert "line 3" in told and line.split("=", maxsplit=1)[0] in told
    assert f"did you mean {nearest}?" in told


def test_an_unknown_key_that_is_like_no_other(serve):
    told = serve("completely.else=1")
    assert "line 3" in told and "unknown option completely.else" in told and "mean" not in told


@pytest.mark.parametrize("line, why", [
    ("log.retention.ms=7d", "not a whole number of milliseconds"),
    ("log.segment.bytes=1g", "not a whole number of bytes"),
    ("log.segment.bytes=1.5", "not a whole number of bytes"),
    ("num.partitions=0", "must be from 1"),
    ("num.partitions=99999999999", "must be from 1"),
    ("num.partitions=", "not a whole number"),
    ("auto.create.topics.enable=yes", "must be true or false"),
    ("compression.type=brotli", "must be one of"),
    ("log.cleanup.policy=shred", "must be one of"),
    ("process.roles=observer", "must be one of"),
    ("node.id=-1", "must be from 0"),
    ("log.cleaner.min.cleanable.ratio=2", "must be from 0"),
])
def test_a_bad_value(serve, line, why):
    told = serve(line)
    assert "line 3" in told and line.split("=", maxsplit=1)[0] in told and why in told


@pytest.mark.parametrize("lines, at, why", [
    ("default.replication.factor=2\nmin.insync.replicas=3", 4, "nothing could be written"),
    ("broker.session.timeout.ms=1000", 3, "shorter than three times"),
    ("broker.heartbeat.interval.ms=2000", 3, "shorter than three times"),
    ("group.min.session.timeout.ms=5\ngroup.max.session.timeout.ms=4", 3, "longer than"),
    ("node.id=1\nbroker.id=2", 4, "differ"),
    ("listeners=PLAINTEXT://:9092,OTHER://127.0.0.1:9092\n"
     "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,OTHER:PLAINTEXT", 3, "clash on port 9092"),
    ("listeners=PLAINTEXT://:9092,PLAINTEXT://:9093", 3, "two listeners are named PLAINTEXT"),
    ("listeners=PLAINTEXT://:90920", 3, "no proper port"),
    ("listeners=9092", 3, "is not NAME://host:port"),
    ("listeners=SSL://:9092", 3, "only PLAINTEXT is served"),
    ("advertised.listeners=PLAINTEXT://0.0.0.0:9092", 3, "which no client can connect to"),
    ("advertised.listeners=PLAINTEXT://:9092", 3, "which no client can connect to"),
    ("advertised.listeners=OTHER://host:9092", 3, "there is no listener OTHER"),
    ("controller.quorum.voters=0@a:1,b:1", 3, "b:1 is not ID@HOST:PORT"),
    ("controller.quorum.voters=0@a:1,1@b:1,1@c:1", 3, "id 1 stands twice"),
    ("controller.quorum.voters=0@a:1,1@a:1", 3, "the same address"),
    ("node.id=2\ncontroller.quorum.voters=0@a:1,1@b:1", 4, "node.id=2 is not among them"),
    ("process.roles=broker\nlisteners=PLAINTEXT://:9092,CONTROLLER://:1\n"
     "controller.quorum.voters=0@a:1", 5, "it names this node (node.id=0)"),
    ("listeners=PLAINTEXT://:9092\ncontroller.quorum.voters=0@a:1,1@b:1", 3,
     "add CONTROLLER://:19092"),
    ("process.roles=controller\nlisteners=PLAINTEXT://:9092", 4, "PLAINTEXT is for clients"),
    ("listeners=CONTROLLER://:19092", 3, "there is none for clients"),
])
def test_values_that_do_not_go_together(serve, lines, at, why):
    told = serve(lines)
    assert f"line {at}:" in told and why in told


def test_every_problem_is_told_at_once(serve):
    told = serve("num.partitons=1\nlog.retention.ms=x", "--set", "nope=1")
    assert "line 3" in told and "line 4" in told and "--set nope" in told


def test_what_would_leave_a_door_open(serve):
    """Security that is asked for and not there is no reason to start without it."""
    for line in ("authorizer.class.name=org.apache.kafka.Any", "ssl.keystore.location=/x",
                 "sasl.enabled.mechanisms=PLAIN"):
        told = serve(line)
        assert "line 3" in told and "not supported" in told


def test_the_command_line_and_the_environment(serve):
    assert "--set num.partitons" in serve("", "--set", "num.partitons=3")
    assert "it must be KEY=VALUE" in serve("", "--set", "num.partitions")
    assert "MOLDAU_NUM_PARTITONS" in serve("", env={"MOLDAU_NUM_PARTITONS": "3"})


def test_files_that_can_not_be_read(tmp_path):
    assert moldau("serve", "--config", tmp_path / "none").code == ERROR
    assert moldau("serve", "--config", tmp_path).code == ERROR
    assert moldau("serve").code == USAGE
    noise = tmp_path / "noise"
    noise.write_bytes(b"\0\xff\xfe=\n" * 20)
    told = moldau("serve", "--config", noise)
    assert told.code == USAGE and "line 1" in told.err


def test_what_only_a_jvm_needs_is_told_and_ignored(cluster):
    cluster.start("--set=metric.reporters=com.example.Reporter",
                  env={"KAFKA_HEAP_OPTS": "-Xmx1g", "KAFKA_NUM_PARTITONS": "3"})
    log = cluster.log()
    for key in ("metric.reporters", "KAFKA_HEAP_OPTS"):
        assert any(key in line and "ignored" in line for line in log.splitlines()), key
    assert "did you mean num.partitions?" in log


def test_a_port_that_another_has(tmp_path):
    with socket.socket() as taken:
        port = free_port()
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        properties = tmp_path / "server.properties"
        properties.write_text(f"listeners=PLAINTEXT://127.0.0.1:{port}\n"
                              f"log.dirs={tmp_path / 'data'}\n", encoding="utf-8")
        told = moldau("serve", "--config", properties)
        assert told.code == ERROR and str(port) in told.err and "in use" in told.err
