"""`moldau local`: starting, killing, pausing and stopping brokers on one machine."""

import os
import pathlib
import signal
import socket
import subprocess

from conftest import (BINARY, ERROR, OK, PATIENCE_SECONDS, TIMEOUT, USAGE, Cluster, environment,
                      moldau, wait_until)


def alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def test_a_new_users_first_minutes(cluster):
    started = cluster.start()
    assert started.out.startswith("ready\n")
    assert f"localhost:{cluster.port}" in started.out
    assert str(cluster.folder) in started.out
    row = cluster.broker()
    assert row["state"] == "running" and row["pid"] > 0
    assert row["address"] == f"localhost:{cluster.port}"
    cluster.produce("test", ["one", "two"])
    assert cluster.consume("test") == ["one", "two"]
    cluster.local("stop")
    assert cluster.broker()["state"] == "stopped"
    assert not alive(row["pid"])


def test_the_line_to_paste_works(cluster):
    started = cluster.start()
    line = next(l for l in started.out.splitlines() if " produce test " in l)
    command = line.split("try", 1)[1].split()
    pasted = subprocess.run(command, input=b"pasted\n", capture_output=True, check=False)
    assert pasted.returncode == OK, pasted
    assert cluster.consume("test") == ["pasted"]


def test_acknowledged_messages_survive_kill_9(cluster):
    cluster.start()
    sent = []
    for turn in range(3):
        values = [f"{turn}-{i}" for i in range(500)]
        cluster.produce("survivors", values)
        sent += values
        pid = cluster.broker()["pid"]
        cluster.local("kill", 0)
        assert not alive(pid)
        assert cluster.broker()["state"] == "stopped"
        cluster.local("start", 0)
        assert cluster.broker()["pid"] != pid
    assert cluster.consume("survivors") == sent


