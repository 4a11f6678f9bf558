"""Turns the figures of bench/controller.py into a table, and into its part of docs/benchmarks.md."""

import statistics

from report import CONTROLLERS, KAFKA, MOLDAU, number

# part, key, what it is, unit, what Moldau aims at (the most that is right)
FIGURES = [
    ("controller_killed", "p50_ms", "controller killed (-9) → a topic made, p50", "ms", None),
    ("controller_killed", "p99_ms", "the same, p99", "ms", 1000),
    ("controller_killed", "max_ms", "the same, longest", "ms", None),
    ("controller_killed", "fenced", "other brokers fenced because of it", "", 0),
    ("broker_killed", "p50_ms",
     "broker killed (-9) → fenced and its partitions led by others, on every survivor, p50", "ms",
     None),
    ("broker_killed", "p99_ms", "the same, p99", "ms", 300),
    ("broker_killed", "max_ms", "the same, longest", "ms", None),
    ("broker_paused", "p50_ms", "broker paused (SIGSTOP) → the same, p50", "ms", None),
    ("broker_paused", "max_ms", "the same, longest", "ms", 3500),
    ("many", "create_s", "10,000 partitions of three replicas made", "s", 10),
    ("many", "create_everywhere_s", "the same, until every node shows them all", "s", None),
    ("many", "reelected_ms", "a broker killed that leads a third of them → all led by others", "ms",
     500),
    ("many", "back_s", "it is started again → in service", "s", None),
    ("many", "stop_s", "all three stopped cleanly", "s", None),
    ("many", "restart_s", "all three started again → all 10,000 led, on every node", "s", 10),
    ("many", "memory_kib_per_partition",
     "memory for each partition, replicas' logs and all, on the node with the most", "KiB", None),
    ("image", "kib_per_partition", "the image of the metadata alone, for each partition", "KiB", 1),
    ("rest", "start_s", "three nodes started → the first topic acknowledged", "s", 1),
    ("rest", "idle_cpu_percent", "three idle nodes, together", "% of a core", 1),
    ("rest", "idle_memory_mb", "memory of the largest idle node", "MB", 67),
    ("load", "fenced", "brokers fenced at full CPU load on both cores", "", 0),
    ("load", "controller_changes", "changes of the controller meanwhile", "", None),
]


def percentiles(values):
    """The 99th of 50 is the second longest: the smallest that 99 % are not above is the longest."""
    ordered = sorted(values)
    rank = max(0, -(-99 * len(ordered) // 100) - 1)
    return {"rounds": len(ordered), "p50_ms": statistics.median(ordered), "p99_ms": ordered[rank],
            "max_ms": ordered[-1], "all_ms": [round(v, 1) for v in values]}


def cell(value):
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else number(value)


def found(result, side, part, key):
    return result["figures"].get(side, {}).get(part, {}).get(key)


def rows(result):
    for part, key, what, unit, most in FIGURES:
        ours, theirs = (found(result, side, part, key) for side in (MOLDAU, KAFKA))
        if ours is None and theirs is None:
            continue
        aim = "" if most is None else str(most) if most == 0 else f"≤ {most:,}"
        if most is not None and ours is not None and ours > most:
            aim += ", **missed**"
        yield f"| {what} | {unit} | {aim} | {cell(ours)} | {cell(theirs)} |"


def missed(result):
    """Each figure that is above what it aims at, as a line of a list."""
    for part, key, what, unit, most in FIGURES:
        ours = found(result, MOLDAU, part, key)
        if most is not None and ours is not None and ours > most:
            yield f"- {part.replace('_', ' ')}, {what}: {cell(ours)} {unit}, where {most:,} is the aim."


def rounds_text(result, side):
    """What was done how often."""
    parts = result["figures"].get(side, {})
    told = [f"{parts[part]['rounds']} {name}" for part, name in
            [("controller_killed", "controllers killed"), ("broker_killed", "brokers killed"),
             ("broker_paused", "brokers paused")] if part in parts]
    return f"{side}: {', '.join(told)}" if told else f"{side}: none killed"


def table(result):
    versions = result["versions"]
    heads = [f"{side} {versions[side]}" if side in versions else side for side in (MOLDAU, KAFKA)]
    return "\n".join([f"| What | Unit | Aim | {heads[0]} | {heads[1]} |", "|---|---|---|---|---|",
                      *rows(result)])


def load_text(minutes):
    if minutes:
        yield ("- At full load two busy loops and a producer of 20 MB/s take both cores for "
               f"{minutes:g} minutes.")


def section(result, command):
    """The part of docs/benchmarks.md, from its heading to the end of the file."""
    machine = result["machine"]
    lines = [
        CONTROLLERS, "",
        "Three combined nodes (broker and controller) on one machine, one side after the other, with "
        "the defaults of each: a session of 3 s here, of 9 s there. The questions are the same raw "
        "requests of Kafka's protocol, over one connection to each survivor, a millisecond apart. Raw "
        "figures: [benchmarks-controller.json](benchmarks-controller.json).", "",
        f"- Machine: {machine['cores']} cores ({machine['cpu']}), {machine['memory_gb']} GB, Linux "
        f"{machine['kernel']}. The nodes and who asks them share the cores.",
        *[f"- {rounds_text(result, side)}." for side in result["figures"]],
        "- A killed controller's time ends when a survivor answers CreateTopics without an error; the "
        "survivors are watched for one session longer. A lost broker's time ends when both survivors "
        "show it out of service and a topic of 30 partitions and three replicas led by others.",
        "- The partitions are made by ten requests of 1,000 each, sent at once. Directories are "
        "formatted for Apache Kafka before its start is timed; Moldau founds its cluster in that time.",
        *load_text(found(result, MOLDAU, "load", "load_minutes")),
        *[f"- {note}" for note in result["notes"]],
        "", f"    {command}", "", table(result), ""]
    misses = list(missed(result))
    lines += ["What misses its aim:", "", *misses] if misses else ["Nothing misses its aim."]
    return "\n".join(lines) + "\n"
