"""Any of three nodes killed, one after another: nothing that was acknowledged is lost.

MOLDAU_KILLS says how many are killed (12), MOLDAU_SEED in which order (drawn anew each time).
"""

import os
import random
import time

import pytest
from acknowledged import History, Node, Writers
from conftest import PATIENCE_SECONDS, wait_until
from test_three_brokers import ALL, states

KILLS = int(os.environ.get("MOLDAU_KILLS", "12"))
SEED = int(os.environ.get("MOLDAU_SEED", random.randrange(1 << 32)))
DOWN_SECONDS = (0, 0.8)  # a new controller takes about half a second


def test_nothing_acknowledged_is_lost(three):
    print(f"MOLDAU_SEED={SEED} MOLDAU_KILLS={KILLS}")
    chance = random.Random(SEED)
    three.start()
    ports = [three.port + broker for broker in ALL]
    writers = Writers(ports, SEED)
    try:
        controllers = kill_one_after_another(three, chance)
    finally:
        history = writers.end()
    print(f"{KILLS} killed, {controllers} of them the controller; acknowledged: "
          f"{len(history.topics)} topics, {len(history.options)} topics' options, "
          f"{len(history.producer_ids)} producer ids; without an answer: "
          f"{dict(writers.unanswered)}")
    assert len(history.topics) > KILLS and len(history.options) > KILLS
    assert len(history.producer_ids) > 10 * KILLS
    all_there(three, history)

    for broker in ALL:
        three.local("kill", broker)
    three.start()
    all_there(three, history)


def kill_one_after_another(three, chance):
    """How many of the killed were the active controller."""
    controllers = 0
    for _ in range(KILLS):
        victim = chance.choice(ALL)
        controllers += three.broker(victim)["controller"]
        three.local("kill", victim)
        time.sleep(chance.uniform(*DOWN_SECONDS))
        three.local("start", victim, "--timeout", PATIENCE_SECONDS)
    return controllers


def all_there(three, history):
    """On every broker, once it has caught up; and each gives producer ids that were never given."""
    for broker in ALL:
        wait_until(lambda b=broker: set(states(three, b).values()) == {"active"},
                   f"broker {broker} sees all in service")
        node = Node(three.port + broker)
        lost = []

        def complete(node=node, lost=lost):
            lost[:] = history.lost_on(node)
            return not lost
        try:
            wait_until(complete, f"broker {broker} has everything")
        except AssertionError:
            pytest.fail(f"broker {broker}, MOLDAU_SEED={SEED}: {'; '.join(lost[:20])}")
        error, producer_id = node.producer_id()
        node.close()
        assert error == 0 and producer_id not in history.producer_ids
        history.producer_ids.append(producer_id)


def told():
    """A history, and what a broker tells that has all of it."""
    history = History()
    history.topics = {"a": b"1" * 16, "b": b"2" * 16, "made": None}
    history.options = {"a": 7, "b": 8}
    history.doubtful_options["b"].add(9)
    history.producer_ids = [1, 2, 1000]
    return history, {"a": b"1" * 16, "b": b"2" * 16, "made": b"3" * 16}, {"a": 7, "b": 9}


def test_the_check_passes_what_is_whole():
    history, topics, options = told()
    assert not list(history.lost(topics, options))


def lose_a_topic(_history, topics, _options):
    del topics["a"]


def lose_one_known_by_name(_history, topics, _options):
    del topics["made"]


def make_a_topic_anew(_history, topics, _options):
    topics["b"] = b"4" * 16


def lose_an_option(_history, _topics, options):
    options["a"] = None


def go_back_to_an_older_value(_history, _topics, options):
    options["a"] = 6


def give_an_id_twice(history, _topics, _options):
    history.producer_ids.append(1000)


@pytest.mark.parametrize("plant", [
    lose_a_topic, lose_one_known_by_name, make_a_topic_anew, lose_an_option,
    go_back_to_an_older_value, give_an_id_twice])
def test_the_check_finds_a_planted_loss(plant):
    whole = told()
    plant(*whole)
    assert len(list(whole[0].lost(*whole[1:]))) == 1
