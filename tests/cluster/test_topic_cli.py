"""`moldau topic`, `cluster` and `broker`."""

import socket

from conftest import ERROR, TIMEOUT, USAGE, moldau


def topic_names(cluster, *arguments):
    return [t["topic"] for t in cluster("topic", "list", "-o", "json", *arguments).json]


def test_create_describe_delete(running):
    created = running("topic", "create", "orders", "-p", 3, "-c", "retention.ms=1000000")
    assert created.out == "created orders\n"
    described = running("topic", "describe", "orders", "-o", "json").json[0]
    assert described["topic"] == "orders" and len(described["id"]) == 22
    assert [p["partition"] for p in described["partitions"]] == [0, 1, 2]
    for p in described["partitions"]:
        assert p["leader"] == 0 and p["isr"] == [0] and p["replicas"] == [0]
        assert p["start"] == 0 and p["high_watermark"] == 0
    assert described["config"]["retention.ms"] == {"value": "1000000", "from": "topic"}
    table = running("topic", "describe", "orders").out
    assert "LEADER" in table and "retention.ms" in table and "\033" not in table
    running("topic", "delete", "orders")
    assert "orders" not in topic_names(running)
    assert "no topic 'orders'" in running("topic", "describe", "orders", code=ERROR).err


def test_describe_counts_what_was_produced(running):
    running("topic", "create", "counted")
    running.produce("counted", ["a"] * 10)
    partition = running("topic", "describe", "counted", "-o", "json").json[0]["partitions"][0]
    assert partition["high_watermark"] == 10 and partition["bytes"] > 0


def test_create_twice(running):
    running("topic", "create", "twice")
    again = running("topic", "create", "twice", code=ERROR)
    assert "TOPIC_ALREADY_EXISTS" in again.err and "twice" in again.err
    running("topic", "create", "twice", "--if-not-exists")


def test_create_refused(running):
    assert "INVALID_TOPIC" in running("topic", "create", "no spaces", code=ERROR).err
    assert "INVALID_CONFIG" in running("topic", "create", "x", "-c", "nope=1", code=ERROR).err
    replicas = running("topic", "create", "x", "-r", 3, code=ERROR)
    assert "INVALID_REPLICATION_FACTOR" in replicas.err
    assert "x" not in topic_names(running)


def test_alter(running):
    running("topic", "create", "altered")
    running("topic", "alter", "altered", "--set", "retention.ms=5000", "-p", 4)
    described = running("topic", "describe", "altered", "-o", "json").json[0]
    assert len(described["partitions"]) == 4
    assert described["config"]["retention.ms"]["value"] == "5000"
    running("topic", "alter", "altered", "--delete", "retention.ms")
    described = running("topic", "describe", "altered", "-o", "json").json[0]
    assert described["config"].get("retention.ms", {}).get("from") != "topic"
    fewer = running("topic", "alter", "altered", "-p", 2, code=ERROR)
    assert "INVALID_PARTITIONS" in fewer.err
    assert "INVALID_CONFIG" in running("topic", "alter", "altered", "--set", "a=b", code=ERROR).err
    assert "nothing to change" in running("topic", "alter", "altered", code=USAGE).err
    assert "KEY=VALUE" in running("topic", "alter", "altered", "--set", "a", code=USAGE).err


def test_list_hides_internal_topics(running):
    running.produce("seen", ["a"])
    running("consume", "seen", "-n", 1, "-g", "makes-the-offsets-topic")
    assert "__consumer_offsets" not in topic_names(running)
    assert "__consumer_offsets" in topic_names(running, "--internal")


def test_several_topics_at_once(running):
    running("topic", "create", "many-a", "many-b")
    assert [t["topic"] for t in running("topic", "describe", "many-a", "many-b", "-o",
                                        "json").json] == ["many-a", "many-b"]
    assert running("topic", "delete", "many-a", "many-b", "-o",
                   "json").json == {"deleted": ["many-a", "many-b"]}


def test_cluster_and_brokers(running):
    status = running("cluster", "status", "-o", "json").json
    assert status["healthy"] and status["brokers"] == status["active"] == 1
    assert status["offline"] == status["under_min_isr"] == 0 and status["problems"] == []
    line = running("cluster", "status").out
    assert "  HEALTHY  1/1 brokers  controller b0  " in line and line.count("\n") == 1
    brokers = running("broker", "list", "-o", "json").json
    assert brokers[0]["broker"] == 0 and brokers[0]["address"].endswith(f":{running.port}")
    assert brokers[0]["state"] == "active" and brokers[0]["controller"]
    assert "ADDRESS" in running("broker", "list").out


def test_a_broker_in_detail(running):
    running("topic", "create", "held", "-p", 3)
    broker = running("broker", "describe", 0, "-o", "json").json
    assert broker["leaders"] == broker["replicas"] >= 3 and broker["out_of_sync"] == 0
    assert broker["config"]["node.id"] == {"value": "0", "from": "broker, file"}
    assert "num.partitions" not in broker["config"]
    every = running("broker", "describe", 0, "--all", "-o", "json").json
    assert every["config"]["num.partitions"] == {"value": "1", "from": "default"}
    shown = running("broker", "describe", 0).out
    assert shown.startswith("broker 0  ") and "CONFIG" in shown and "node.id" in shown
    assert "no broker 9" in running("broker", "describe", 9, code=ERROR).err


def test_usage_of_what_changes_the_cluster():
    for wrong in (["broker", "describe"], ["broker", "describe", "x"], ["broker", "unregister"],
                  ["controller"], ["controller", "add"], ["controller", "remove", "-1"],
                  ["partition", "move", "t:0", "--to", "1,x"], ["partition", "cancel", "t:0", "-x"],
                  ["partition", "elect", "-p", "0"], ["partition", "elect", "--unclean"]):
        assert moldau(*wrong).code == USAGE, wrong


def test_the_environment_names_the_brokers(running):
    env = {"MOLDAU_BROKERS": f"localhost:{running.port}"}
    assert moldau("cluster", "status", env=env).code == 0
    # The first of several that answers is asked.
    env = {"MOLDAU_BROKERS": f"localhost:1,localhost:{running.port}"}
    assert moldau("cluster", "status", env=env).code == 0


def test_a_silent_broker_does_not_keep_from_the_next(running):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        first = f"localhost:{silent.getsockname()[1]}"
        both = f"{first},localhost:{running.port}"
        assert moldau("topic", "list", "-b", both, "--timeout", "60").code == 0
        alone = moldau("topic", "list", "-b", first, "--timeout", "0.3")
        assert alone.code == TIMEOUT and first in alone.err
        neither = moldau("topic", "list", "-b", f"{first},localhost:1", "--timeout", "0.3")
        assert neither.code != 0


def test_nobody_there():
    refused = moldau("topic", "list", "-b", "localhost:1")
    assert refused.code == ERROR
    assert "localhost:1" in refused.err and "refused" in refused.err and "local start" in refused.err
    assert moldau("topic", "list", "-b", "localhost:").code == USAGE
    assert moldau("topic", "list", "-o", "xml").code == USAGE
    assert moldau("topic", "list", "--timeout", "-1").code == USAGE
    assert moldau("topic").code == USAGE
