"""Frames and fields that no client sends: what can't be read closes its connection, nothing more."""

import struct
import time

import pytest

from batches import batch
from calls import metadata, produce_body
from conftest import PATIENCE_SECONDS
from wire import APIS, Answer, Body, Connection, framed, refused, request, uvarint

SETTINGS = ["request.frame.timeout.ms=1000", "socket.request.max.bytes=8388608"]

pytestmark = pytest.mark.usefixtures("unharmed")

HUGE = b"\xff\xff\xff\xff\x0f"  # 2^32 - 1 as a varint


def metadata_body(version, data):
    return Body("Metadata", version).raw(data)


@pytest.mark.parametrize("length", [-1, -2**31, 8_388_609, 2**31 - 1])
def test_a_length_out_of_range(broker, length):
    assert refused(broker.port, struct.pack(">i", length) + b"\0" * 100)


def test_many_large_frames_that_never_come(broker):
    """Memory is used for the bytes that are there, not for those that are announced."""
    connections = [Connection(broker.port) for _ in range(40)]
    for connection in connections:
        connection.send(struct.pack(">i", 8_000_000) + b"\0" * 1000)
    broker.produce("meanwhile", ["x"])
    for connection in connections:
        connection.socket.close()


def test_a_frame_that_stops_in_the_middle(broker):
    whole = request(metadata_body(1, struct.pack(">i", 0)))
    cut = [Connection(broker.port).send(whole[:n]) for n in (1, 4, 7, len(whole) - 1)]
    for connection in cut:
        with connection:
            assert connection.closed()


def test_one_byte_at_a_time(broker):
    """A request that trickles in has as long as one that stops."""
    with Connection(broker.port) as connection:
        connection.send(struct.pack(">i", 10_000))
        deadline = time.monotonic() + PATIENCE_SECONDS
        try:
            while time.monotonic() < deadline:
                connection.send(b"\0")
                connection.socket.settimeout(0.05)
                try:
                    if connection.socket.recv(1) == b"":
                        break
                except TimeoutError:
                    continue
        except (ConnectionResetError, BrokenPipeError):
            pass
        assert time.monotonic() < deadline


def test_a_slow_request_in_time_is_answered(broker):
    with Connection(broker.port) as connection:
        for byte in request(metadata_body(1, struct.pack(">i", 0)), 5):
            connection.send(bytes([byte]))
        assert Answer(connection.receive()).i32() == 5


def test_an_idle_connection_is_not_in_the_middle_of_a_frame(broker):
    with Connection(broker.port) as connection:
        metadata(connection, "bystander")
        with Connection(broker.port) as clock:
            assert clock.send(b"\0").closed()  # the broker has looked for frames that take too long
        assert metadata(connection, "bystander") == [0]


@pytest.mark.parametrize("frame", [b"", b"\0", struct.pack(">hhi", 3, 1, 1)[:7]])
def test_a_frame_shorter_than_a_header(broker, frame):
    assert refused(broker.port, framed(frame))


@pytest.mark.parametrize("key, version", [(999, 0), (-1, 0), (3, 99), (3, -1), (0, 2), (1, 3),
                                          (4, 0), (56, 0), (18, -1)])
def test_an_unknown_api_or_version(broker, key, version):
    frame = framed(struct.pack(">hhih", key, version, 1, -1))
    if key != 18:
        assert refused(broker.port, frame)


@pytest.mark.parametrize("version", [5, 99, 32767, -1])
def test_api_versions_too_new(broker, version):
    """A client learns from the answer, in the one format all know, what to ask with."""
    with Connection(broker.port) as connection:
        connection.send(framed(struct.pack(">hhih", 18, version, 77, -1) + b"\0\2a\2b\0"))
        answer = Answer(connection.receive())
        assert answer.i32() == 77 and answer.i16() == 35
        assert answer.array(lambda a: (a.i16(), a.i16(), a.i16())) == [(18, 0, 4)]
        assert answer.data == b""
        retry = connection.call(Body("ApiVersions", 0))
        assert retry.i16() == 0
        served = dict((key, (low, high))
                      for key, low, high in retry.array(lambda a: (a.i16(), a.i16(), a.i16())))
    assert set(served) == {key for key, _, _ in APIS.values()}
    assert all(served[key][1] == versions[-1] for key, versions, _ in APIS.values())


@pytest.mark.parametrize("client_id", [struct.pack(">h", -2), struct.pack(">h", 1000),
                                       struct.pack(">h", 2) + b"\xff\xfe"])
def test_a_bad_client_id(broker, client_id):
    assert refused(broker.port, framed(struct.pack(">hhi", 3, 1, 1) + client_id))


