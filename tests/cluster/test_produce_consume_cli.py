"""`moldau produce`, `consume` and `group`."""

import signal
import subprocess
import time

import pytest

from conftest import (BINARY, ERROR, OK, PATIENCE_SECONDS, TIMEOUT, USAGE, environment, wait_until)


def test_keys_and_headers(running):
    running("produce", "keyed", "-K", ":", "-H", "a=1", "-H", "b=", stdin="k1:v1\nk2:v:2\n")
    records = running("consume", "keyed", "-e", "-o", "json").json_lines
    assert [(r["key"], r["value"]) for r in records] == [("k1", "v1"), ("k2", "v:2")]
    assert records[0]["headers"] == [{"name": "a", "value": "1"}, {"name": "b", "value": ""}]
    assert [r["offset"] for r in records] == [0, 1]
    running("produce", "keyed", "-k", "same", stdin="x")
    assert running("consume", "keyed", "-e", "--from", 2, "-f", "%k=%s\\n").out == "same=x\n"


def test_a_line_without_separator(running):
    wrong = running("produce", "wrong-line", "-K", ":", stdin="a:1\nnothing\n", code=ERROR)
    assert "line 2" in wrong.err and "produced 1 message" in wrong.out


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_every_codec(running, codec):
    values = [f"{codec} {i}" for i in range(2000)]
    running.produce(f"codec-{codec}", values, "--compression", codec)
    assert running.consume(f"codec-{codec}") == values


@pytest.mark.parametrize("acks", ["all", "1", "0"])
def test_acks(running, acks):
    running.produce(f"acks-{acks}", ["a", "b"], "--acks", acks)
    wait_until(lambda: running.consume(f"acks-{acks}") == ["a", "b"], "the messages arrive")


def test_text_and_what_is_not_text(running):
    running.produce("text", ["Vltava – Moldau", "", "tab\tin"])
    assert running.consume("text") == ["Vltava – Moldau", "", "tab\tin"]


def test_batches(running):
    values = [str(i) for i in range(100)]
    running.produce("batched", values, "--batch", "7")
    assert running.consume("batched") == values


def test_partitions(running):
    running("topic", "create", "parts", "-p", 3)
    for p in range(3):
        running.produce("parts", [f"p{p}"], "-p", str(p))
    assert running("consume", "parts", "-e", "-p", 1).out == "p1\n"
    assert running("consume", "parts", "-e", "-p", 0, "-p", 2, "-n", 2).out.split() == ["p0", "p2"]
    assert sorted(running.consume("parts")) == ["p0", "p1", "p2"]
    assert "no partition 9" in running("consume", "parts", "-p", 9, code=ERROR).err


def test_positions(running):
    running.produce("from", ["a", "b"])
    time.sleep(0.002)  # so that the millisecond below is later than theirs
    between = time.time_ns() // 1_000_000
    time.sleep(0.002)
    running.produce("from", ["c", "d"])
    assert running.consume("from", "--from", "beginning") == ["a", "b", "c", "d"]
    assert running.consume("from", "--from", "1") == ["b", "c", "d"]
    assert running.consume("from", "--from", f"@{between}") == ["c", "d"]
    assert running.consume("from", "--from", f"@{between + 10_000_000}") == []
    assert running.consume("from", "--from", "end") == []
    assert "not a position" in running("consume", "from", "--from", "start", code=USAGE).err


def test_waiting_for_messages(running):
    running("topic", "create", "later")
    consumer = subprocess.Popen(
        [BINARY, "consume", "later", "-n", "2", "-b", f"localhost:{running.port}"],
        stdout=subprocess.PIPE, env=environment())
    running.produce("later", ["a"])
    assert consumer.stdout.readline() == b"a\n"  # though it waits for more
    running.produce("later", ["b", "c"])
    assert consumer.communicate(timeout=PATIENCE_SECONDS)[0] == b"b\n"
    assert consumer.returncode == OK


def test_a_consumer_gives_up(running):
    running.produce("quiet", ["a"])
    answer = running("consume", "quiet", "--timeout", 3, code=TIMEOUT)
    assert answer.out == "a\n" and "no message" in answer.err


