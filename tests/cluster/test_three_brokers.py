"""Three brokers that are one cluster: what any of them tells of it, and what it survives."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest
from conftest import (BINARY, ERROR, OK, PATIENCE_SECONDS, TIMEOUT, USAGE, environment, free_port,
                      moldau, wait_until)

ALL = [0, 1, 2]


def health(cluster, to=0):
    """What `cluster status` tells, healthy or not; nothing if that broker can't be asked."""
    answer = cluster.run("cluster", "status", "-o", "json", "--timeout", 5, to=to)
    return answer.json if answer.out else None


def wait_until_healthy(cluster):
    for broker in ALL:
        wait_until(lambda b=broker: (health(cluster, b) or {}).get("healthy"),
                   f"broker {broker} sees a healthy cluster")


def leader(cluster, to=0):
    """The active controller and its epoch, as one broker knows them; nothing if it knows none."""
    answer = cluster.run("controller", "status", "-o", "json", "--timeout", 5, to=to)
    if answer.code != OK or answer.json["leader"] < 0:
        return None
    return answer.json["leader"], answer.json["epoch"]


def others(broker):
    return [b for b in ALL if b != broker]


def states(cluster, to=0):
    return {b["broker"]: b["state"] for b in cluster("broker", "list", "-o", "json", to=to).json}


def test_nodes_that_move_are_found_again(three):
    """All of them at once; then one whose new address only it knows."""
    three.start()
    three("topic", "create", "kept")
    three.local("stop")
    before = three.port
    three.port = free_port(6) + 3
    three.start()
    wait_until_healthy(three)
    assert [t["topic"] for t in three("topic", "list", "-o", "json").json] == ["kept"]

    three.local("kill", 2)
    launch = three.folder / "broker-2" / "launch.json"
    settings = json.loads(launch.read_text(encoding="utf-8"))
    settings["controller_port"] = before + 10_000
    launch.write_text(json.dumps(settings), encoding="utf-8")
    three.local("start", 2)
    wait_until_healthy(three)
    for broker in ALL:
        three("topic", "create", f"by-{broker}", to=broker)


@pytest.fixture
def mere_broker(three, tmp_path):
    """Starts node 7, which is no controller, in that cluster."""
    started = []

    def start():
        port = free_port(4) + 3
        voters = ",".join(f"{b}@127.0.0.1:{three.port + b + 10_000}" for b in ALL)
        properties = tmp_path / "server.properties"
        properties.write_text(f"""node.id=7
process.roles=broker
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{port + 10_000}
controller.quorum.voters={voters}
log.dirs={tmp_path}/node-7
""", encoding="utf-8")
        with open(tmp_path / "node-7.log", "wb") as log:
            started.append(subprocess.Popen([BINARY, "serve", "--config", properties],
                                            stdout=log, stderr=log, env=environment()))
    yield start
    for process in started:
        process.terminate()
        process.wait()


def test_a_mere_broker_that_is_unregistered_and_runs_on_comes_back(three, mere_broker):
    three.start()
    mere_broker()
    wait_until(lambda: states(three).get(7) == "active", "it serves")
    assert "is not a controller" in three("controller", "add", 7, code=ERROR).err
    three("broker", "unregister", 7)
    wait_until(lambda: states(three).get(7) != "active", "it is out of service")
    wait_until(lambda: states(three).get(7) == "active", "it serves again")
    members = three("controller", "status", "-o", "json").json["members"]
    assert {m["node"]: m["role"] for m in members}[7] == "observer"


