package moldau;

import static moldau.Broker.expect;
import static moldau.Broker.payload;
import static moldau.Broker.read;
import static moldau.Broker.until;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** Groups by the classic protocol: eager and cooperative members, commits, static membership. */
final class GroupCases {
    static void addTo(Map<String, Suite.Case> cases) {
        cases.put("commit_and_resume", GroupCases::commitAndResume);
        cases.put("two_members_share_and_one_leaves", broker ->
            twoMembersShare(broker, "share", "org.apache.kafka.clients.consumer.RangeAssignor"));
        cases.put("cooperative_members_share_and_one_leaves", broker ->
            twoMembersShare(broker, "cooperative",
                            "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"));
        cases.put("static_member_returns_to_its_partitions", GroupCases::staticMember);
    }

    private static void commitAndResume(Broker broker) throws Exception {
        String topic = broker.topic("commit", 1);
        String group = broker.name("commit-group");
        TopicPartition partition = new TopicPartition(topic, 0);
        broker.fill(topic, 40);
        try (KafkaConsumer<byte[], byte[]> first = broker.consumer("group.id", group)) {
            first.subscribe(List.of(topic));
            read(first, 40);
            first.commitSync(Map.of(partition, new OffsetAndMetadata(25, "note")));
            OffsetAndMetadata committed = first.committed(Set.of(partition)).get(partition);
            expect(committed.offset(), 25L, "committed offset");
            expect(committed.metadata(), "note", "committed metadata");
        }
        try (KafkaConsumer<byte[], byte[]> second = broker.consumer("group.id", group)) {
            second.subscribe(List.of(topic));
            List<ConsumerRecord<byte[], byte[]>> records = read(second, 15);
            expect(records.get(0).offset(), 25L, "first offset after resuming");
            expect(records.size(), 15, "records after resuming");
        }
    }

    /** A member that polls in a thread of its own. */
    private static final class Member extends Thread {
        final Set<String> read = ConcurrentHashMap.newKeySet();
        volatile Set<TopicPartition> assigned = Set.of();
        private final KafkaConsumer<byte[], byte[]> consumer;
        private volatile boolean leaving;

        Member(Broker broker, String topic, String... settings) {
            consumer = broker.consumer(settings);
            consumer.subscribe(List.of(topic));
            setDaemon(true);
            start();
        }

        @Override
        public void run() {
            try (consumer) {
                while (!leaving) {
                    for (ConsumerRecord<byte[], byte[]> record :
                            consumer.poll(Duration.ofMillis(100))) {
                        read.add(new String(record.value()) + "@" + record.partition());
                    }
                    assigned = Set.copyOf(consumer.assignment());
                }
            }
        }

        boolean holds(int partitions) {
            if (!isAlive()) {
                throw new AssertionError("a member has ended by itself");
            }
            return assigned.size() == partitions;
        }

        void leave() throws InterruptedException {
            leaving = true;
            join(20_000);
            expect(isAlive(), false, "a member is still there 20 s after it was told to leave");
        }
    }

    private static void twoMembersShare(Broker broker, String what, String assignor)
            throws Exception {
        String topic = broker.topic(what, 4);
        String[] settings = {"group.id", broker.name(what + "-group"),
                             "partition.assignment.strategy", assignor};
        Member one = new Member(broker, topic, settings);
        until("the only member has all partitions", 20, () -> one.holds(4));
        Member two = new Member(broker, topic, settings);
        until("both members have half", 30, () -> one.holds(2) && two.holds(2));
        Set<TopicPartition> both = new HashSet<>(one.assigned);
        both.addAll(two.assigned);
        expect(both.size(), 4, "partitions that have a member");

        sendToEach(broker, topic, "both");
        until("each member reads its two partitions", 20,
              () -> one.read.size() == 2 && two.read.size() == 2);
        two.leave();
        until("the remaining member has all partitions", 30, () -> one.holds(4));
        sendToEach(broker, topic, "rest");
        until("the remaining member reads all", 20,
              () -> one.read.containsAll(Set.of("rest@0", "rest@1", "rest@2", "rest@3")));
        one.leave();
    }

    private static void staticMember(Broker broker) throws Exception {
        String topic = broker.topic("static", 4);
        String group = broker.name("static-group");
        Member one = new Member(broker, topic, "group.id", group, "group.instance.id", "one");
        Member two = new Member(broker, topic, "group.id", group, "group.instance.id", "two");
        until("both members have half", 30, () -> one.holds(2) && two.holds(2));
        Set<TopicPartition> held = two.assigned;
        int generation = generation(broker, group);
        two.leave();
        expect(one.holds(2), true, "the other member keeps its half while one is away");
        Member again = new Member(broker, topic, "group.id", group, "group.instance.id", "two");
        until("the member that returns has half", 30, () -> again.holds(2));
        expect(again.assigned, held, "partitions of the member that returned");
        expect(generation(broker, group), generation, "generation");
        one.leave();
        again.leave();
    }

    private static int generation(Broker broker, String group) throws Exception {
        return broker.admin.describeConsumerGroups(List.of(group)).all().get().get(group)
            .groupEpoch().orElse(-1);
    }

    private static void sendToEach(Broker broker, String topic, String value) {
        try (KafkaProducer<byte[], byte[]> producer = broker.producer()) {
            for (int partition = 0; partition < 4; partition++) {
                producer.send(new ProducerRecord<>(topic, partition, null, value.getBytes()));
            }
        }
    }

    private GroupCases() {}
}
