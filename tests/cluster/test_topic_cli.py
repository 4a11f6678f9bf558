"""`moldau topic`, `cluster` and `broker`."""

from conftest import ERROR, USAGE, moldau


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
    assert status["healthy"] and status["brokers"] == 1 and status["offline"] == 0
    assert "HEALTHY" in running("cluster", "status").out
    brokers = running("broker", "list", "-o", "json").json
    assert brokers[0]["broker"] == 0 and brokers[0]["address"].endswith(f":{running.port}")
    assert "ADDRESS" in running("broker", "list").out


def test_the_environment_names_the_brokers(running):
    env = {"MOLDAU_BROKERS": f"localhost:{running.port}"}
    assert moldau("cluster", "status", env=env).code == 0
    # The first of several that answers is asked.
    env = {"MOLDAU_BROKERS": f"localhost:1,localhost:{running.port}"}
    assert moldau("cluster", "status", env=env).code == 0


def test_nobody_there():
    refused = moldau("topic", "list", "-b", "localhost:1")
    assert refused.code == ERROR
    assert "localhost:1" in refused.err and "refused" in refused.err and "local start" in refused.err
    assert moldau("topic", "list", "-b", "localhost:").code == USAGE
    assert moldau("topic", "list", "-o", "xml").code == USAGE
    assert moldau("topic", "list", "--timeout", "-1").code == USAGE
    assert moldau("topic").code == USAGE