def test_every_broker_tells_of_the_whole_cluster(three):
    started = three.start()
    assert started.out.startswith("ready\n")
    assert ",".join(three.address(b) for b in ALL) in started.out
    controllers = set()
    for broker in ALL:
        assert states(three, broker) == {0: "active", 1: "active", 2: "active"}
        status = health(three, broker)
        assert status["healthy"] and status["active"] == status["brokers"] == 3
        controllers.add((status["controller"], status["epoch"]))
        assert "HEALTHY  3/3 brokers  controller b" in three("cluster", "status", to=broker).out
    assert len(controllers) == 1
    (controller, epoch), = controllers
    quorum = three("controller", "status", "-o", "json", to=1).json
    assert (quorum["leader"], quorum["epoch"]) == (controller, epoch)
    assert [m["node"] for m in quorum["members"]] == ALL
    assert sorted(m["role"] for m in quorum["members"]) == ["leader", "voter", "voter"]
    assert f"leader {controller}  epoch {epoch}" in three("controller", "status").out
    rows = three.status()
    assert [row["controller"] for row in rows] == [b == controller for b in ALL]
    assert len({row["pid"] for row in rows}) == 3


def test_topics_are_made_and_seen_through_any_broker(three):
    three.start()
    for broker in ALL:
        three("topic", "create", f"by-{broker}", "-p", 6, to=broker)
    for broker in ALL:
        for topic in ALL:
            described = three("topic", "describe", f"by-{topic}", "-o", "json", to=broker).json
            leaders = {p["leader"] for p in described[0]["partitions"]}
            assert leaders == {0, 1, 2}, "leaders are spread over the brokers"
    three.produce("by-1", [str(i) for i in range(100)])
    assert sorted(three.consume("by-1"), key=int) == [str(i) for i in range(100)]
    three("topic", "delete", "by-1", to=2)
    wait_until(lambda: "by-1" not in three("topic", "list", to=0).out, "the topic is gone")


def test_the_cluster_outlives_its_controller(three):
    three.start()
    three("topic", "create", "kept")
    for turn in range(3):
        first, epoch = leader(three)
        three.local("kill", first)
        asked = others(first)[0]
        now = wait_until(lambda a=asked, f=first: (l := leader(three, a)) and l[0] != f and l,
                         "a new controller")
        assert now[1] > epoch
        wait_until(lambda a=asked, f=first: states(three, a)[f] == "fenced", "it is fenced")
        told = three("cluster", "status", to=asked, code=ERROR)
        assert "DEGRADED  2/3 brokers" in told.out
        assert f"broker {first} is out of service" in told.err
        three("topic", "create", f"without-{turn}", to=asked)
        three.local("start", first)
        wait_until_healthy(three)
    topics = {"kept", "without-0", "without-1", "without-2"}
    for broker in ALL:
        assert {t["topic"] for t in three("topic", "list", "-o", "json", to=broker).json} >= topics


def test_a_paused_broker_is_fenced_until_it_goes_on(three):
    three.start()
    paused = others(leader(three)[0])[0]
    asked = others(paused)[0]
    three.local("pause", paused)
    wait_until(lambda: states(three, asked)[paused] == "fenced", "it is fenced")
    # The first of several brokers does not answer, the next one does.
    both = f"{three.address(paused)},{three.address(asked)}"
    assert three.run("topic", "list", "-b", both).code == OK
    three.local("resume", paused)
    wait_until_healthy(three)


def test_a_controller_that_is_cut_off_is_followed(three):
    three.start()
    first, epoch = leader(three)
    one, other = others(first)
    three.local("cut", first, one)
    three.local("cut", other, first)
    now = wait_until(lambda: (l := leader(three, one)) and l[0] != first and l, "a new controller")
    assert now[1] > epoch
    wait_until(lambda: states(three, one)[first] == "fenced", "who is cut off is fenced")
    assert [row["cut_from"] for row in three.status()][first] == [one, other]
    three("topic", "create", "meanwhile", to=one)
    three.local("heal")
    wait_until_healthy(three)
    assert leader(three, first)[1] >= now[1]
    assert "meanwhile" in three("topic", "list", to=first).out


def test_without_a_majority_a_broker_waits(three):
    three.start()
    three("topic", "create", "kept")
    for broker in ALL:
        three.local("kill", broker)
    assert "it serves once 2 of the 3 run" in three.local("start", 1).out
    assert "broker 2 serves on" in three.local("start", 2).out
    three.local("start", 0)
    wait_until_healthy(three)
    assert "kept" in three("topic", "list", to=1).out


