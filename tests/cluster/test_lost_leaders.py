"""A leader that hangs: its clients learn from the others that they must look for another one."""

import pytest
from batches import batch
from calls import fetch_body, metadata, produce
from conftest import wait_until
from wire import Answer, Connection, request

TOPIC = "events"
PARTITIONS = 3


@pytest.fixture
def replicated(three):
    three.start()
    three("topic", "create", TOPIC, "-p", PARTITIONS, "-r", 3)
    return three


def leaders(cluster, to=0):
    answer = cluster("topic", "describe", TOPIC, "-o", "json", to=to)
    return {p["partition"]: p["leader"] for p in answer.json[0]["partitions"]}


def others(broker):
    return [b for b in (0, 1, 2) if b != broker]


def one_that_hangs(cluster):
    """Who is to hang, one who lives on, and a partition that it leads."""
    leader_of = leaders(cluster)
    living = others(leader_of[0])[0]
    return leader_of[0], living, next(p for p, leader in leader_of.items() if leader == living)


def connect(cluster, broker):
    connection = Connection(cluster.port + broker)
    connection.socket.settimeout(60)
    return connection


def still_serves(connection):
    return metadata(connection, TOPIC) == [0]


def test_who_was_sent_to_a_leader_that_hangs_is_made_to_ask_again(replicated):
    before = leaders(replicated)
    hangs = before[0]
    told = [connect(replicated, b) for b in others(hangs)]
    untold = [connect(replicated, b) for b in others(hangs)]
    for connection in told:
        assert metadata(connection, TOPIC) == [0]
    replicated.local("pause", hangs)
    assert all(connection.closed() for connection in told)
    for broker in others(hangs):
        wait_until(lambda b=broker: hangs not in leaders(replicated, b).values(), "others lead")
    assert all(still_serves(connection) for connection in untold)
    replicated.local("resume", hangs)
    for connection in told + untold:
        connection.socket.close()


def test_who_was_told_elsewhere_is_made_to_ask_too(replicated):
    hangs, living, mine = one_that_hangs(replicated)
    with connect(replicated, living) as connection:
        assert produce(connection, TOPIC, batch(b"x"), partition=mine) == (0, 0)
        replicated.local("pause", hangs)
        assert connection.closed()
    replicated.local("resume", hangs)


def test_what_is_in_work_is_answered_first(replicated):
    hangs, living, mine = one_that_hangs(replicated)
    with connect(replicated, living) as connection:
        assert metadata(connection, TOPIC) == [0]
        replicated.local("pause", hangs)
        # These wait until the one that hangs is out of the in-sync replicas.
        count = 0
        try:
            while True:
                assert produce(connection, TOPIC, batch(b"x"), partition=mine) == (0, count)
                count += 1
        except (ConnectionError, BrokenPipeError):
            pass
    assert count > 0
    replicated.local("resume", hangs)
    # Each was answered, and none that was not is in the log.
    assert len(replicated.consume(TOPIC)) == count


def test_a_waiting_fetch_is_answered_with_nothing_lost(replicated):
    hangs, living, mine = one_that_hangs(replicated)
    with connect(replicated, living) as connection:
        assert metadata(connection, TOPIC) == [0]
        replicated.local("pause", hangs)
        try:
            while True:
                connection.send(request(fetch_body(TOPIC, 0, partition=mine, wait_ms=300), 7))
                assert Answer(connection.receive()).i32() == 7
        except (ConnectionError, BrokenPipeError):
            pass
    replicated.local("resume", hangs)


def sends_away(cluster, broker):
    """Whether it ends the connection after an answer of who leads."""
    with connect(cluster, broker) as connection:
        assert metadata(connection, TOPIC) == [0]
        connection.socket.settimeout(2)
        try:
            return connection.closed()
        except TimeoutError:
            return False


def test_who_is_cut_off_from_all_others_sends_its_clients_to_them(replicated):
    cut_off = leaders(replicated)[0]
    assert not sends_away(replicated, cut_off)
    for other in others(cut_off):
        replicated.local("cut", cut_off, other)
    wait_until(lambda: sends_away(replicated, cut_off), "it knows that it may know nothing")
    assert not sends_away(replicated, others(cut_off)[0])
    replicated.local("heal")
    wait_until(lambda: not sends_away(replicated, cut_off), "it is heard again")