def test_a_silent_broker_is_given_up_in_the_same_time(running):
    running.produce("t", ["x"])
    running.local("pause", 0)
    began = time.monotonic()
    assert "does not answer" in running("consume", "t", "--timeout", 0.5, code=TIMEOUT).err
    assert time.monotonic() - began < 25, "by this limit, not by one of the library"
    running.local("resume", 0)
    assert running.consume("t") == ["x"]


def test_ctrl_c_ends_and_commits(running):
    running.produce("interrupted", ["a", "b"])
    consumer = subprocess.Popen(
        [BINARY, "consume", "interrupted", "-g", "stopper", "-b", f"localhost:{running.port}"],
        stdout=subprocess.PIPE, env=environment())
    assert consumer.stdout.readline() == b"a\n"
    assert consumer.stdout.readline() == b"b\n"
    consumer.send_signal(signal.SIGINT)
    assert consumer.wait(timeout=PATIENCE_SECONDS) == OK
    described = running("group", "describe", "stopper", "-o", "json").json[0]
    assert described["partitions"][0]["committed"] == 2 and described["lag"] == 0


def test_unknown_topics(running):
    assert "no topic 'nowhere'" in running("consume", "nowhere", code=ERROR).err


def test_a_group_goes_on_where_it_stopped(running):
    running.produce("shared", [str(i) for i in range(10)])
    first = running("consume", "shared", "-g", "readers", "-n", 4).out.split()
    assert first == ["0", "1", "2", "3"]
    described = running("group", "describe", "readers", "-o", "json").json[0]
    assert described["state"] == "Empty"
    assert described["partitions"] == [{"topic": "shared", "partition": 0, "committed": 4,
                                        "end": 10, "lag": 6, "member": None}]
    assert described["lag"] == 6
    assert "LAG" in running("group", "describe", "readers").out
    rest = running("consume", "shared", "-g", "readers", "-e").out.split()
    assert rest == [str(i) for i in range(4, 10)]
    assert "readers" in [g["group"] for g in running("group", "list", "-o", "json").json]


def test_group_seek(running):
    running.produce("sought", [str(i) for i in range(5)])
    running("consume", "sought", "-g", "seeker", "-e")
    for to, left in [("beginning", 5), ("3", 2), ("end", 0), ("@0", 5)]:
        running("group", "seek", "seeker", "sought", "--to", to)
        assert running("group", "describe", "seeker", "-o", "json").json[0]["lag"] == left, to
    assert len(running("consume", "sought", "-g", "seeker", "-e").out.split()) == 5
    assert "no topic" in running("group", "seek", "seeker", "nowhere", "--to", "end",
                                 code=ERROR).err
    assert running("group", "seek", "seeker", "sought", "--to", "middle", code=USAGE).out == ""


def test_a_group_with_members(running):
    running.produce("busy", ["a"])
    consumer = subprocess.Popen(
        [BINARY, "consume", "busy", "-g", "workers", "-b", f"localhost:{running.port}"],
        stdout=subprocess.PIPE, env=environment())
    try:
        assert consumer.stdout.readline() == b"a\n"
        described = running("group", "describe", "workers", "-o", "json").json[0]
        assert described["state"] == "Stable" and len(described["members"]) == 1
        assert described["partitions"][0]["member"] == described["members"][0]["member"]
        refused = running("group", "delete", "workers", code=ERROR)
        assert "NON_EMPTY_GROUP" in refused.err and "consumers" in refused.err
        assert "consumers" in running("group", "seek", "workers", "busy", "--to", "beginning",
                                      code=ERROR).err
    finally:
        consumer.send_signal(signal.SIGINT)
        consumer.wait(timeout=PATIENCE_SECONDS)
    running("group", "delete", "workers")
    assert "no group 'workers'" in running("group", "describe", "workers", code=ERROR).err


def test_groups_that_are_not_there(running):
    assert "no group 'ghosts'" in running("group", "describe", "ghosts", code=ERROR).err
    assert "GROUP_ID_NOT_FOUND" in running("group", "delete", "ghosts", code=ERROR).err
    assert "-p or -g" in running("consume", "shared", "-g", "x", "-p", 0, code=USAGE).err
