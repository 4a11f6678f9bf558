"""kcat, Debian's, over Debian's librdkafka: each case is a few command lines and their output."""

import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import scenarios
from scenarios import expect, until


class Kcat:
    client = "kcat"
    absent = {}

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap

    def run(self, *arguments, stdin=""):
        done = subprocess.run(["kcat", "-b", self.bootstrap, *arguments], input=stdin,
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"kcat {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def produce(self, topic, lines, *options):
        self.run("-P", "-t", topic, "-p", "0", *options, stdin="".join(f"{s}\n" for s in lines))

    def consume(self, topic, start, *options):
        out = self.run("-C", "-t", topic, "-p", "0", "-o", start, "-e", "-q", *options)
        return out.splitlines()

    def spawn(self, *arguments):
        return subprocess.Popen(["kcat", "-b", self.bootstrap, *arguments], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def lines(count):
    return [f"record {i:06} " + "moldau " * 30 for i in range(count)]


def codec_case(codec):
    def case(kcat, run):
        topic = run.name(f"codec-{codec}")
        kcat.produce(topic, lines(300), *([] if codec == "none" else ["-z", codec]))
        expect(kcat.consume(topic, "beginning"), lines(300), "values")
        expect(kcat.consume(topic, "beginning", "-f", "%o\n"), [str(i) for i in range(300)],
               "offsets")

    return case


def produce_option_case(option):
    def case(kcat, run):
        topic = run.name(option.replace("=", "-").replace(".", "-"))
        # The topic first: acks=0 has nothing to tell that it was not there yet.
        kcat.produce(topic, ["first"])
        kcat.produce(topic, lines(50), "-X", option)
        expect(kcat.consume(topic, "1"), lines(50), "values")

    return case


def metadata(kcat, run):
    topic = run.name("metadata")
    kcat.produce(topic, ["one"])
    listed = kcat.run("-L", "-t", topic)
    assert re.search(rf'topic "{topic}" with 1 partitions:\n +partition 0, leader \d+', listed), listed
    assert kcat.bootstrap.rsplit(":", 1)[1] in listed, listed


def keys_and_headers(kcat, run):
    topic = run.name("headers")
    kcat.produce(topic, ["k1|one", "k2|two"], "-K", "|", "-H", "h1=a", "-H", "h2=b")
    kcat.produce(topic, ["k3|"], "-K", "|", "-Z")
    expect(kcat.consume(topic, "beginning", "-f", "%k|%s|%h|%S\n"),
           ["k1|one|h1=a,h2=b|3", "k2|two|h1=a,h2=b|3", "k3|||-1"], "records")


def consume_from_the_end(kcat, run):
    topic = run.name("end")
    kcat.produce(topic, lines(20))
    expect(kcat.consume(topic, "-5"), lines(20)[15:], "the last five")
    expect(kcat.consume(topic, "end"), [], "nothing at the end")


def consume_from_timestamp(kcat, run):
    topic = run.name("time")
    kcat.produce(topic, ["before"])
    time.sleep(0.05)
    between = int(time.time() * 1000)
    time.sleep(0.05)
    kcat.produce(topic, ["after", "and after"])
    expect(kcat.consume(topic, f"s@{between}"), ["after", "and after"], "values")
    query = kcat.run("-Q", "-t", f"{topic}:0:{between}")
    assert re.search(rf"{topic} \[0\] offset 1\b", query), query


def seek(kcat, run):
    topic = run.name("seek")
    kcat.produce(topic, lines(30))
    for offset in (12, 29, 0):
        out = kcat.run("-C", "-t", topic, "-p", "0", "-o", str(offset), "-c", "1", "-q",
                       "-f", "%o\n")
        expect(out, f"{offset}\n", "first offset")


def commit_and_resume(kcat, run):
    topic, group = run.name("commit"), run.name("commit-group")
    kcat.produce(topic, lines(40))
    member = ("-G", group, "-q", "-X", "auto.offset.reset=earliest", "-f", "%o\n")
    first = kcat.run(*member, "-c", "25", topic)
    expect(first.split(), [str(i) for i in range(25)], "offsets before the commit")
    second = kcat.run(*member, "-c", "15", topic)
    expect(second.split(), [str(i) for i in range(25, 40)], "offsets after resuming")


def two_members_share_and_one_leaves(kcat, run):
    topic, group = run.name("share"), run.name("share-group")
    # The topic is made by its first use; two members of it take whatever partitions it has.
    topics = [f"{topic}-{i}" for i in range(4)]
    for name in topics:
        kcat.produce(name, ["first"])
    member = ("-G", group, "-u", "-X", "auto.offset.reset=earliest",
              "-X", "heartbeat.interval.ms=300", "-X", "partition.assignment.strategy=roundrobin",
              "-f", "%t %s\n", *topics)
    one, two = Member(kcat.spawn(*member)), None
    try:
        until("the only member has all partitions", lambda: len(one.assigned()) == 4)
        two = Member(kcat.spawn(*member))
        until("both members have half",
              lambda: len(one.assigned()) == 2 and len(two.assigned()) == 2)
        expect(sorted(one.assigned() + two.assigned()), topics, "assignment of both")
        two.leave()
        until("the remaining member has all", lambda: len(one.assigned()) == 4)
        for name in topics:
            kcat.produce(name, ["rest"])
        until("the remaining member reads all",
              lambda: {f"{name} rest" for name in topics} <= set(one.lines))
    finally:
        for member in (one, two):
            if member:
                member.leave()


class Member:
    """A running kcat -G: what it read, and its assignment from what it says on stderr."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        self.said = []
        for stream, into in ((process.stdout, self.lines), (process.stderr, self.said)):
            scenarios.threading.Thread(target=self.follow, args=(stream, into),
                                       daemon=True).start()

    @staticmethod
    def follow(stream, into):
        for line in stream:
            into.append(line.rstrip("\n"))

    def assigned(self):
        changes = [line for line in self.said if "rebalanced" in line]
        if not changes or "assigned:" not in changes[-1]:
            return []
        return sorted(re.findall(r"(\S+) \[\d+\]", changes[-1].split("assigned:")[1]))

    def leave(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)


CASES = {
    **{f"codec_{codec}": codec_case(codec) for codec in ("none", "gzip", "snappy", "lz4", "zstd")},
    **{f"acks_{acks}": produce_option_case(f"acks={acks}") for acks in ("0", "1", "all")},
    "idempotent_producer": produce_option_case("enable.idempotence=true"),
    "metadata": metadata,
    "keys_and_headers": keys_and_headers,
    "consume_from_the_end": consume_from_the_end,
    "consume_from_timestamp": consume_from_timestamp,
    "seek": seek,
    "commit_and_resume": commit_and_resume,
    "two_members_share_and_one_leaves": two_members_share_and_one_leaves,
}

if __name__ == "__main__":
    scenarios.main(Kcat, CASES)
