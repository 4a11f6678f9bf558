"""What the benchmark asks a node: few requests, over one raw socket each, the same for both sides."""

import pathlib
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "cluster"))

from wire import Answer, Body, Client, Connection, request  # noqa: E402  (from the folder added above)

NONE, TOPIC_EXISTS = 0, 36
PAUSE_SECONDS = 0.001  # between two questions: who is asked has to come to work as well


class Node(Client):
    """One node as a client sees it."""

    def create_topics(self, names, partitions, replicas, timeout_ms=10_000):
        """The error of each."""
        return _creation_errors(self.call(creation(names, partitions, replicas, timeout_ms)))

    def create_led_by_first(self, name, partitions, replicas, configs, timeout_ms=10_000):
        """A topic whose partitions all have these replicas; its error."""
        def assignment(body, index):
            body.i32(index).array(replicas, Body.i32)
        error, = _creation_errors(self.call(Body("CreateTopics", 4).array(
            [name], lambda b, name: b.string(name).i32(-1).i16(-1).array(
                range(partitions), assignment).array(
                    configs, lambda b, one: b.string(*one))).i32(timeout_ms).i8(0)))
        return error

    def create_one_by_one(self, names, partitions, replicas, timeout_ms=60_000):
        """A request for each, all sent before the first answer is read. The error of each."""
        self.close()
        self.connection = Connection(self.port)
        for name in names:
            self.connection.send(request(creation([name], partitions, replicas, timeout_ms)))
        answers = [Answer(self.connection.receive()[4:]) for _ in names]
        return [error for answer in answers for error in _creation_errors(answer)]

    def delete_topics(self, names, timeout_ms=10_000):
        answer = self.call(Body("DeleteTopics", 1).array(names, Body.string).i32(timeout_ms))
        answer.i32()
        return [error for _, error in answer.array(lambda a: (a.string(), a.i16()))]

    def brokers(self):
        """Whether each registered broker is fenced."""
        answer = self.call(Body("DescribeCluster", 2).i8(0, 1, 1).tags())
        answer.i32()
        if answer.i16() != 0:
            raise OSError("the cluster can't be described now")
        answer.string(), answer.i8(), answer.string(), answer.i32()

        def broker(a):
            found = (a.i32(), a.string(), a.i32(), a.string(), a.i8())
            a.tags()
            return found[0], found[4] != 0
        return dict(answer.array(broker))

    def quorum(self):
        """The active controller and its epoch; (-1, -1) if it knows none."""
        def partition(body, index):
            body.i32(index).tags()

        def topic(body, name):
            body.string(name).array([0], partition).tags()
        answer = self.call(Body("DescribeQuorum", 0).array(["__cluster_metadata"], topic).tags())
        if answer.i16() != 0 or answer.length() != 1:
            return -1, -1
        answer.string(), answer.length()
        _, error, leader, epoch = answer.i32(), answer.i16(), answer.i32(), answer.i32()
        return (leader, epoch) if error == 0 else (-1, -1)

    def partitions(self, topic):
        """For each partition of it who leads, and how many are in sync; and which brokers are in
        service. There are no partitions if there is no such topic."""
        answer = self.call(Body("Metadata", 7).array([topic], Body.string).i8(0))
        answer.i32()
        brokers = answer.array(lambda a: (a.i32(), a.string(), a.i32(), a.string()))
        answer.string(), answer.i32()
        if answer.i32() != 1 or answer.i16() != 0:
            return [], {broker for broker, *_ in brokers}
        answer.string(), answer.i8()
        return _partitions(answer.data), {broker for broker, *_ in brokers}

    def leaders(self, topic):
        """Who leads each partition, by its index."""
        answer = self.call(Body("Metadata", 0).array([topic], Body.string))
        answer.array(lambda a: (a.i32(), a.string(), a.i32()))
        if answer.i32() != 1 or answer.i16() != 0:
            raise OSError(f"{topic} can't be described now")
        answer.string()

        def partition(a):
            a.i16()
            found = a.i32(), a.i32()
            a.array(Answer.i32), a.array(Answer.i32)
            return found
        return dict(answer.array(partition))


def creation(names, partitions, replicas, timeout_ms):
    return Body("CreateTopics", 4).array(
        names, lambda b, name: b.string(name).i32(partitions).i16(replicas).i32(0, 0)).i32(
            timeout_ms).i8(0)


def _creation_errors(answer):
    answer.i32()
    return [error for _, error, _ in answer.array(lambda a: (a.string(), a.i16(), a.string()))]


def _partitions(data):
    """(leader, in sync) out of an array of partitions as Metadata 7 has it: quicker than field by
    field, since this competes with what is measured for two cores."""
    count, = struct.unpack_from(">i", data)
    found, at = [], 4
    for _ in range(count):
        leader, = struct.unpack_from(">i", data, at + 6)
        at += 14
        lengths = []
        for _ in range(3):  # replicas, those in sync, those offline
            length, = struct.unpack_from(">i", data, at)
            lengths.append(length)
            at += 4 + 4 * length
        found.append((leader, lengths[1]))
    return found


def until(condition, what, seconds=120, pause=PAUSE_SECONDS):
    """The first true value of it; what can't be asked yet is asked again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            value = condition()
            if value:
                return value
        except OSError:
            pass  # it may not serve yet
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {seconds} s")
        time.sleep(pause)