def test_a_restart_keeps_topics_and_ports(three):
    three.start()
    three("topic", "create", "kept", "-p", 5)
    ids = three("cluster", "status", "-o", "json").json["cluster"]
    three.local("stop")
    assert {row["state"] for row in three.status()} == {"stopped"}
    three.local("start", "--detach")
    wait_until_healthy(three)
    assert three("cluster", "status", "-o", "json").json["cluster"] == ids
    described = three("topic", "describe", "kept", "-o", "json", to=2).json
    assert len(described[0]["partitions"]) == 5
    three.local("restart", 1)
    wait_until_healthy(three)


def test_a_broker_that_is_gone_can_be_forgotten(three):
    three.start()
    gone = others(leader(three)[0])[0]
    asked = others(gone)[0]
    three.local("kill", gone)
    wait_until(lambda: states(three, asked)[gone] == "fenced", "it is fenced")
    assert three("broker", "unregister", gone, to=asked).out == f"unregistered broker {gone}\n"
    wait_until(lambda: gone not in states(three, asked), "it is forgotten")
    assert "can't unregister broker 9" in three("broker", "unregister", 9, to=asked,
                                                code=ERROR).err
    three.local("start", gone)
    wait_until_healthy(three)
    assert states(three, gone)[gone] == "active"


def test_a_topic_with_more_replicas_than_can_be_in_sync(three):
    """What an operator is told of a broker that will not come back: which topics miss it."""
    three.start()
    three("topic", "create", "wide", "-r", 3, "-c", "min.insync.replicas=3")
    three("topic", "create", "narrow", "-r", 1)
    three("topic", "create", "asks-for-more-than-it-has", "-p", 3, "-r", 1,
          "-c", "min.insync.replicas=2")
    assert "HEALTHY" in three("cluster", "status").out
    gone = others(leader(three)[0])[0]
    asked = others(gone)[0]
    three.local("kill", gone)
    wait_until(lambda: states(three, asked)[gone] == "fenced", "it is fenced")
    three("broker", "unregister", gone, to=asked)
    wait_until(lambda: gone not in states(three, asked), "it is forgotten")
    for topic in ("narrow", "asks-for-more-than-it-has"):
        three("topic", "delete", topic, to=asked)
    wait_until(lambda: health(three, asked)["degraded_topics"] == ["wide"], "the others are gone")
    told = three("cluster", "status", to=asked, code=ERROR)
    assert "DEGRADED  2/2 brokers" in told.out
    assert "under-min-isr 1  under-replicated 1" in told.out
    assert "1 partition has too few replicas in sync for acks=all" in told.err
    assert "moldau topic describe wide" in told.err
    three("topic", "alter", "wide", "--set", "min.insync.replicas=1", to=asked)
    told = three("cluster", "status", to=asked, code=ERROR)
    assert "1 partition has a replica that is not in sync" in told.err
    described = three("cluster", "status", "-o", "json", to=asked, code=ERROR).json
    assert not described["healthy"] and described["under_replicated"] == 1
    assert described["under_min_isr"] == 0 and described["fenced"] == []


def test_controllers_leave_and_come_back(three):
    three.start()
    leaving = others(leader(three)[0])[0]
    assert three("controller", "remove", leaving).out == f"removed controller {leaving}\n"

    def role():
        members = three("controller", "status", "-o", "json").json["members"]
        return {m["node"]: m["role"] for m in members}.get(leaving)
    wait_until(lambda: role() == "observer", "it follows only")
    assert "no controller" in three("controller", "remove", leaving, code=ERROR).err
    three("topic", "create", "meanwhile")
    assert three("controller", "add", leaving).out == f"added controller {leaving}\n"
    wait_until(lambda: role() == "voter", "it votes again")
    assert "already" in three("controller", "add", leaving, code=ERROR).err
    assert "does not follow" in three("controller", "add", 7, code=ERROR).err


