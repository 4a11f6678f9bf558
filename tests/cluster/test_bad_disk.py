"""Directories and files that are not as the broker left them: nothing is deleted by inference."""

import os
import subprocess

import pytest

from batches import batch, crc32c
from calls import STORAGE_ERROR, create_topics, fetch, metadata, produce, serves
from conftest import ERROR, free_port, moldau, wait_until
from wire import Connection

OFFLINE = STORAGE_ERROR
CORRUPT = 2


class Disk:
    """A cluster's data, looked at and changed behind the broker's back."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.home = cluster.folder / "broker-0"
        self.data = self.home / "data"

    def partition(self, topic):
        """Where partition 0 of it lies."""
        described = self.cluster("topic", "describe", topic, "-o", "json").json[0]
        uuid = described["id"]
        found = [p for p in self.data.iterdir() if p.name == f"{uuid}.0"]
        assert len(found) == 1, list(self.data.iterdir())
        return found[0]

    def segments(self, topic):
        return sorted(self.partition(topic).glob("*.log"))

    @staticmethod
    def snapshot(directory):
        """The content of every file in it."""
        return {p.name: p.read_bytes() for p in directory.iterdir() if p.is_file()}


@pytest.fixture
def disk(cluster):
    cluster.start()
    return Disk(cluster)


def fill(port, topic, count=50, size=100):
    """Batches of one record each; their values."""
    values = [f"{i:05}".encode() + b"." * size for i in range(count)]
    with Connection(port) as connection:
        for value in values:
            assert produce(connection, topic, batch(value))[0] == 0
    return values


def values_of(records):
    """The batches' values, and whether every checksum is right."""
    values, fine = [], True
    while len(records) >= 61:
        size = 12 + int.from_bytes(records[8:12], "big")
        one, records = records[:size], records[size:]
        fine &= crc32c(one[21:]) == int.from_bytes(one[17:21], "big")
        values.append(one[-106:-1])
    return values, fine


def all_values(port, topic, offset=0, at_once=1 << 20):
    """(error, values) from `offset` on, in fetches of so many bytes."""
    values = []
    with Connection(port) as connection:
        while True:
            error, end, records = fetch(connection, topic, offset, partition_max_bytes=at_once)
            if error:
                return error, values
            found, fine = values_of(records)
            assert fine
            if not found:
                assert offset == end
                return 0, values
            values += found
            offset += len(found)


def write_beside(cluster):
    """A topic that nothing happens to."""
    with Connection(cluster.port) as connection:
        assert metadata(connection, "beside") == [0]
    fill(cluster.port, "beside", 1)


def topic_of_segments(cluster, topic):
    """A topic of several small segments, and one beside it."""
    cluster("topic", "create", topic, "-c", "segment.bytes=1024")
    values = fill(cluster.port, topic, 30)
    write_beside(cluster)
    return values


def restart(cluster):
    cluster.local("start", 0)


def others_are_served(cluster):
    assert all_values(cluster.port, "beside") == (0, [b"00000" + b"." * 100])
    assert serves(cluster.port)


# The tail after a crash

TAILS = {"noise": b"\xa5" * 1000, "zeros": b"\0" * 4096, "one byte": b"\1",
         "half a batch": batch(b"torn" * 50, base_offset=50)[:-10],
         "a wrong checksum": batch(b"x", base_offset=50, crc_xor=1),
         "a wrong offset": batch(b"x", base_offset=7)}


@pytest.mark.parametrize("what", TAILS)
def test_a_torn_tail_is_cut(disk, what):
    cluster, garbage = disk.cluster, TAILS[what]
    cluster("topic", "create", "torn")
    values = fill(cluster.port, "torn")
    segment = disk.segments("torn")[-1]
    cluster.local("kill", 0)
    whole = segment.read_bytes()
    segment.write_bytes(whole + garbage)
    restart(cluster)
    assert all_values(cluster.port, "torn") == (0, values)
    assert segment.read_bytes() == whole
    assert f"cut {len(garbage)} bytes" in cluster.log()
    cluster.produce("torn", ["." * 105])
    assert [b"." * 105] == all_values(cluster.port, "torn", 50)[1]
    assert serves(cluster.port)


