"""Where a leader's CPU time goes, and a follower's: flame graphs, and the share of our own code, of
gRPC and of the kernel. By `perf record`, which unwinds with the debug information that is there."""

import collections
import html
import re
import shutil
import subprocess
import time
import zlib

from asking import NONE, TOPIC_EXISTS, until
from at_rest import start
from nodes import ALL

PARTITIONS = 12
SAMPLES_PER_SECOND = 199
STACK_BYTES = 16384
OWNERS = ("own code", "gRPC", "kernel, called by own code", "kernel, called by gRPC",
          "kernel, its own work", "other libraries")
FRAME = re.compile(r"^\s*[0-9a-f]+ (.*) \((.*)\)$")


def stacks(data):
    """How often each stack was seen, outermost frame first; a frame is (function, library)."""
    text = subprocess.run(["perf", "script", "-i", str(data), "--no-inline", "-F", "ip,sym,dso"],
                          capture_output=True, text=True, errors="replace", check=True).stdout
    found = collections.Counter()
    for block in text.split("\n\n"):
        frames = [match.groups() for match in map(FRAME.match, block.splitlines()) if match]
        if frames:
            found[tuple((re.sub(r"\+0x[0-9a-f]+$", "", symbol), library.rsplit("/", 1)[-1])
                        for symbol, library in reversed(frames))] += 1
    return found


def _party(frame):
    symbol, library = frame
    if library.startswith(("[kernel", "[guest.kernel", "[")) or library.endswith(".ko"):
        return "kernel"
    if library.startswith(("libgrpc", "libgpr", "libupb", "libaddress_sorting")) or \
            "grpc" in symbol:
        return "gRPC"
    return "own code" if library == "moldau" else None


def owner(stack):
    """Who spent it: what libraries do is charged to who called them, the kernel's work told apart."""
    parties = [_party(frame) for frame in reversed(stack)]
    caller = next((party for party in parties if party in ("own code", "gRPC")), None)
    if parties[0] == "kernel":
        return f"kernel, called by {caller}" if caller else "kernel, its own work"
    return caller or "other libraries"


def shares(found):
    total = sum(found.values())
    out = dict.fromkeys(OWNERS, 0.0)
    for stack, count in found.items():
        out[owner(stack)] += count * 100 / total
    return out


def flame_graph(found, title):
    """As SVG: the wider a box, the more of the time; what it called stands on top of it."""
    width, row, least = 1200, 16, 0.001
    tree = {}
    for stack, count in found.items():
        level = tree
        for frame in stack:
            entry = level.setdefault(frame, [0, {}])
            entry[0] += count
            level = entry[1]
    total, boxes = sum(found.values()), []

    def place(level, left, depth):
        for frame, (count, inner) in sorted(level.items()):
            if count >= total * least:
                boxes.append((left, depth, count, frame))
                place(inner, left, depth + 1)
            left += count
    place(tree, 0, 0)
    height = (max((depth for _, depth, _, _ in boxes), default=0) + 3) * row
    colours = {"kernel": "#8fb3d9", "gRPC": "#f2b266", "own code": "#8fc98f", None: "#cccccc"}
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             'font-family="sans-serif" font-size="11">',
             f'<text x="4" y="{row - 3}">{html.escape(title)}: own code green, gRPC orange, kernel '
             'blue, other libraries grey</text>']
    for left, depth, count, frame in boxes:
        x, w = left * width / total, count * width / total
        y = height - (depth + 1) * row
        name = html.escape(frame[0])
        shade = 0.75 + zlib.crc32(name.encode()) % 25 / 100
        lines.append(f'<g><title>{name} ({html.escape(frame[1])}) {count * 100 / total:.1f} %'
                     f'</title><rect x="{x:.1f}" y="{y}" width="{w:.1f}" height="{row - 1}" '
                     f'fill="{colours[_party(frame)]}" fill-opacity="{shade:.2f}"/>')
        if w > 40:
            lines.append(f'<text x="{x + 2:.1f}" y="{y + row - 4}">'
                         f'{html.escape(frame[0][:int(w / 6.5)])}</text>')
        lines.append("</g>")
    return "\n".join([*lines, "</svg>"]) + "\n"


def measure(nodes, build, folder, seconds, progress):
    """One node leads all partitions of a topic and the others follow it, at full speed."""
    if not shutil.which("perf"):
        progress("profile: not measured: there is no perf (Debian: linux-perf)")
        return None
    start(nodes)
    client = nodes.client(0)
    until(lambda: client.create_led_by_first(
        "profile", PARTITIONS, ALL, [("write.caching", "true"), ("min.insync.replicas", "2")]) in (
            NONE, TOPIC_EXISTS), "the topic to profile")
    load = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", str(build / "moldau_load"), "produce", "-b",
         nodes.addresses(), "-t", "profile", "--seconds", str(seconds + 3), "--warmup", "0"],
        stdout=subprocess.PIPE)
    out = {"partitions": PARTITIONS}
    try:
        time.sleep(2)
        recorders = {name: subprocess.Popen(
            ["perf", "record", "-q", "-F", str(SAMPLES_PER_SECOND), "-e", "cpu-clock",
             "--call-graph", f"dwarf,{STACK_BYTES}", "-o", str(folder / f"{name}.perf"), "-p",
             str(nodes.pid(node)), "--", "sleep", str(seconds)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for name, node in (("leader", 0), ("follower", 1))}
        for recorder in recorders.values():
            recorder.wait(seconds + 60)
        load.communicate(timeout=60)
    finally:
        load.kill()
        load.wait()
    nodes.end()  # what follows takes CPU time
    for name in recorders:
        found = stacks(folder / f"{name}.perf")
        (folder / f"{name}.perf").unlink()
        if not found:
            raise RuntimeError(f"profile: no samples of the {name}")
        path = folder / f"flame-{name}.svg"
        path.write_text(flame_graph(found, f"Moldau, {name} of {PARTITIONS} partitions"),
                        encoding="utf-8")
        out[name] = {"samples": sum(found.values()), "shares": shares(found)}
        progress(f"{name}: " + ", ".join(f"{who} {share:.0f} %" for who, share in
                                         out[name]["shares"].items()) + f"; {path}")
    return out