def test_leadership_of_the_controllers_is_handed_over_and_back(three):
    three.start()
    first, epoch = leader(three)
    already = three("controller", "transfer", first)
    assert already.out == f"controller {first} leads already (epoch {epoch})\n"
    for to in (others(first)[0], first):
        done = three("controller", "transfer", to, "-o", "json", to=others(to)[1]).json
        assert done["leader"] == to and done["transferred"] and done["epoch"] > epoch
        epoch = done["epoch"]
        for broker in ALL:
            wait_until(lambda b=broker, t=to, e=epoch: leader(three, b) == (t, e),
                       f"broker {broker} knows")
        three("topic", "create", f"under-{to}", to=others(to)[0])
    to = others(first)[1]
    assert three("controller", "transfer", to).out == f"controller {to} leads (epoch {epoch + 1})\n"


def test_leadership_of_the_controllers_goes_to_controllers_that_keep_up(three):
    three.start()
    first, _ = leader(three)
    one, other = others(first)
    unknown = three("controller", "transfer", 7, code=ERROR)
    assert "node 7 is no controller" in unknown.err and "controller status" in unknown.err
    assert "'-1' is not a whole number" in three("controller", "transfer", -1, code=USAGE).err
    three.local("kill", one)
    lagging = wait_until(lambda: (a := three.run("controller", "transfer", one, "--timeout", 5,
                                                 to=first)).code == ERROR and a, "it lags")
    assert f"controller {first} does not hand over to node {one}" in lagging.err
    assert "lags too far behind" in lagging.err
    assert leader(three, first)[0] == first
    three.local("start", one)
    wait_until_healthy(three)
    three("controller", "remove", other, to=first)
    assert f"node {other} is no controller" in three("controller", "transfer", other,
                                                     to=first, code=ERROR).err


def test_leadership_is_not_handed_over_without_a_majority(three):
    three.start()
    first, _ = leader(three)
    one, other = others(first)
    three.local("kill", first)
    three.local("kill", one)
    late = three("controller", "transfer", other, "--timeout", 3, to=other, code=TIMEOUT)
    assert "no controller leads" in late.err or f"{three.address(other)} does not answer" in late.err


def test_a_controller_that_stops_hands_over(three):
    three.start()
    for _ in range(3):
        first, epoch = leader(three)
        os.kill(three.broker(first)["pid"], signal.SIGTERM)
        wait_until(lambda f=first: three.broker(f)["state"] == "stopped", "it stops")
        asked = others(first)[0]
        three("topic", "create", f"after-{first}-{epoch}", to=asked)
        now, later = leader(three, asked)
        assert now != first and later > epoch
        logs = "".join(p.read_text(encoding="utf-8")
                       for p in three.folder.glob(f"broker-{first}/*.log"))
        assert f"controller {now} leads now, as this node stops" in logs
        three.local("start", first)
        wait_until_healthy(three)


def test_a_broker_that_stops_lets_others_lead_first(three):
    three.start()
    three("topic", "create", "triples", "-p", 6, "-r", 3)
    os.kill(three.broker(2)["pid"], signal.SIGTERM)
    wait_until(lambda: three.broker(2)["state"] == "stopped", "it stops")
    partitions = three("topic", "describe", "triples", "-o", "json").json[0]["partitions"]
    assert all(p["leader"] in (0, 1) and 2 not in p["isr"] for p in partitions)
    logs = "".join(p.read_text(encoding="utf-8")
                   for p in three.folder.glob("broker-2/*.log"))
    assert "broker 2 leads nothing any more, and all others know it" in logs
    # With nobody left who could lead, the others don't wait for each other.
    for broker in (0, 1):
        os.kill(three.broker(broker)["pid"], signal.SIGTERM)
    wait_until(lambda: all(b["state"] == "stopped" for b in three.status()), "all stop", 30)