@pytest.mark.parametrize("count", [-2, -2**31, 1, 2**31 - 1])
def test_array_counts_of_four_bytes(broker, count):
    assert refused(broker.port, request(metadata_body(1, struct.pack(">i", count))))
    body = Body("Produce", 7).string(None).i16(1).i32(1).i32(count)
    assert refused(broker.port, request(body))


def test_null_where_it_is_not_allowed(broker):
    assert refused(broker.port, request(metadata_body(0, struct.pack(">i", -1))))
    assert refused(broker.port, request(metadata_body(1, struct.pack(">ih", 1, -1))))
    assert refused(broker.port, request(Body("Produce", 7).string(None).i16(1).i32(1, -1)))
    assert refused(broker.port, request(Body("Heartbeat", 0).string(None).i32(1).string("m")))
    assert refused(broker.port, request(Body("DeleteTopics", 4).raw(b"\0").i32(1000).tags()))


@pytest.mark.parametrize("count", [HUGE, uvarint(2**31), uvarint(1000)])
def test_array_counts_of_varints(broker, count):
    assert refused(broker.port, request(metadata_body(9, count)))


@pytest.mark.parametrize("varint", [b"\xff" * 5 + b"\x01", b"\x80" * 10 + b"\0", b"\xff" * 4 + b"\x1f",
                                    b"\x80"])
def test_varints_too_long(broker, varint):
    assert refused(broker.port, request(metadata_body(9, varint)))


def test_many_small_elements_amplify(broker):
    """Some megabytes of two bytes each would be hundreds of megabytes as objects."""
    bytes_there = 7_900_000
    for version, header in [(1, struct.pack(">i", bytes_there // 2)), (9, uvarint(bytes_there // 2))]:
        assert refused(broker.port, request(metadata_body(version, header + b"\0" * bytes_there)))
    body = Body("Produce", 9).string(None).i16(1).i32(1).raw(uvarint(bytes_there // 3))
    assert refused(broker.port, request(body.raw(b"\1\1\0" * (bytes_there // 3))))


def test_millions_of_tagged_fields(broker):
    for tags in [HUGE, uvarint(3_000_000) + b"\x63\0" * 3_000_000]:
        assert refused(broker.port, request(metadata_body(9, b"\1\1\1\1" + tags)))
    # In the header
    head = struct.pack(">hhih", 3, 9, 1, -1)
    assert refused(broker.port, framed(head + uvarint(3_000_000) + b"\x63\0" * 3_000_000))


def test_a_tagged_field_longer_than_the_frame(broker):
    assert refused(broker.port, request(metadata_body(9, b"\1\1\1\1" + b"\1\x63" + HUGE)))


def test_tagged_fields_that_nobody_knows_are_skipped(broker):
    with Connection(broker.port) as connection:
        connection.call(metadata_body(9, b"\1\1\1\1" + b"\2\x63\x03abc\x64\0"))


@pytest.mark.parametrize("name", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"a\xf5"])
def test_what_is_not_utf8(broker, name):
    assert refused(broker.port, request(Body("Metadata", 1).array([name], Body.string)))
    assert refused(broker.port, request(Body("Heartbeat", 0).string(name).i32(1).string("m")))


def test_trailing_bytes(broker):
    assert refused(broker.port, request(Body("FindCoordinator", 0).string("g").raw(b"\0")))
    assert refused(broker.port, request(produce_body("bystander", batch(b"x")).raw(b"xyz")))
    assert refused(broker.port, request(Body("ListGroups", 3).tags().raw(b"\0")))


def test_trailing_bytes_of_metadata(broker):
    """librdkafka 2.16 sends three too many."""
    with Connection(broker.port) as connection:
        connection.call(Body("Metadata", 13).array([]).i8(1, 0).tags().raw(b"\0\0\0"))
        assert metadata(connection, "bystander") == [0]


@pytest.mark.parametrize("api", APIS)
def test_a_body_of_noise(broker, api):
    for version in (APIS[api][1][0], APIS[api][1][-1]):
        assert refused(broker.port, request(Body(api, version).raw(b"\xfe\xdc\xba" * 50))), version


def test_another_protocol(broker):
    for hello in (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
                  b"SSH-2.0-OpenSSH_9.2\r\n"):
        assert refused(broker.port, hello)


def test_requests_behind_a_bad_one_are_not_answered(broker):
    good = request(metadata_body(1, struct.pack(">i", 0)), 1)
    bad = request(metadata_body(1, struct.pack(">i", -5)), 2)
    with Connection(broker.port) as connection:
        connection.send(good)
        assert Answer(connection.receive()).i32() == 1
        connection.send(bad + good * 3)
        assert connection.closed()
