"""What a cluster has acknowledged, by whom it was asked, and whether all of it is still there."""

import collections
import itertools
import random
import threading
import time

from wire import Body, Client

NONE, TOPIC_EXISTS = 0, 36
OPTION = "retention.ms"
TOPIC_KIND = 2
AT_ONCE = 200  # resources in one DescribeConfigs


class Node(Client):
    """A broker that may be gone at any time."""

    def create_topic(self, name, replicas):
        """(error, id)"""
        def wanted(body, topic):
            body.string(topic).i32(1).i16(replicas).array([]).array([]).tags()
        answer = self.call(
            Body("CreateTopics", 7).array([name], wanted).i32(5_000).i8(0).tags())
        answer.i32(), answer.length(), answer.string()
        topic_id = answer.take(16)
        return answer.i16(), topic_id

    def set_option(self, topic, value):
        def change(body, text):
            body.string(OPTION).i8(0).string(text)

        def resource(body, name):
            body.i8(TOPIC_KIND).string(name).array([str(value)], change)
        answer = self.call(Body("IncrementalAlterConfigs", 0).array([topic], resource).i8(0))
        answer.i32(), answer.i32()
        return answer.i16()

    def producer_id(self):
        """(error, id)"""
        answer = self.call(Body("InitProducerId", 1).string(None).i32(60_000))
        answer.i32()
        return answer.i16(), answer.i64()

    def topics(self):
        """The id of each."""
        def partition(a):
            a.i16(), a.i32(), a.i32(), a.i32()
            a.array(type(a).i32), a.array(type(a).i32), a.array(type(a).i32), a.tags()

        def topic(a):
            found = a.i16(), a.string(), a.take(16)
            a.i8(), a.array(partition), a.i32(), a.tags()
            return found[1], found[2]
        answer = self.call(Body("Metadata", 12).array(None).i8(0, 0).tags())
        answer.i32()
        answer.array(lambda a: (a.i32(), a.string(), a.i32(), a.string(), a.tags()))
        answer.string(), answer.i32()
        return dict(answer.array(topic))

    def options(self, topics):
        """What each has set."""
        def resource(body, name):
            body.i8(TOPIC_KIND).string(name).array([OPTION], Body.string)

        def option(a):
            found = a.string(), a.string(), a.i8(), a.i8(), a.i8()
            a.array(lambda s: (s.string(), s.string(), s.i8()))
            return found[1]

        def result(a):
            a.i16(), a.string(), a.i8()
            name, values = a.string(), a.array(option)
            return name, int(values[0]) if values else None
        found = {}
        topics = list(topics)
        for first in range(0, len(topics), AT_ONCE):
            body = Body("DescribeConfigs", 1).array(topics[first:first + AT_ONCE], resource).i8(0)
            answer = self.call(body)
            answer.i32()
            found |= dict(answer.array(result))
        return found


class History:
    """What was acknowledged. What was asked without an answer may have happened, or happen later."""

    def __init__(self):
        self.topics = {}  # name → id, or None if only its being there is known
        self.options = {}  # topic → the last value acknowledged
        self.doubtful_options = collections.defaultdict(set)
        self.producer_ids = []

    def lost(self, topics, options):
        """What should be there and is not, given what a broker tells; a text for each."""
        for name, topic_id in self.topics.items():
            if name not in topics:
                yield f"topic {name} is gone"
            elif topic_id not in (None, topics[name]):
                yield f"topic {name} is another one now"
        for name, value in self.options.items():
            told = options.get(name)
            if told != value and told not in self.doubtful_options[name]:
                yield f"{OPTION} of {name} is {told}, not {value}"
        for producer_id, times in collections.Counter(self.producer_ids).items():
            if times > 1:
                yield f"producer id {producer_id} was given away {times} times"

    def lost_on(self, node):
        return list(self.lost(node.topics(), node.options(self.options)))


class Writers:
    """Threads that ask all brokers, each in an order of its own, until they are told to end."""

    PAUSES = {"topics": 0.1, "options": 0.02, "producer_ids": 0.02}  # seconds

    def __init__(self, ports, seed):
        self.ports, self.history = ports, History()
        self.ended = threading.Event()
        self.unanswered = collections.Counter()
        self.broken = []
        self.threads = [
            threading.Thread(target=self._run, args=(kind, random.Random(f"{seed} {kind}")))
            for kind in self.PAUSES]
        for thread in self.threads:
            thread.start()

    def end(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        assert not self.broken, self.broken
        return self.history

    def _run(self, kind, chance):
        nodes = [Node(port) for port in self.ports]
        step = getattr(self, f"_{kind}")
        try:
            for number in itertools.count():
                if self.ended.wait(self.PAUSES[kind]):
                    break
                try:
                    step(chance.choice(nodes), number, chance)
                except OSError:
                    self.unanswered[kind] += 1
        except Exception as error:  # a thread's own would be lost
            self.broken.append(repr(error))
        for node in nodes:
            node.close()

    def _topics(self, node, number, chance):
        name = f"topic-{number}"
        error, topic_id = node.create_topic(name, chance.choice([1, 2, 3]))
        if error == NONE:
            self.history.topics[name] = topic_id
        elif error == TOPIC_EXISTS:
            # The first answer was lost between the nodes, and it was asked again.
            self.history.topics[name] = None
        else:
            self.unanswered["topics"] += 1

    def _options(self, node, number, chance):
        topics = list(self.history.topics)
        if not topics:
            return
        topic, value = chance.choice(topics), 1_000_000 + number
        self.history.doubtful_options[topic].add(value)
        if node.set_option(topic, value) == NONE:
            self.history.doubtful_options[topic].discard(value)
            self.history.options[topic] = value
        else:
            self.unanswered["options"] += 1

    def _producer_ids(self, node, _number, _chance):
        error, producer_id = node.producer_id()
        if error == NONE:
            self.history.producer_ids.append(producer_id)
        else:
            time.sleep(0.05)
            self.unanswered["producer_ids"] += 1