def test_leadership_goes_back_by_itself(three):
    three.start("--set", "leader.imbalance.check.interval.seconds=1")
    three("topic", "create", "pairs", "-p", 3, "-r", 2)
    before = replicas(three, "pairs")
    assert all(p["leader"] == p["replicas"][0]
               for p in three("topic", "describe", "pairs", "-o", "json").json[0]["partitions"])
    for partition, ids in before.items():
        three("partition", "move", f"pairs:{partition}", "--to", f"{ids[1]},{ids[0]}", "--wait")
    wait_until(lambda: all(
        p["leader"] == before[p["partition"]][1]
        for p in three("topic", "describe", "pairs", "-o", "json").json[0]["partitions"]),
        "the new first replicas lead")


def test_leaders_come_back_to_the_preferred_replica(three):
    three.start()
    three("topic", "create", "pairs", "-p", 3, "-r", 2)
    assert "right one already" in three("partition", "elect", "pairs").out
    assert three("partition", "status", "-o", "json").json == []
    assert "no topic 'none'" in three("partition", "elect", "none", code=ERROR).err
    refused = three("partition", "move", "pairs:0", "--to", "0,7", code=ERROR)
    assert "can't move pairs:0" in refused.err and "broker 7" in refused.err
    refused = three("partition", "cancel", "pairs:0", code=ERROR)
    assert "can't move pairs:0" in refused.err and "not being moved" in refused.err


def replicas(cluster, topic, to=0):
    return {p["partition"]: p["replicas"]
            for p in cluster("topic", "describe", topic, "-o", "json", to=to).json[0]["partitions"]}


def test_partitions_are_told_to_move(three, tmp_path):
    three.start()
    three("topic", "create", "pairs", "-p", 3, "-r", 2)
    before = replicas(three, "pairs")
    plan = json.loads(three("partition", "move", "--from", 0, "--dry-run").out)
    moved = {p["partition"]: p["replicas"] for p in plan["partitions"] if p["topic"] == "pairs"}
    assert moved.keys() == {p for p, ids in before.items() if 0 in ids}
    for partition, to in moved.items():
        assert 0 not in to and len(set(to)) == 2
    assert replicas(three, "pairs") == before

    # Another order of the same replicas needs no data, and is there at once.
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"version": 1, "partitions": [
        {"topic": "pairs", "partition": p, "replicas": ids[::-1]} for p, ids in before.items()]}),
        encoding="utf-8")
    told = three("partition", "move", "--plan", file, "--throttle", 1_000_000, "-o", "json").json
    assert {p["partition"]: p["to"] for p in told} == {p: i[::-1] for p, i in before.items()}
    assert replicas(three, "pairs") == {p: ids[::-1] for p, ids in before.items()}
    for broker in ALL:
        config = three("broker", "describe", broker, "-o", "json").json["config"]
        assert not [name for name in config if "throttled" in name], "it was taken off"
    assert three("partition", "status", "--clear-throttle").out == "nothing is throttled\n"
    assert three("partition", "cancel", "--all").out == "nothing moves\n"
    assert three("partition", "status", "--watch").out == "nothing moves\n"

    for wrong, why in ((["pairs:0"], "say where to"), (["pairs", "--to", 1], "TOPIC:NUMBER"),
                       (["--to", 1], "which partitions"), (["--plan", "/none"], "can't read /none"),
                       (["pairs:0", "--plan", file], "--plan says which")):
        refused = moldau("partition", "move", *wrong, "-b", f"localhost:{three.port}")
        assert refused.code in (USAGE, ERROR) and why in refused.err, (wrong, refused)
    refused = three("partition", "move", "pairs:0", "pairs:9", "--to", "1,2", code=ERROR)
    assert "can't move pairs:9" in refused.err and "1 of 2 were taken" in refused.err


