"""Too many connections, and those that nobody uses."""

import pytest

from calls import metadata
from conftest import wait_until
from wire import Connection

SETTINGS = ["max.connections=20"]


@pytest.fixture
def bystander(broker):
    with Connection(broker.port) as connection:
        assert metadata(connection, "bystander") == [0]
        yield connection
        assert metadata(connection, "bystander") == [0]


def served(port):
    """A connection that is answered; nothing if it is closed instead."""
    connection = Connection(port)
    try:
        metadata(connection, "bystander")
    except ConnectionError:
        connection.socket.close()
        return None
    return connection


def test_a_flood_of_connections(broker, bystander):
    for _ in range(3):  # slots are free again afterwards
        def all_slots():
            taken = [served(broker.port) for _ in range(19)]
            if all(taken):
                return taken
            for connection in filter(None, taken):
                connection.socket.close()
            return None
        taken = wait_until(all_slots, "19 more connections are taken")
        for _ in range(30):
            assert served(broker.port) is None
        assert metadata(bystander, "bystander") == [0]
        for connection in taken:
            assert metadata(connection, "bystander") == [0]
            connection.socket.close()
    assert "max.connections" in broker.log()


def test_a_flood_from_one_address(cluster):
    cluster.start("--set=max.connections.per.ip=3")
    with Connection(cluster.port) as first, Connection(cluster.port) as second, \
            Connection(cluster.port) as third:
        held = (first, second, third)
        assert all(metadata(connection, "bystander") == [0] for connection in held)
        assert served(cluster.port) is None
        assert all(metadata(connection, "bystander") == [0] for connection in held)
        with Connection(cluster.port, source="127.0.0.2") as other:
            assert metadata(other, "bystander") == [0]
    assert "max.connections.per.ip" in cluster.log()


def test_an_idle_connection_is_closed(cluster):
    cluster.start("--set=connections.max.idle.ms=2000")
    with Connection(cluster.port) as idle:
        assert metadata(idle, "bystander") == [0]
        assert idle.closed()
    with served(cluster.port):
        pass


def test_idle_for_ever_if_so_configured(cluster):
    cluster.start("--set=connections.max.idle.ms=-1", "--set=request.frame.timeout.ms=500")
    with Connection(cluster.port) as idle, Connection(cluster.port) as clock:
        assert metadata(idle, "bystander") == [0]
        assert clock.send(b"\0").closed()  # the broker has looked after its connections by now
        assert metadata(idle, "bystander") == [0]
