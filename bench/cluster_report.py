"""Turns the figures of bench/cluster.py into tables, and into its part of docs/benchmarks.md."""

import statistics

from report import KAFKA, MOLDAU, REPLICATION, number, spread

TABLES = {
    "cached": "Acknowledged means in the memory of all replicas: `write.caching=true` against "
              "Kafka's default",
    "synced": "Acknowledged means on the disks of all replicas: Moldau's default against Kafka with "
              "`flush.messages=1`",
    "once": "After all of it",
}
# key, what it is, unit, whether more is better, how many times better than Kafka is right
LOADS = [
    ("produce1_mb_s", "produce, 1 KiB records, 12 partitions, one producer", "MB/s", True, 2),
    ("produce3_mb_s", "the same, three producers", "MB/s", True, 2),
    ("cpu1_s_gb", "CPU of all three for one GB produced, one producer", "s/GB", False, None),
    *((f"{mode}_linger{linger}_{name}_ms",
       f"{what} at 5 MB/s, {'no linger' if linger == 0 else 'linger 5 ms (the default)'}, {name}",
       "ms", False, None if name == "p50" or (mode, name) == ("endtoend", "p99.9") else 5)
      for linger in (5, 0)
      for mode, what in (("produce", "produce latency"), ("endtoend", "producer to consumer"))
      for name in ("p50", "p99", "p99.9")),
    ("memory_mb", "memory of the three brokers", "MB", False, 10),
    ("cpu_s", "CPU seconds of the three brokers, for all of it", "s", False, None),
]
PIPELINE_SHARE = 0.6
# part, what is done, the most that p99 may take, in ms, and client errors
GAPS = [
    ("killed", "a leader killed (-9)", 1000, None),
    ("paused", "a leader paused for 10 s (SIGSTOP)", 4500, None),
    ("cut", "two brokers cut off from each other", 5000, None),
    ("stopped", "a broker stopped cleanly", 250, 0),
    ("rolled", "all three restarted, one after the other", 250, 0),
]


def _values(rounds, side, table, key):
    return [one[side][table][key] for one in rounds if key in one.get(side, {}).get(table, {})]


def _ratios(rounds, table, key, more):
    """How many times better Moldau is, within each round."""
    both = [(one[MOLDAU][table][key], one[KAFKA][table][key]) for one in rounds
            if all(key in one.get(side, {}).get(table, {}) for side in (MOLDAU, KAFKA))]
    return [ours / theirs if more else theirs / ours for ours, theirs in both]


def _shares(rounds, table, key):
    """Of what the bare pipeline copies."""
    return [one[MOLDAU][table][key] / one["pipeline"][table]["produce_mb_s"] for one in rounds
            if key in one.get(MOLDAU, {}).get(table, {}) and "pipeline" in one]


def _aim(text, values, least):
    if least is None:
        return "", False
    failed = bool(values) and statistics.median(values) < least
    return f"{text}{', **missed**' if failed else ''}", failed


def _load_rows(rounds, table):
    """(the row, what it misses or None)"""
    for key, what, unit, more, least in LOADS:
        ours, theirs = (_values(rounds, side, table, key) for side in (MOLDAU, KAFKA))
        if not ours and not theirs:
            continue
        ratios = _ratios(rounds, table, key, more)
        aim, failed = _aim(f"≥ {least}×", ratios, least)
        ratio = f"{spread(ratios)}×" if ratios else "–"
        yield (f"| {what} | {unit}, {'more' if more else 'less'} is better | {aim} | "
               f"{spread(ours) if ours else '–'} | {spread(theirs) if theirs else '–'} | {ratio} |",
               f"{table}, {what}: {ratio} of Kafka's, where {least}× is the aim" if failed else None)
        if key.startswith("produce") and key.endswith("mb_s"):
            shares = _shares(rounds, table, key)
            if shares:
                aim, failed = _aim(f"≥ {PIPELINE_SHARE:.0%}", shares, PIPELINE_SHARE)
                bare = _values(rounds, "pipeline", table, "produce_mb_s")
                text = "–".join(f"{value:.0%}" for value in sorted({min(shares), max(shares)}))
                middle = f"{statistics.median(shares):.0%}"
                yield (f"| its share of the bare pipeline, which copies {spread(bare)} MB/s | | "
                       f"{aim} | {middle} ({text}) | | |",
                       f"{table}, {what}: {middle} of the bare pipeline, where "
                       f"{PIPELINE_SHARE:.0%} is the aim" if failed else None)


def _gap_cells(found, prefix=""):
    if not found or f"{prefix}p99_ms" not in found:
        return "– | –"
    return (f"{number(found[prefix + 'p50_ms'])} / {number(found[prefix + 'p99_ms'])} / "
            f"{number(found[prefix + 'max_ms'])} | {found['errors']} of {found['records']:,}")