def test_partitions_move_with_what_they_hold(three):
    three.start()
    three("topic", "create", "pairs", "-p", 3, "-r", 2)
    values = [str(i) for i in range(300)]
    three("produce", "pairs", stdin="".join(v + "\n" for v in values))
    three("partition", "move", "--from", 0, "--throttle", 100_000_000, "--within", 60)
    assert all(0 not in ids for ids in replicas(three, "pairs").values())
    held = three("broker", "describe", 0, "-o", "json").json
    assert held["replicas"] == held["leaders"] == 0
    assert not [name for name in held["config"] if "throttled" in name], "it was taken off"
    assert three("partition", "status", "-o", "json").json == []
    assert sorted(three.consume("pairs")) == sorted(values)

    # Nobody can follow who is not there: the move goes on until it is cancelled.
    before = replicas(three, "pairs")[0]
    three.local("kill", 0)
    wait_until(lambda: states(three, to=1).get(0) == "fenced", "broker 0 is fenced")
    late = three("partition", "move", "pairs:0", "--to", f"0,{before[1]}", "--within", 2, to=1,
                 code=TIMEOUT)
    assert "did not get there in time" in late.err and "partition cancel" in late.err
    moving, = three("partition", "status", "-o", "json", to=1).json
    assert (moving["adding"], moving["removing"]) == ([0], [before[0]])
    assert "nothing moves" not in three("partition", "status", to=1).out
    three("partition", "cancel", "--all", to=1)
    assert three("partition", "status", "-o", "json", to=1).json == []
    assert sorted(replicas(three, "pairs", to=1)[0]) == sorted(before)


def test_three_are_started_unless_told_otherwise(three):
    three.local("start", "--detach", "--port", three.port)
    assert [row["broker"] for row in three.status()] == ALL
    three.local("stop")
    refused = three.local("start", "--detach", "--brokers", 1, code=ERROR)
    assert "a cluster of 3 brokers" in refused.err and "--brokers" in refused.err


def test_a_voter_with_another_id_is_not_joined(three, tmp_path):
    """Else a slip in one line would let a blank node into another cluster, in a voter's place."""
    three.start()
    port = free_port(2)
    properties = tmp_path / "server.properties"
    properties.write_text(f"""
node.id=0
log.dirs={tmp_path / "data"}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{port + 1}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.quorum.voters=0@127.0.0.1:{port + 1},5@127.0.0.1:{three.port + 10_002}
""", encoding="utf-8")
    refused = moldau("serve", "--config", properties)
    assert refused.code == ERROR
    assert "names controller 5 where controller 2 answers" in refused.err
    wait_until_healthy(three)


def test_a_start_can_be_stopped_whatever_it_waits_for(three, tmp_path):
    three.start()
    for delay in (0.1, 0.12, 0.14):
        line = pathlib.Path(f"/proc/{three.broker(2)['pid']}/cmdline").read_bytes()
        three.local("kill", 2)
        with open(tmp_path / "told", "wb") as told, \
                subprocess.Popen(line.split(b"\0")[:-1], stdout=told, stderr=told,
                                 env=environment()) as starting:
            time.sleep(delay)
            three.local("kill", 0)
            three.local("kill", 1)
            starting.terminate()
            try:
                assert starting.wait(timeout=PATIENCE_SECONDS) == 0
            except subprocess.TimeoutExpired:
                starting.kill()
                pytest.fail((tmp_path / "told").read_text(encoding="utf-8"))
        three.start()


def test_a_taken_controller_port_says_by_whom(three):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", three.port + 10_001))
        taken.listen()
        refused = three.start(code=ERROR)
    assert f"port {three.port + 10_001}" in refused.err and "--port" in refused.err
    assert not any(three.folder.glob("broker-*")), "nothing is left of the attempt"


def test_a_refused_option_ends_the_start_of_all(three):
    refused = three.start("--set", "num.partitons=3", code=2)
    assert "did you mean num.partitions?" in refused.err
    assert {row["state"] for row in three.status()} == {"stopped"}
