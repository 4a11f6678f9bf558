"""The Kafka protocol as plain bytes, so that tests can send what no client library would.

Only what the tests need: requests are put together field by field, answers are read the same way.
"""

import itertools
import socket
import struct

PATIENCE_SECONDS = 60

# The first version of each API with varint lengths and tagged fields, and the versions served.
APIS = {
    "Produce": (0, range(3, 14), 9),
    "Fetch": (1, range(4, 19), 12),
    "ListOffsets": (2, range(1, 12), 6),
    "Metadata": (3, range(0, 14), 9),
    "OffsetCommit": (8, range(2, 11), 8),
    "OffsetFetch": (9, range(1, 11), 6),
    "FindCoordinator": (10, range(0, 7), 3),
    "JoinGroup": (11, range(0, 10), 6),
    "Heartbeat": (12, range(0, 5), 4),
    "LeaveGroup": (13, range(0, 6), 4),
    "SyncGroup": (14, range(0, 6), 4),
    "DescribeGroups": (15, range(0, 7), 5),
    "ListGroups": (16, range(0, 6), 3),
    "ApiVersions": (18, range(0, 5), 3),
    "CreateTopics": (19, range(2, 8), 5),
    "DeleteTopics": (20, range(1, 7), 4),
    "DeleteRecords": (21, range(0, 3), 2),
    "InitProducerId": (22, range(0, 6), 2),
    "OffsetForLeaderEpoch": (23, range(2, 5), 4),
    "DescribeConfigs": (32, range(1, 5), 4),
    "AlterConfigs": (33, range(0, 3), 2),
    "DescribeLogDirs": (35, range(1, 5), 2),
    "CreatePartitions": (37, range(0, 4), 2),
    "DeleteGroups": (42, range(0, 3), 2),
    "ElectLeaders": (43, range(0, 3), 2),
    "IncrementalAlterConfigs": (44, range(0, 2), 1),
    "AlterPartitionReassignments": (45, range(0, 2), 0),
    "ListPartitionReassignments": (46, range(0, 1), 0),
    "OffsetDelete": (47, range(0, 1), 1),
    "DescribeQuorum": (55, range(0, 3), 0),
    "UpdateFeatures": (57, range(0, 3), 0),
    "DescribeCluster": (60, range(0, 3), 0),
    "UnregisterBroker": (64, range(0, 1), 0),
    "ListConfigResources": (74, range(0, 2), 0),
    "DescribeTopicPartitions": (75, range(0, 1), 0),
    "AddRaftVoter": (80, range(0, 2), 0),
    "RemoveRaftVoter": (81, range(0, 1), 0),
}


def flexible(api, version):
    return version >= APIS[api][2]


def uvarint(value):
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def varint(value):
    return uvarint(value << 1 if value >= 0 else (-value << 1) - 1)


class Body:
    """A message as it grows; lengths are of the kind that the API's version has."""

    def __init__(self, api, version):
        self.api, self.version = api, version
        self.flexible = flexible(api, version)
        self.bytes = b""

    def raw(self, data):
        self.bytes += data
        return self

    def since(self, version):
        """This body if the field that follows is in its version, else one to be thrown away."""
        return self if self.version >= version else Body(self.api, self.version)

    def until(self, version):
        return self if self.version <= version else Body(self.api, self.version)

    def number(self, kind, *values):
        return self.raw(b"".join(struct.pack(">" + kind, value) for value in values))

    def i8(self, *values):
        return self.number("b", *values)

    def i16(self, *values):
        return self.number("h", *values)

    def i32(self, *values):
        return self.number("i", *values)

    def i64(self, *values):
        return self.number("q", *values)

    def length(self, count, kind="i"):
        """-1 stands for null."""
        return self.raw(uvarint(count + 1)) if self.flexible else self.number(kind, count)

    def string(self, *texts):
        for text in texts:
            data = text.encode() if isinstance(text, str) else text
            self.length(-1 if data is None else len(data), "h").raw(data or b"")
        return self

    def blob(self, data):
        return self.length(-1 if data is None else len(data)).raw(data or b"")

    def array(self, items, write=None):
        self.length(-1 if items is None else len(items))
        for item in items or []:
            write(self, item)
        return self

    def tags(self):
        return self.raw(b"\0") if self.flexible else self