# Damage below the recovery point

def damaged(disk, change):
    """What is served after a clean stop, `change(partition directory)` and a start."""
    cluster = disk.cluster
    values = topic_of_segments(cluster, "damaged")
    directory = disk.partition("damaged")
    cluster.local("stop")
    change(directory)
    before = disk.snapshot(directory) if directory.exists() else None
    restart(cluster)
    others_are_served(cluster)
    return values, directory, before


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def is_offline(disk, directory, before):
    cluster = disk.cluster
    with Connection(cluster.port) as client:
        assert fetch(client, "damaged", 0)[0] == OFFLINE
        assert produce(client, "damaged", batch(b"x"))[0] == OFFLINE
    assert "OFFLINE" in cluster.log()
    logs = {name: data for name, data in before.items() if name.endswith(".log")}
    after = disk.snapshot(directory)
    assert {name: after.get(name) for name in logs} == logs


def is_without_a_segment(disk, directory, before, values):
    """One is refused, all others are served, and nothing is cut."""
    cluster = disk.cluster
    bases = [int(path.stem) for path in sorted(directory.glob("*.log"))]
    with Connection(cluster.port) as client:
        refused = [base for base in bases if fetch(client, "damaged", base)[0] == CORRUPT]
        assert len(refused) == 1 and refused[0] != bases[-1], (refused, bases)
        assert produce(client, "damaged", batch(b"x"))[0] == 0
    after = bases[bases.index(refused[0]) + 1]
    error, found = all_values(cluster.port, "damaged", after)
    assert error == 0 and found[:len(values) - after] == values[after:]
    wait_until(lambda: "no other replica has the damaged offsets" in cluster.log(), "it is told")
    logs = {name: data for name, data in before.items() if name.endswith(".log")}
    kept = disk.snapshot(directory)
    assert all(kept[name].startswith(data) for name, data in logs.items())


def test_a_bad_record_where_the_index_is_lost(disk):
    def change(directory):
        segment = sorted(directory.glob("*.log"))[1]
        flip(segment, 100)
        segment.with_suffix(".index").unlink()
    values, directory, before = damaged(disk, change)
    is_without_a_segment(disk, directory, before, values)


def test_a_bad_batch_header(disk):
    """Found when it is read: what is before it is served, nothing is cut."""
    def change(directory):
        flip(sorted(directory.glob("*.log"))[1], 16)  # the format number of its first batch
    values, directory, before = damaged(disk, change)
    error, found = all_values(disk.cluster.port, "damaged", at_once=500)
    assert error == CORRUPT and 0 < len(found) < len(values) and found == values[:len(found)]
    is_without_a_segment(disk, directory, before, values)


def test_a_bad_record(disk):
    """The scrub, which begins with the start, finds it. Who reads it before that can tell by the
    batch's checksum."""
    def change(directory):
        flip(sorted(directory.glob("*.log"))[0], 100)
    values, directory, before = damaged(disk, change)
    with Connection(disk.cluster.port) as client:
        error, _, records = fetch(client, "damaged", 0)
        assert error == CORRUPT or not values_of(records)[1]
        wait_until(lambda: fetch(client, "damaged", 0)[0] == CORRUPT, "the scrub has found it")
    is_without_a_segment(disk, directory, before, values)


def test_a_shortened_segment(disk):
    def change(directory):
        segment = sorted(directory.glob("*.log"))[2]
        os.truncate(segment, segment.stat().st_size - 10)
    values, directory, before = damaged(disk, change)
    is_without_a_segment(disk, directory, before, values)


