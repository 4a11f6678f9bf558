#!/usr/bin/env python3
"""clang-tidy on the files named, one process a core: tidy.py FILE.cc...

A file without findings is not looked at again until something that clang-tidy sees of it has
changed: the file, what it includes of this repository, its flags, .clang-tidy or clang-tidy itself.
build/tidy holds what is known to be clean. Exits 1 if there are findings.
"""

import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
DATABASE = ROOT / "build/release"
CLEAN = ROOT / "build/tidy"
STEP_SECONDS = 20
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
CHATTER = re.compile(r"^\d+ warnings? (treated as errors?|generated\.)|^Suppressed |^Use -header-filter")
FINDING = re.compile(r"^\S+:\d+:\d+: (warning|error): ")
COMMAND = ["clang-tidy", "-p", str(DATABASE), "--quiet", "--warnings-as-errors=*",
           # g++'s own warning names are unknown to clang.
           "--extra-arg=-Wno-unknown-warning-option"]


@functools.cache
def content(path):
    """A file's digest, and the files of this repository and its build that it names."""
    data = path.read_bytes()
    included = []
    for name in INCLUDE.findall(data):
        for base in (ROOT, path.parent, DATABASE, DATABASE / "generated"):
            if (base / name.decode()).is_file():
                included.append((base / name.decode()).resolve())
                break
    return hashlib.sha256(data).digest(), included


def digest(path, common):
    """Of everything that decides what clang-tidy says of a file, but for the system's headers."""
    reached, waiting = set(), [path]
    while waiting:
        one = waiting.pop()
        if one not in reached:
            reached.add(one)
            waiting += content(one)[1]
    whole = hashlib.sha256(common)
    for one in sorted(reached):
        whole.update(str(one).encode() + b"\0" + content(one)[0])
    return whole.hexdigest()


def tidy(path):
    """The findings in a file and its headers: their blocks of lines, the note lines with them."""
    done = subprocess.run([*COMMAND, str(path)], cwd=ROOT, capture_output=True, text=True)
    lines = [line for line in (done.stdout + done.stderr).splitlines()
             if line and not CHATTER.match(line)]
    if done.returncode == 0:
        return []
    blocks = []
    for line in lines:
        if FINDING.match(line) or not blocks:
            blocks.append([])
        blocks[-1].append(line)
    return ["\n".join(block) for block in blocks] or [f"{path}: clang-tidy exit {done.returncode}"]


def main():
    commands = {}
    for entry in json.loads((DATABASE / "compile_commands.json").read_text()):
        commands[pathlib.Path(entry["file"])] = entry["command"]
    version = subprocess.run(["clang-tidy", "--version"], check=True, capture_output=True).stdout
    settings = version + (ROOT / ".clang-tidy").read_bytes() + " ".join(COMMAND).encode()

    CLEAN.mkdir(parents=True, exist_ok=True)
    started = told = time.monotonic()
    wanted, current = {}, set()
    for name in sys.argv[1:]:
        path = (ROOT / name).resolve()
        # Only what the build compiles has the flags that clang-tidy needs.
        if path in commands:
            key = digest(path, settings + commands[path].encode())
            current.add(key)
            if not (CLEAN / key).exists():
                wanted[path] = key
    print(f"    {len(current)} files, {len(wanted)} of them changed since they were last clean",
          flush=True)

    shown = set()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        waiting = {pool.submit(tidy, path): path for path in wanted}
        for count, one in enumerate(concurrent.futures.as_completed(waiting), 1):
            findings = one.result()
            if not findings:
                (CLEAN / wanted[waiting[one]]).touch()
            # A header's finding comes with every file that includes it.
            for finding in findings:
                if finding not in shown:
                    shown.add(finding)
                    print(finding, flush=True)
            if time.monotonic() - told > STEP_SECONDS:
                told = time.monotonic()
                print(f"    {count} of {len(wanted)} files in {told - started:.0f} s", flush=True)
    for old in CLEAN.iterdir():
        # Kept for a week, so that going back and forth between commits costs nothing.
        if old.name not in current and time.time() - old.stat().st_mtime > 7 * 86400:
            old.unlink()
    print(f"    {len(shown)} findings", flush=True)
    return 1 if shown else 0


if __name__ == "__main__":
    sys.exit(main())
