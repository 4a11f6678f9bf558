#!/usr/bin/env python3
"""./dev test, after the build: runs the groups of tests one after the other and counts them.

    test.py --preset release|asan|tsan [--only GROUP]...

Groups: layering (who includes whom), unit and sim (the programs that ctest knows, by label), cli
(tests/cluster, on real processes), clients (tests/clients). Under a sanitizer only unit and sim.
The last line is "N passed, N failed, N skipped", after the names of what failed or was skipped.
Nothing is run a second time.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
STARTED = time.monotonic()
SANITIZER_OPTIONS = {
    "asan": {
        "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    },
    "tsan": {
        "TSAN_OPTIONS": f"suppressions={ROOT / 'tools/tsan.supp'}:halt_on_error=1"
                        ":second_deadlock_stack=1",
    },
}


class Count:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []

    def add(self, passed, failed=(), skipped=()):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        print(f"         {passed} passed, {len(failed)} failed, {len(skipped)} skipped", flush=True)


def step(text):
    print(f"==> [{time.monotonic() - STARTED:3.0f}s] {text}", flush=True)


def ctest(count, preset, label):
    """The programs with that label, two at a time; each GoogleTest program says its own counts."""
    build = ROOT / "build" / preset
    reports = build / "reports" / label
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir(parents=True)
    junit = reports / "ctest.xml"
    environment = {**os.environ, **SANITIZER_OPTIONS.get(preset, {}),
                   "GTEST_OUTPUT": f"json:{reports}/"}
    subprocess.run(["ctest", "--test-dir", str(build), "-L", f"^{label}$", "--output-on-failure",
                    "-j", str(os.cpu_count()), "--output-junit", str(junit)],
                   env=environment, check=False)
    if not junit.exists():
        count.add(0, [f"{label}: ctest itself failed"])
        return
    passed, failed, skipped = 0, [], []
    for case in xml.etree.ElementTree.parse(junit).getroot().iter("testcase"):
        program = case.get("name")
        ended_well = case.get("status") == "run" and case.find("failure") is None
        report = reports / f"{program}.json"
        if report.exists():
            names = gtest_failures(json.loads(report.read_text()))
            told = json.loads(report.read_text())
            passed += told["tests"] - told["failures"] - told.get("disabled", 0)
            failed += [f"{program} {name}" for name in names]
            skipped += [f"{program}: disabled in the source"] * told.get("disabled", 0)
            # A leak or a crash at the end shows in no test's own result.
            if not ended_well and not names:
                failed.append(f"{program}: ended badly after its tests")
        elif ended_well:
            passed += 1
        else:
            failed.append(f"{program}: ended without a report ({case.get('status')})")
    count.add(passed, failed, skipped)


def gtest_failures(report):
    return [f"{suite['name']}.{test['name']}"
            for suite in report["testsuites"] for test in suite["testsuite"] if "failures" in test]


def pytest(count, preset, paths):
    reports = ROOT / "build" / preset / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    junit = reports / f"{paths[0].stem}.xml"
    junit.unlink(missing_ok=True)
    subprocess.run(["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rfE",
                    f"--junitxml={junit}", *map(str, paths)],
                   cwd=ROOT, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, check=False)
    if not junit.exists():
        count.add(0, [f"{paths[0].name}: pytest itself failed"])
        return
    passed, failed, skipped = 0, [], []
    for case in xml.etree.ElementTree.parse(junit).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        reason = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif reason is not None:
            skipped.append(f"{name}: {reason.get('message')}")
        else:
            passed += 1
    count.add(passed, failed, skipped)


def clients(count):
    """Passes the suites' lines on as they come, and takes the counts from their last lines."""
    passed, failed, skipped = 0, [], []
    closing = None
    with subprocess.Popen(["/usr/bin/python3", str(ROOT / "tests/clients/run.py")], text=True,
                          stdout=subprocess.PIPE,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}) as run:
        for line in run.stdout:
            # The one line of counts is for the end of everything.
            closing = re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped\n", line)
            if closing:
                continue
            print(line, end="", flush=True)
            kind, _, rest = line.rstrip("\n").partition(": ")
            if kind == "failed":
                failed.append(f"client {rest}")
            elif kind == "skipped":
                skipped.append(f"client {rest}")
    if closing is None:
        failed.append("tests/clients/run.py: ended without a count")
    else:
        passed = int(closing.group(1))
    count.add(passed, failed, skipped)


GROUPS = ("layering", "unit", "sim", "cli", "clients")


def run(count, group, preset):
    if group == "layering":
        pytest(count, preset, sorted((ROOT / "tests").glob("*_test.py")))
    elif group == "cli":
        paths = sorted((ROOT / "tests/cluster").glob("test_*.py"))
        if paths:
            pytest(count, preset, paths)
    elif group == "clients":
        clients(count)
    else:
        ctest(count, preset, group)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", choices=["release", "asan", "tsan"], required=True)
    parser.add_argument("--only", choices=GROUPS, action="append")
    options = parser.parse_args()
    groups = GROUPS if options.preset == "release" else ("unit", "sim")
    if options.only:
        groups = [group for group in groups if group in options.only]

    count = Count()
    for group in groups:
        step(f"{group} tests ({options.preset})")
        run(count, group, options.preset)
    step("done")
    for skipped in count.skipped:
        print(f"skipped: {skipped}")
    for failed in count.failed:
        print(f"failed: {failed}")
    print(f"{count.passed} passed, {len(count.failed)} failed, {len(count.skipped)} skipped")
    return 1 if count.failed or not count.passed else 0


if __name__ == "__main__":
    sys.exit(main())
