#!/usr/bin/env python3
"""Checks every #include against the layers, and that the pure cores are pure.

    layering.py [ROOT]     prints one line a violation, file:line: what; exit code 1 if there is one
"""

import pathlib
import re
import sys

# Who may include whom: the lowest first; a folder may include what is in any line above its own.
# Folders on one line don't know each other.
LAYERS = [
    ("base", "proto"),
    ("io", "kafka", "metadata"),
    ("storage", "client"),
    ("controller", "replication"),
    ("groups",),
    ("broker", "lab"),
    ("cli",),
]
# Beside the layers: these may include anything, and nothing includes them.
OUTSIDE = ("bench", "examples", "tests")

# Code that knows no clock, disk, network, thread or randomness of its own: events and time come
# in, effects go out. That is what makes it simulable. Patterns are paths without the ending.
PURE = [
    r"controller/(topics|brokers|partitions|elections\w*|placement|configs|producer_ids|features)",
    r"controller/(liveness|reassignments|names|decision|entry|controller)",
    r"controller/raft/\w+",
    r"controller/quorum/(roster|send_queue|wire)",
    r"controller/rpc/wire",
    r"controller/wire/\w+",
    r"replication/replica\w*",
    r"replication/streams/(outbox|throttle|wire)",
    r"replication/replica/\w+",
    r"groups/(groups?|join|sync|rebalance|commits|describe|effects|members?|offsets|transactions)",
    r"metadata/\w+",
    r"storage/retention",
    r"lab/(checker|finals|group_checks|history|reads|replica_checks|sends|trace)",
]
IMPURE = [
    (re.compile(r"#include <(thread|mutex|shared_mutex|condition_variable|random|chrono|fstream)>"),
     "includes <{}>"),
    (re.compile(r'#include "(absl/(?:time/clock|random|synchronization)[^"]*)"'), "includes {}"),
    (re.compile(r"((?:::|\b)(?:now|Now)\(\))"), "reads a clock: {}"),
    (re.compile(r"\b(random_device|BitGen|mt19937\w*)\b"), "draws randomness: {}"),
]
# A library that is heavy to compile stays out of headers, and with those whose work it does.
GRPC = re.compile(r'#\s*include [<"](grpc(?:pp)?/[^>"]*|[^>"]*\.grpc\.pb\.h)[>"]')
GRPC_IN = re.compile(
    r"(broker/rpc|controller/(quorum|rpc)|io/transport|replication/streams)/\w+\.cc")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
UNORDERED = re.compile(
    r"\b(?:std::unordered_(?:multi)?(?:map|set)|absl::(?:flat|node)_hash_(?:map|set))\s*<")
RANGE_FOR = re.compile(r"\bfor\s*\((?:[^;()]|\([^()]*\))*?:\s*([^;{}]+?)\)\s*(?:\{|\w|\*)")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def layer_of(folder):
    for level, folders in enumerate(LAYERS):
        if folder in folders:
            return level
    return None


def sources(root):
    known = [folder for folders in LAYERS for folder in folders] + list(OUTSIDE)
    for folder in known:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".h", ".cc"):
                yield folder, path


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def include_violations(folder, text):
    if folder in OUTSIDE:
        return
    for match in INCLUDE.finditer(text):
        target = match.group(1).split("/")[0]
        level = layer_of(target)
        if target == folder or "/" not in match.group(1):
            continue
        if target in OUTSIDE:
            yield match.start(), f"{folder} includes {match.group(1)}, which nothing may include"
        elif level is not None and level >= layer_of(folder):
            yield match.start(), f"{folder} includes {match.group(1)}, which is not below it"


def library_violations(folder, relative, text):
    if folder in OUTSIDE or GRPC_IN.fullmatch(relative):
        return
    for match in GRPC.finditer(text):
        yield match.start(), f"includes {match.group(1)}, which only {GRPC_IN.pattern} may"


def without_comments(text):
    return COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)


def declared_after(text, position):
    """The name that a declaration of the template type at position gives to its variable."""
    depth = 0
    for i in range(position, len(text)):
        if text[i] == "<":
            depth += 1
        elif text[i] == ">":
            depth -= 1
            if depth == 0:
                name = re.match(r"[\s&*]*(\w+)", text[i + 1:])
                return name.group(1) if name else None
    return None


def unordered_names(text):
    """Variables, members and functions of an unordered type, or of an alias of one."""
    names = set()
    for match in UNORDERED.finditer(text):
        alias = re.search(r"using\s+(\w+)\s*=\s*$", text[:match.start()])
        if alias:
            names |= set(re.findall(rf"\b{alias.group(1)}\b[\s&*]+(\w+)", text))
        else:
            names.add(declared_after(text, match.end() - 1))
    return names - {None}


def purity_violations(text, headers):
    code = without_comments(text)
    for pattern, said in IMPURE:
        for match in pattern.finditer(code):
            yield match.start(), said.format(match.group(1))
    # Their order differs between runs and machines, so what depends on it can't be replayed.
    names = unordered_names(code) | unordered_names(without_comments(headers))
    for match in RANGE_FOR.finditer(code):
        last = re.search(r"(\w+)\s*(?:\(\s*\))?\s*$", match.group(1))
        if last and last.group(1) in names:
            yield match.start(), f"iterates over an unordered container: {match.group(1).strip()}"


def is_pure(relative):
    stem = relative.rsplit(".", 1)[0]
    if stem.endswith(("_test", "_sim", "_bench")):
        return False
    return any(re.fullmatch(pattern, stem) for pattern in PURE)


def included_text(root, text):
    """Our own headers that text includes: they declare the members that it may iterate over."""
    paths = [root / match.group(1) for match in INCLUDE.finditer(text)]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths if path.is_file())


def violations(root):
    for folder, path in sources(root):
        text = path.read_text(encoding="utf-8")
        relative = path.relative_to(root).as_posix()
        found = list(include_violations(folder, text))
        found += library_violations(folder, relative, text)
        if is_pure(relative):
            found += purity_violations(text, included_text(root, text))
        for position, said in sorted(found):
            yield f"{relative}:{line_of(text, position)}: {said}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    root = root if root.is_dir() else root.parents[1]
    found = list(violations(root))
    print("\n".join(found) if found else "every include and every pure core is in order")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
