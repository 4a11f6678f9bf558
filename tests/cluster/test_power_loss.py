"""The model of a power loss that tests/chaos uses: what was synced stays, and nothing else must."""

import os
import pathlib
import random
import subprocess
import sys
import textwrap

import pytest
from conftest import BINARY, ROOT

sys.path.insert(0, str(ROOT / "tests/chaos"))

import power_loss  # noqa: E402

SHIM = pathlib.Path(BINARY).resolve().parent / "tests/chaos/libmoldau_disk_shim.so"
SEEDS = range(40)


@pytest.fixture
def disk(tmp_path):
    """Runs a program that writes, loses power, and tells what is there then."""
    class Disk:
        data, notes = tmp_path / "data", tmp_path / "notes"
        fault = tmp_path / "fault"

        def run(self, program, code=0):
            self.data.mkdir(exist_ok=True)
            done = subprocess.run(
                [sys.executable, "-c", "import os\n" + textwrap.dedent(program)], cwd=self.data,
                check=False, env={**os.environ, "LD_PRELOAD": str(SHIM),
                                  "DISK_SHIM_NOTES": str(self.notes),
                                  "DISK_SHIM_KEPT": str(self.data / power_loss.KEPT),
                                  "DISK_SHIM_FAULT": str(self.fault)})
            assert done.returncode == code

        def lose(self, seed):
            return power_loss.lose_power(self.notes, self.data, random.Random(seed))

        def read(self, name):
            path = self.data / name
            return path.read_bytes() if path.exists() else None
    return Disk()


WRITER = """
    def sync_here():
        here = os.open({data!r}, os.O_RDONLY)
        os.fsync(here)
        os.close(here)
    def put(name, text, sync=True):
        file = os.open({data!r} + "/" + name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.write(file, text)
        if sync:
            os.fdatasync(file)
        os.close(file)
"""


def program(disk, text):
    return textwrap.dedent(WRITER.format(data=str(disk.data))) + textwrap.dedent(text)


def test_what_was_synced_stays_and_the_rest_may_go(disk):
    disk.run(program(disk, """
        put("log", b"a" * 10_000)
        sync_here()
        put("log", b"b" * 10_000, sync=False)
    """))
    before = disk.read("log")
    lengths = set()
    for seed in SEEDS:
        (disk.data / "log").write_bytes(before)
        notes = disk.notes.read_text()
        disk.lose(seed)
        disk.notes.write_text(notes)
        left = disk.read("log")
        assert left[:10_000] == b"a" * 10_000
        assert set(left[10_000:]) <= {ord("b"), 0}
        lengths.add(len(left))
    assert min(lengths) == 10_000 and max(lengths) == 20_000 and len(lengths) > 5


def test_what_is_left_is_safe_from_then_on(disk):
    disk.run(program(disk, 'put("log", b"a" * 5000, sync=False)\nsync_here()'))
    disk.lose(1)
    left = disk.read("log")
    for seed in SEEDS:
        assert disk.lose(seed) == (0, 0)
        assert disk.read("log") == left


def test_entries_that_were_not_synced_may_go(disk):
    ends = set()
    for seed in SEEDS:
        disk.run(program(disk, """
            here = os.getcwd() + "/"
            for name in os.listdir(here):
                if not name.startswith("."):
                    os.unlink(here + name)
            put("old", b"old")
            put("gone", b"gone")
            sync_here()
            put("new", b"new")
            os.rename(here + "new", here + "old")
            os.unlink(here + "gone")
        """))
        disk.lose(seed)
        ends.add((disk.read("old"), disk.read("new"), disk.read("gone")))
        disk.notes.unlink()
    assert ends == {(b"old", None, b"gone"), (b"old", b"new", b"gone"), (b"new", None, b"gone"),
                    (b"new", None, None)}


def test_syncs_fail_on_demand(disk):
    disk.run(program(disk, 'put("log", b"a")'))
    disk.fault.write_text("fail")
    disk.run(program(disk, 'put("log", b"a")'), code=1)
    assert power_loss.Notes(disk.notes).faults == 1