def test_a_producer_rides_out_a_kill(cluster):
    """Every line that is acknowledged is there, once, though the broker dies in between."""
    cluster.start()
    cluster("topic", "create", "ride")
    producer = subprocess.Popen(
        [BINARY, "produce", "ride", "-b", f"localhost:{cluster.port}", "--timeout", "100"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment())
    first = [f"before {i}" for i in range(200)]
    producer.stdin.write("".join(v + "\n" for v in first).encode())
    producer.stdin.flush()
    wait_until(lambda: len(cluster.consume("ride")) == len(first), "the first messages arrive")
    cluster.local("kill", 0)
    second = [f"after {i}" for i in range(200)]
    producer.stdin.write("".join(v + "\n" for v in second).encode())
    producer.stdin.flush()
    cluster.local("start", 0)
    out, _ = producer.communicate(timeout=PATIENCE_SECONDS)
    assert producer.returncode == OK, out
    assert cluster.consume("ride") == first + second


def test_pause_and_resume(cluster):
    cluster.start()
    cluster.produce("test", ["one"])
    cluster.local("pause", 0)
    wait_until(lambda: cluster.broker()["state"] == "paused", "the broker is paused")
    slow = cluster("topic", "list", "--timeout", "0.5", code=TIMEOUT)
    assert "does not answer" in slow.err
    cluster.local("resume", 0)
    assert cluster.consume("test") == ["one"]


def test_a_paused_broker_can_be_stopped(cluster):
    cluster.start()
    pid = cluster.broker()["pid"]
    cluster.local("pause", 0)
    cluster.local("stop")
    assert not alive(pid)


def test_restart_keeps_data_and_settings(cluster):
    cluster.start("--set", "num.partitions=3")
    cluster.produce("before", ["x"])
    pid = cluster.broker()["pid"]
    cluster.local("restart", 0)
    assert cluster.broker()["pid"] != pid
    assert cluster.consume("before") == ["x"]
    cluster("topic", "create", "later")
    topics = {t["topic"]: t["partitions"] for t in cluster("topic", "list", "-o", "json").json}
    assert topics["later"] == 3


def test_a_second_start_keeps_data_and_port(cluster):
    cluster.start()
    cluster.produce("kept", [str(i) for i in range(100)])
    cluster.local("stop")
    again = cluster.local("start", "--detach")  # the port is that of last time
    assert f"localhost:{cluster.port}" in again.out
    assert cluster.consume("kept") == [str(i) for i in range(100)]


def test_options_of_a_start_hold_until_the_cluster_stops(cluster):
    def partitions_of_a_new(topic):
        cluster("topic", "create", topic)
        return len(cluster("topic", "describe", topic, "-o", "json").json[0]["partitions"])
    cluster.start("--set", "num.partitions=3")
    cluster.local("kill", 0)
    cluster.local("start", 0)
    assert partitions_of_a_new("same-cluster") == 3
    cluster.local("stop")
    cluster.start()
    assert partitions_of_a_new("next-start") == 1


def test_a_wrong_option_is_not_kept(cluster):
    cluster.start("--set", "num.partitons=3", code=USAGE)
    cluster.start()


def test_a_running_cluster_is_not_started_twice(cluster):
    cluster.start()
    pid = cluster.broker()["pid"]
    again = cluster.local("start", "--detach", code=ERROR)
    assert "runs" in again.err and str(pid) in again.err and "local stop" in again.err
    one = cluster.local("start", 0, code=ERROR)
    assert "runs already" in one.err
    assert cluster.broker()["pid"] == pid


def test_a_taken_port_says_by_whom(cluster):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", cluster.port))
        taken.listen()
        refused = cluster.start(code=ERROR)
    assert f"port {cluster.port}" in refused.err
    assert f"process {os.getpid()}" in refused.err
    assert "--port" in refused.err


def test_a_bad_configuration_shows_in_the_error(cluster):
    refused = cluster.start("--set", "num.partitons=3", code=USAGE)
    assert "num.partitons" in refused.err and "broker.log" in refused.err
    assert "it must be KEY=VALUE" in cluster.start("--set", "num.partitions", code=USAGE).err
    assert cluster.broker()["state"] == "stopped"


def test_edited_server_properties_hold(cluster):
    cluster.start()
    cluster.local("stop")
    with open(cluster.folder / "broker-0" / "server.properties", "a", encoding="utf-8") as file:
        file.write("num.partitions=4\n")
    cluster.start()
    cluster("topic", "create", "four")
    described = cluster("topic", "describe", "four", "-o", "json").json
    assert len(described[0]["partitions"]) == 4


def foreground(cluster):
    process = subprocess.Popen(
        [BINARY, "local", "start", "--brokers", "1", "--port", str(cluster.port), "--dir",
         str(cluster.folder)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    assert process.stdout.readline() == b"ready\n", process.stderr.read()
    return process


def test_ctrl_c_stops_the_foreground_cleanly(cluster):
    process = foreground(cluster)
    cluster.produce("test", ["one"])
    pid = cluster.broker()["pid"]
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == OK and b"stopped" in out
    assert not alive(pid)
    cluster.start()
    assert cluster.consume("test") == ["one"]


def test_brokers_do_not_outlive_a_killed_foreground(cluster):
    process = foreground(cluster)
    pid = cluster.broker()["pid"]
    process.kill()
    process.wait()
    wait_until(lambda: not alive(pid), "the broker ends with its parent")


def test_the_foreground_tells_of_a_kill_and_ends_with_stop(cluster):
    process = foreground(cluster)
    cluster.local("kill", 0)
    lines = []
    wait_until(lambda: lines.append(process.stdout.readline()) or b"ended" in lines[-1],
               "the foreground tells of the kill")
    assert b"signal 9" in lines[-1]
    cluster.local("start", 0)
    wait_until(lambda: lines.append(process.stdout.readline()) or b"runs again" in lines[-1],
               "the foreground tells of the start")
    cluster.local("stop")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == OK


def test_two_clusters_side_by_side(cluster, tmp_path):
    cluster.start()
    other = Cluster(tmp_path / "other")
    try:
        other.start()
        cluster.produce("mine", ["a"])
        other.produce("yours", ["b"])
        assert [t["topic"] for t in cluster("topic", "list", "-o", "json").json] == ["mine"]
        assert [t["topic"] for t in other("topic", "list", "-o", "json").json] == ["yours"]
    finally:
        other.close()


def test_what_is_not_there(cluster):
    assert "no local cluster" in cluster.local("status", code=ERROR).err
    assert "no local cluster" in cluster.local("stop", code=ERROR).err
    cluster.start()
    assert "no broker 7" in cluster.local("kill", 7, code=ERROR).err
    cluster.local("stop")
    assert "does not run" in cluster.local("pause", 0, code=ERROR).err


def test_a_directory_is_of_so_many_brokers(cluster):
    cluster.start()
    cluster.local("stop")
    refused = cluster.local("start", "--detach", "--brokers", 3, code=ERROR)
    assert "a cluster of 1 broker\n" in refused.err and "leave --brokers out" in refused.err
    assert not (cluster.folder / "broker-1").exists()
    cluster.local("start", "--detach")
    assert [row["broker"] for row in cluster.status()] == [0]


def test_cuts_are_kept_in_a_file(cluster):
    cluster.start()
    cluster.local("stop")
    (cluster.folder / "broker-1").mkdir()
    assert "is cut\n" in cluster.local("cut", 1, 0).out
    assert "cut already" in cluster.local("cut", 0, 1).out
    assert (cluster.folder / "faults").read_text() == "0 1\n"
    assert [row["cut_from"] for row in cluster.status()] == [[1], [0]]
    assert "whole again" in cluster.local("heal", 0, 1).out
    assert "was not cut" in cluster.local("heal", 0, 1).out
    cluster.local("cut", 0, 1)
    cluster.local("heal")
    assert (cluster.folder / "faults").read_text() == ""
    assert "itself" in cluster.local("cut", 1, 1, code=USAGE).err
    assert "no broker 2" in cluster.local("cut", 0, 2, code=ERROR).err
    cluster.local("cut", 0, code=USAGE)
    cluster.local("heal", 0, code=USAGE)


def test_usage(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for wrong in (["start", "--port", "0"], ["start", "--port", "x"], ["kill"], ["fly"], [],
                  ["start", "--brokers", "0"], ["start", "--port", "65535", "--brokers", "2"],
                  ["cut", "0", "x"]):
        assert moldau("local", *wrong).code == USAGE, wrong
    assert moldau().code == USAGE
    unknown = moldau("local", "fly")
    assert "no command 'fly'" in unknown.err and "Usage: moldau local" in unknown.err
    assert "pause" in unknown.err and unknown.out == ""
    assert "no command 'fly'" in moldau("fly").err
    assert "no option '--fly'" in moldau("--fly").err
    assert "'x' is not a whole number from 0" in moldau("local", "kill", "x").err
    assert "xml not in {table,json}" in moldau("topic", "list", "-o", "xml").err
    assert moldau("--version").code == OK
    assert moldau("local", "--help").code == OK


def test_serve_says_what_is_wrong(tmp_path):
    missing = moldau("serve", "--config", tmp_path / "none")
    assert missing.code == ERROR and "none" in missing.err
    properties = tmp_path / "server.properties"
    properties.write_text("num.partitons=3\n")
    unknown = moldau("serve", "--config", properties)
    assert unknown.code == USAGE
    assert "line 1" in unknown.err and "num.partitions" in unknown.err