@pytest.mark.parametrize("change", ["unlink", "empty"])
def test_a_gap_between_segments(disk, change):
    def damage(directory):
        segment = sorted(directory.glob("*.log"))[2]
        if change == "unlink":
            segment.unlink()
        else:
            os.truncate(segment, 0)
    _, directory, before = damaged(disk, damage)
    is_offline(disk, directory, before)


def test_overlapping_segments(disk):
    def damage(directory):
        first, second = sorted(directory.glob("*.log"))[:2]
        first.write_bytes(first.read_bytes() + second.read_bytes())
    _, directory, before = damaged(disk, damage)
    is_offline(disk, directory, before)


def test_the_newest_segment_lost(disk):
    _, directory, before = damaged(disk, lambda d: sorted(d.glob("*.log"))[-1].unlink())
    is_offline(disk, directory, before)


def test_a_whole_partition_lost(disk):
    """Records that were acknowledged are gone: not the same as a partition that is new."""
    def damage(directory):
        for path in directory.iterdir():
            path.unlink()
        directory.rmdir()
    damaged(disk, damage)
    with Connection(disk.cluster.port) as client:
        assert fetch(client, "damaged", 0)[0] == OFFLINE


# What can be made anew, and what is not the broker's

INDEX_DAMAGE = {
    "missing": lambda index: index.unlink(),
    "noise": lambda index: index.write_bytes(b"\xa5" * 500),
    "empty": lambda index: index.write_bytes(b""),
    "a wrong head": lambda index: flip(index, 8),
    "a wrong end": lambda index: flip(index, index.stat().st_size - 1),
}


@pytest.mark.parametrize("what", INDEX_DAMAGE)
def test_an_index_is_rebuilt(disk, what):
    def change(directory):
        for index in sorted(directory.glob("*.index"))[:3]:
            INDEX_DAMAGE[what](index)
    values, directory, _ = damaged(disk, change)
    cluster = disk.cluster
    assert all_values(cluster.port, "damaged") == (0, values)
    assert cluster.consume("damaged", "--from", "@0") == [v.decode() for v in values]
    assert len(list(directory.glob("*.index"))) >= 3


def test_foreign_files_are_left_alone(disk):
    foreign = ["notes.txt", "123.log", "00000000000000000007.log.bak", "lost+found"]

    def change(directory):
        for name in foreign[:-1]:
            (directory / name).write_text("mine")
        (directory / foreign[-1]).mkdir()
        (disk.data / "my-folder").mkdir()
        (disk.data / "my-folder" / "file").write_text("mine")
    values, directory, _ = damaged(disk, change)
    assert all_values(disk.cluster.port, "damaged") == (0, values)
    assert all((directory / name).exists() for name in foreign)
    assert (disk.data / "my-folder" / "file").read_text() == "mine"


def test_a_partition_that_no_topic_has_is_kept(disk):
    stray = disk.data / "AAAAAAAAAAAAAAAAAAAAAQ.0"
    write_beside(disk.cluster)
    disk.cluster.local("stop")
    stray.mkdir()
    segment = stray / ("0" * 20 + ".log")
    segment.write_bytes(b"somebody's")
    restart(disk.cluster)
    others_are_served(disk.cluster)
    assert segment.read_bytes() == b"somebody's"
    assert str(stray) in disk.cluster.log()


# Whose directory it is

def refused(cluster, *told):
    answer = moldau("serve", "--config", cluster.folder / "broker-0/server.properties", "--set",
                    f"listeners=PLAINTEXT://127.0.0.1:{free_port()}")
    assert answer.code == ERROR, answer
    for text in told:
        assert text in answer.err, answer


