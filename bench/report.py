"""Turns the figures of bench/run.py into docs/benchmarks.md."""

import statistics

MOLDAU, KAFKA = "Moldau", "Apache Kafka"
CONTROLLERS = "## The controllers"  # of bench/controller.py
REPLICATION = "## Replication"  # of bench/cluster.py

# key, what it is, unit, whether more is better
FIGURES = {
    "produce_mb_s": ("produce, 1 KiB records, acks=all, one producer", "MB/s", True),
    "produce3_mb_s": ("the same, three producers", "MB/s", True),
    "small_records_s": ("produce, 100 B records, one producer", "records/s", True),
    "consume_mb_s": ("consume from the page cache", "MB/s", True),
    "cpu_s_gb": ("broker's CPU for one GB produced, one producer", "s/GB", False),
    "small_cpu_s": ("broker's CPU for a million such records of 100 B", "s", False),
    "consume_cpu_s_gb": ("broker's CPU for one GB consumed", "s/GB", False),
    "linger5_p50_ms": ("produce latency at 10 MB/s, linger 5 ms (the default), p50", "ms", False),
    "linger5_p99_ms": ("produce latency at 10 MB/s, linger 5 ms (the default), p99", "ms", False),
    "linger5_p99.9_ms": ("produce latency at 10 MB/s, linger 5 ms (the default), p99.9", "ms", False),
    "linger0_p50_ms": ("produce latency at 10 MB/s, no linger, p50", "ms", False),
    "linger0_p99_ms": ("produce latency at 10 MB/s, no linger, p99", "ms", False),
    "linger0_p99.9_ms": ("produce latency at 10 MB/s, no linger, p99.9", "ms", False),
    "start_s": ("start to first acknowledged message", "s", False),
    "memory_mb": ("memory after the run", "MB", False),
    "memory_peak_mb": ("most memory during the run", "MB", False),
}

TABLES = {
    "once": "Start and memory",
    "cached": "Acknowledged means in memory: `write.caching=true` against Kafka's default",
    "synced": "Acknowledged means on disk: Moldau's default against Kafka with `flush.messages=1`",
}


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(values):
    low, middle, high = min(values), statistics.median(values), max(values)
    if len(values) == 1:
        return number(middle)
    return f"{number(middle)} ({number(low)}–{number(high)})"


def ratios(rounds, table, key):
    """How many times better Moldau is, within each round."""
    out = []
    for one in rounds:
        ours, theirs = one[MOLDAU][table][key], one[KAFKA][table][key]
        out.append(ours / theirs if FIGURES[key][2] else theirs / ours)
    return out


def table_rows(rounds, table):
    for key, (what, unit, more) in FIGURES.items():
        if key not in rounds[0][MOLDAU][table]:
            continue
        ours = spread([one[MOLDAU][table][key] for one in rounds])
        theirs = spread([one[KAFKA][table][key] for one in rounds])
        better = "more" if more else "less"
        yield (f"| {what} | {unit}, {better} is better | {ours} | {theirs} | "
               f"{spread(ratios(rounds, table, key))}× |")


def markdown(result, command):
    machine, rounds = result["machine"], result["rounds"]
    versions = result["versions"]
    lines = [
        "# Benchmarks", "",
        f"Moldau {versions[MOLDAU]} and Apache Kafka {versions[KAFKA]} on the same machine, one at a "
        "time, in turns; the same clients (`moldau_load`, on librdkafka) for both. Each cell is the "
        "median, with the lowest and highest of the rounds in brackets. A ratio is taken within a "
        "round and says how many times better Moldau is: above 1 it is ahead, below 1 Kafka is.",
        "",
        f"- Machine: {machine['cores']} cores ({machine['cpu']}), {machine['memory_gb']} GB, "
        f"Linux {machine['kernel']}, TCP {machine['congestion_control']}. Client and broker share "
        "the cores.",
        "- Kafka: one node in KRaft mode, the JVM settings of its own start script "
        "(1 GB heap, G1). Topics have three partitions and one replica on both sides.",
        "- Latency is measured open loop: from when a record was due, not from when it was sent.",
        "- Where a client is what limits (its own CPU: 100 B records and consuming, on two cores; its "
        "linger: latency), the rows of the broker's CPU say what the broker itself costs.",
        f"- Rounds: {len(rounds)}{', shortened (--quick): a look, not a measurement' if result['quick'] else ''}.",
        "",
        f"    {command}", ""]
    for table, title in TABLES.items():
        lines += [f"## {title}", "", f"| What | Unit | {MOLDAU} | {KAFKA} | Ratio |",
                  "|---|---|---|---|---|", *table_rows(rounds, table), ""]
    return "\n".join(lines)


STREAMS = "## Streams between brokers"  # written by hand
# Of docs/benchmarks.md, in their order; the first has no name.
PARTS = (CONTROLLERS, REPLICATION, STREAMS)


def _parts(text):
    """Who wrote what: each part, from its heading on."""
    found, heading = {"": []}, ""
    for line in text.splitlines():
        if line in PARTS:
            heading = line
            found[heading] = []
        found[heading].append(line)
    return {one: "\n".join(lines).strip() for one, lines in found.items()}


def with_part(text, heading, part):
    """docs/benchmarks.md with this part in the place of the one before; the others stay."""
    parts = _parts(text) | {heading: part.strip()}
    return "\n\n".join(parts[one] for one in ("", *PARTS) if one in parts) + "\n"