class Answer:
    """An answer's bytes, read from the front."""

    def __init__(self, data, is_flexible=False):
        self.data, self.flexible = data, is_flexible

    def take(self, count):
        assert len(self.data) >= count, "the answer is cut short"
        out, self.data = self.data[:count], self.data[count:]
        return out

    def number(self, kind):
        return struct.unpack(">" + kind, self.take(struct.calcsize(kind)))[0]

    def i8(self):
        return self.number("b")

    def i16(self):
        return self.number("h")

    def i32(self):
        return self.number("i")

    def i64(self):
        return self.number("q")

    def length(self, kind="i"):
        if not self.flexible:
            return self.number(kind)
        out = 0
        for shift in range(0, 35, 7):
            byte = self.take(1)[0]
            out |= (byte & 0x7f) << shift
            if byte < 0x80:
                return out - 1
        raise AssertionError("a varint of more than five bytes")

    def string(self):
        count = self.length("h")
        return None if count < 0 else self.take(count).decode()

    def blob(self):
        count = self.length()
        return None if count < 0 else self.take(count)

    def array(self, read):
        count = self.length()
        return None if count < 0 else [read(self) for _ in range(count)]

    def tags(self):
        if self.flexible:
            assert self.take(1) == b"\0"


def framed(data):
    return struct.pack(">i", len(data)) + data


def request(body, correlation=1, client_id="tester"):
    """A whole frame."""
    key = APIS[body.api][0]
    head = struct.pack(">hhih", key, body.version, correlation, len(client_id)) + client_id.encode()
    return framed(head + (b"\0" if body.flexible else b"") + body.bytes)


class Connection:
    """A client's socket."""

    correlations = itertools.count(1000)

    def __init__(self, port, source="127.0.0.1", host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), PATIENCE_SECONDS, (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)
        return self

    def exactly(self, count):
        out = b""
        while len(out) < count:
            part = self.socket.recv(count - len(out))
            if not part:
                raise ConnectionError("closed by the broker")
            out += part
        return out

    def receive(self):
        """The next frame, without its length."""
        return self.exactly(struct.unpack(">i", self.exactly(4))[0])

    def call(self, body):
        """The answer's body."""
        correlation = next(self.correlations)
        self.send(request(body, correlation))
        answer = Answer(self.receive(), body.flexible)
        assert answer.i32() == correlation
        if body.flexible and body.api != "ApiVersions":
            answer.tags()
        return answer

    def closed(self):
        """Waits until the broker has closed it, without another byte of an answer."""
        try:
            return self.socket.recv(1) == b""
        except (ConnectionResetError, BrokenPipeError):
            return True


class Client:
    """Who asks one broker, and connects anew by itself; a call without an answer is an OSError."""

    def __init__(self, port, host="127.0.0.1"):
        self.port, self.host, self.connection = port, host, None

    def call(self, body):
        try:
            if not self.connection:
                source = self.host if self.host == "127.0.0.1" else ""
                self.connection = Connection(self.port, source, self.host)
            return self.connection.call(body)
        except (OSError, AssertionError, struct.error) as error:
            self.close()
            raise error if isinstance(error, OSError) else OSError(str(error)) from error

    def close(self):
        if self.connection:
            self.connection.socket.close()
            self.connection = None


def refused(port, data):
    """Whether the broker closes a connection on which `data` comes."""
    with Connection(port) as connection:
        try:
            connection.send(data)
        except (ConnectionResetError, BrokenPipeError):
            return True  # closed before all of it was sent
        return connection.closed()