def all_files(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("key, theirs", [("cluster.id", "AAAAAAAAAAAAAAAAAAAAAA"),
                                         ("node.id", "7")])
def test_the_directory_of_another(disk, key, theirs):
    cluster = disk.cluster
    write_beside(cluster)
    cluster.local("stop")
    mark = disk.data / "meta.properties"
    good = mark.read_text(encoding="utf-8")
    lines = dict(line.split("=") for line in good.splitlines() if "=" in line)
    ours = lines[key]
    mark.write_text(good.replace(f"{key}={ours}", f"{key}={theirs}"), encoding="utf-8")
    before = {p: d for p, d in all_files(disk.data).items() if "store" not in str(p)}
    refused(cluster, ours, theirs)
    after = all_files(disk.data)
    assert {p: after[p] for p in before} == before
    mark.write_text(good, encoding="utf-8")
    restart(cluster)
    others_are_served(cluster)


def test_a_newer_format(disk):
    disk.cluster.local("stop")
    mark = disk.data / "meta.properties"
    mark.write_text(mark.read_text(encoding="utf-8").replace("version=1", "version=2"),
                    encoding="utf-8")
    refused(disk.cluster, "format 2 is newer", str(mark))


@pytest.mark.parametrize("text", ["", "version=1\n", "noise", "version=1\nnode.id=0\n"])
def test_a_mark_that_says_nothing(disk, text):
    disk.cluster.local("stop")
    text = text.replace("noise", "\0\xff" * 100)
    (disk.data / "meta.properties").write_text(text, encoding="utf-8")
    refused(disk.cluster, "meta.properties")


def test_a_directory_in_use(disk):
    write_beside(disk.cluster)
    refused(disk.cluster, str(disk.data))
    others_are_served(disk.cluster)


@pytest.mark.parametrize("lost", ["directory", "content"])
def test_the_store_of_metadata_lost(disk, lost):
    """Without it the partitions belong to no topic, and a new one of the same name is empty."""
    cluster = disk.cluster
    write_beside(cluster)
    segment = disk.segments("beside")[0]
    records = segment.read_bytes()
    cluster.local("stop")
    store = disk.data / "store"
    store.rename(disk.home / "elsewhere")
    if lost == "content":
        store.mkdir()
    refused(cluster, str(disk.data), "list of topics is gone")
    assert segment.read_bytes() == records
    if lost == "content":
        store.rmdir()
    (disk.home / "elsewhere").rename(store)
    restart(cluster)
    others_are_served(cluster)


# A disk that is full

@pytest.fixture
def small_disk(tmp_path):
    """A file system of 12 MiB."""
    path = tmp_path / "small"
    path.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", path],
                          capture_output=True, check=False)
    if made.returncode != 0:
        pytest.skip("a small file system can't be mounted: " + made.stderr.decode().strip())
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def test_a_full_disk(cluster, small_disk):
    """Produce is refused, reads go on, and all is well again once there is space."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"\0" * (6 << 20))
    cluster.start(f"--set=log.dirs={small_disk}", "--set=offsets.topic.num.partitions=1",
                  f"--set=metadata.log.dir={cluster.folder}/metadata",
                  "--set=storage.reserve.bytes=0")
    with Connection(cluster.port) as client:
        assert create_topics(client, "full") == [0]
        wait_until(lambda: metadata(client, "full") == [0], "the topic is there")
        kept = 0
        while True:
            error, offset = produce(client, "full", batch(f"{kept:05}".encode() + b"." * 300_000))
            if error:
                break
            assert offset == kept
            kept += 1
            assert kept < 100
        assert error == STORAGE_ERROR and kept > 10
        for _ in range(3):
            assert produce(client, "full", batch(b"." * 300_000))[0] == STORAGE_ERROR
        for offset in range(kept):
            error, end, records = fetch(client, "full", offset, partition_max_bytes=1000)
            assert error == 0 and end == kept and f"{offset:05}".encode() in records
        ballast.unlink()
        wait_until(lambda: produce(client, "full", batch(b"again"))[0] == 0, "space is used again")
        error, _, records = fetch(client, "full", kept)
        assert error == 0 and b"again" in records
    assert serves(cluster.port)
    cluster.local("kill", 0)
    restart(cluster)
    with Connection(cluster.port) as client:
        for offset in range(kept):
            records = fetch(client, "full", offset, partition_max_bytes=1000)[2]
            assert f"{offset:05}".encode() in records
