"""tests/chaos for a minute: faults, and a verdict; and that the verdict can be a bad one."""

import os
import random
import subprocess
import sys

from conftest import BINARY, ROOT, USAGE, environment, moldau

GOOD, BAD, INVALID = 0, 1, 2
SEED = int(os.environ.get("MOLDAU_SEED", random.randrange(1 << 31)))


def chaos(tmp_path, *arguments):
    """(exit code, what it printed)"""
    done = subprocess.run(
        [sys.executable, ROOT / "tests/chaos/run.py", "--keep", tmp_path / "chaos",
         *map(str, arguments)],
        env={**environment(), "MOLDAU": BINARY}, capture_output=True, text=True, check=False,
        timeout=600)
    print(done.stdout, done.stderr)
    return done.returncode, done.stdout


# What takes little time; ./dev chaos has all of them.
FAULTS = ("Kill,KillController,Terminate,Pause,Cut,PowerLoss,PowerLossOfAll,LoseDisk,Reassign,"
          "BitFlip")


def test_nothing_is_lost_doubled_or_reordered(tmp_path):
    code, out = chaos(tmp_path, "--minutes", 0.5, "--seed", SEED, "--faults", FAULTS)
    assert code == GOOD, f"MOLDAU_SEED={SEED}\n{out}"
    assert "no anomaly" in out


def test_with_acks_1_a_power_loss_loses_records_and_that_is_found(tmp_path):
    code, out = chaos(tmp_path, "--minutes", 0.1, "--seed", 1, "--acks", 1, "--no-churn",
                      "--faults", "PowerLossOfAll")
    assert code == BAD, out
    assert "lost" in out.splitlines()[-2], out


def test_a_history_that_is_none_is_refused(tmp_path):
    path = tmp_path / "history"
    path.write_text("something else that is long enough to be one")
    answer = moldau("lab", "check", path)
    assert answer.code == USAGE and "no history" in answer.err