def _gap_rows(gaps):
    for part, what, most_ms, most_errors in GAPS:
        ours, theirs = (gaps.get(side, {}).get(part) for side in (MOLDAU, KAFKA))
        if not ours and not theirs:
            continue
        misses = []
        if ours and ours["p99_ms"] > most_ms:
            misses.append(f"p99 {number(ours['p99_ms'])} ms, where {most_ms:,} ms is the aim")
        if ours and most_errors is not None and ours["errors"] > most_errors:
            misses.append(f"{ours['errors']} client errors, where none is the aim")
        if ours and ours["not_recovered"]:
            misses.append(f"{ours['not_recovered']} of {ours['rounds']} rounds did not recover")
        aim = f"p99 ≤ {most_ms:,}{', no errors' if most_errors == 0 else ''}"
        yield (f"| {what} | {aim}{', **missed**' if misses else ''} | {_gap_cells(ours)} | "
               f"{_gap_cells(theirs)} |", f"{what}: {'; '.join(misses)}" if misses else None)
        for prefix, label in (("refreshing_", "the same, by a client that refreshes its metadata "
                               "each second"), ("return_", "on the return to normal, all partitions")):
            if any(one and f"{prefix}p99_ms" in one for one in (ours, theirs)):
                cells = (_gap_cells(one, prefix).rsplit(" | ", 1)[0] for one in (ours, theirs))
                yield f"| {label} | | {' | | '.join(cells)} | |", None


def _all_rows(result):
    for table, title in TABLES.items():
        rows = list(_load_rows(result["rounds"], table))
        if rows:
            yield (f"### {title}\n\n| What | Unit | Aim | {MOLDAU} | {KAFKA} | Ratio |\n"
                   "|---|---|---|---|---|---|", None)
            yield from rows
            yield "", None
    rows = list(_gap_rows(result["gaps"]))
    if rows:
        yield ("### The longest time without an acknowledgement\n\n"
               f"In ms, p50 / p99 / longest, of the partitions that were struck.\n\n"
               f"| What | Aim | {MOLDAU} | errors | {KAFKA} | errors |\n|---|---|---|---|---|---|",
               None)
        yield from rows
        yield "", None


def _profile_lines(profile):
    if not profile:
        return
    roles = [role for role in ("leader", "follower") if role in profile]
    yield from ["### Where the CPU time goes", "",
                f"One node leads {profile['partitions']} partitions and two follow it, at full speed, "
                "`write.caching=true`; shares of a node's own samples.", "",
                f"| | {' | '.join(roles)} |", f"|---{'|---' * len(roles)}|"]
    for who in profile[roles[0]]["shares"]:
        cells = " | ".join(f"{profile[role]['shares'][who]:.0f} %" for role in roles)
        yield f"| {who} | {cells} |"
    yield ""


def table(result):
    return "\n".join([*(row for row, _ in _all_rows(result)),
                      *_profile_lines(result.get("profile"))])


def missed(result):
    """What misses its aim, as lines of a list; or that nothing does."""
    misses = [f"- {why}." for _, why in _all_rows(result) if why]
    return ["What misses its aim:", "", *misses] if misses else ["Nothing misses its aim."]


def _times(gaps, side):
    done = [f"{found['rounds']} {part}" for part, found in gaps.get(side, {}).items()]
    return f"- {side}, rounds: {', '.join(done)}." if done else ""


def section(result, command):
    """The part of docs/benchmarks.md."""
    machine, rounds = result["machine"], result["rounds"]
    quick = ", shortened (--quick): a look, not a measurement" if result["quick"] else ""
    versions = " and ".join(f"{side} {version}" for side, version in result["versions"].items())
    lines = [
        REPLICATION, "",
        f"{versions}: three combined nodes on one machine, three replicas of each partition, "
        "`min.insync.replicas=2`, acks=all; the same clients (`moldau_load`, on librdkafka) for both. "
        "A cell is the median, with the lowest and highest of the rounds in brackets; a ratio is "
        "taken within a round and says how many times better Moldau is. Raw figures: "
        "[benchmarks-cluster.json](benchmarks-cluster.json).", "",
        f"- Machine: {machine['cores']} cores ({machine['cpu']}), {machine['memory_gb']} GB, Linux "
        f"{machine['kernel']}. The three nodes and the client share the cores and the disk.",
        f"- Rounds of the load: {len(rounds)}{quick}.",
        *filter(None, (_times(result["gaps"], side) for side in (MOLDAU, KAFKA))),
        "- The bare pipeline (`moldau_pipeline`) is a sender, a leader and two followers on plain "
        "sockets, each with its file: 1 MiB chunks, 16 on their way; with fdatasync where Moldau "
        "syncs.",
        "- Latency is measured open loop: from when a record was due, not from when it was sent.",
        "- Gaps are seen by one librdkafka client with all its defaults that sends 200 records a "
        "second to each of 12 partitions: the longest time between two acknowledgements of a "
        "partition. Struck are the partitions that the lost broker led; of a cut, those that either "
        "of the two led; of a rolling restart, all. A gap below 20 ms counts as 20 ms.",
        "- A paused leader neither answers nor closes its connections, so a client of librdkafka asks "
        "for no other leader before its next refresh, five minutes by default: its row of defaults "
        "shows the client's patience, the row below the cluster's part.",
        "- Links are cut by dropping packets between two network namespaces, on both sides.",
        *[f"- {note}" for note in result["notes"]],
        "", f"    {command}", "", table(result), *missed(result)]
    lines += [f"- Not measured: {what}: {why}" for what, why in result["failed"].items()]
    return "\n".join(lines) + "\n"
