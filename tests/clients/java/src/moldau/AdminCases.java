package moldau;

import static moldau.Broker.expect;
import static moldau.Broker.read;
import static moldau.Broker.until;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

final class AdminCases {
    static void addTo(Map<String, Suite.Case> cases) {
        cases.put("admin_cluster", AdminCases::cluster);
        cases.put("admin_topics", AdminCases::topics);
        cases.put("admin_configs", AdminCases::configs);
        cases.put("admin_partitions", AdminCases::partitions);
        cases.put("admin_groups", AdminCases::groups);
        cases.put("delete_group", AdminCases::deleteGroup);
        cases.put("delete_group_offsets", AdminCases::deleteGroupOffsets);
        cases.put("delete_records", AdminCases::deleteRecords);
        cases.put("describe_log_dirs", AdminCases::logDirs);
    }

    private static void expectError(Class<? extends Exception> wanted, Callable<?> call)
            throws Exception {
        try {
            call.call();
        } catch (ExecutionException error) {
            expect(error.getCause().getClass(), wanted, "error");
            return;
        }
        throw new AssertionError("no error where " + wanted.getSimpleName() + " was expected");
    }

    private static void cluster(Broker broker) throws Exception {
        Collection<Node> nodes = broker.admin.describeCluster().nodes().get();
        expect(nodes.size(), 1, "nodes");
        expect(broker.admin.describeCluster().clusterId().get().isEmpty(), false, "empty cluster id");
        expect(broker.admin.describeCluster().controller().get() != null, true, "has a controller");
    }

    private static void topics(Broker broker) throws Exception {
        Admin admin = broker.admin;
        String topic = broker.topic("admin", 3);
        var described = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
        expect(described.partitions().size(), 3, "partitions");
        expect(described.partitions().get(0).isr().size(), 1, "in-sync replicas");
        expectError(TopicExistsException.class, () -> broker.topic("admin", 3));
        admin.deleteTopics(List.of(topic)).all().get();
        until("the topic is gone", 10, () -> !admin.listTopics().names().get().contains(topic));
        expectError(UnknownTopicOrPartitionException.class,
                    () -> admin.deleteTopics(List.of(topic)).all().get());
    }

    private static ConfigEntry config(Broker broker, String topic, String key) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        Config config =
            broker.admin.describeConfigs(List.of(resource)).all().get().get(resource);
        return config.get(key);
    }

    private static void configs(Broker broker) throws Exception {
        String topic = broker.name("configs");
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        broker.admin.createTopics(List.of(
            new NewTopic(topic, 1, (short) 1).configs(Map.of("retention.ms", "3600000")))).all().get();
        until("the topic is listed", 10,
              () -> broker.admin.listTopics().names().get().contains(topic));
        ConfigEntry retention = config(broker, topic, "retention.ms");
        expect(retention.value(), "3600000", "as created");
        expect(retention.source(), ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, "source");
        ConfigEntry policy = config(broker, topic, "cleanup.policy");
        expect(policy.value(), "delete", "by default");
        expect(policy.isDefault(), true, "is a default");

        alter(broker, resource, "retention.ms", "7200000", AlterConfigOp.OpType.SET);
        until("retention.ms is as set", 10,
              () -> config(broker, topic, "retention.ms").value().equals("7200000"));
        alter(broker, resource, "cleanup.policy", "compact", AlterConfigOp.OpType.APPEND);
        until("cleanup.policy is as appended", 10,
              () -> config(broker, topic, "cleanup.policy").value().equals("delete,compact"));
        alter(broker, resource, "retention.ms", "", AlterConfigOp.OpType.DELETE);
        until("retention.ms is a default again", 10,
              () -> config(broker, topic, "retention.ms").isDefault());
        expectError(org.apache.kafka.common.errors.InvalidConfigurationException.class, () -> {
            alter(broker, resource, "retention.ms", "soon", AlterConfigOp.OpType.SET);
            return null;
        });
    }

    private static void alter(Broker broker, ConfigResource resource, String key, String value,
                              AlterConfigOp.OpType type) throws Exception {
        AlterConfigOp change = new AlterConfigOp(new ConfigEntry(key, value), type);
        broker.admin.incrementalAlterConfigs(Map.of(resource, List.of(change))).all().get();
    }

    private static void partitions(Broker broker) throws Exception {
        String topic = broker.topic("partitions", 1);
        broker.admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all().get();
        until("the topic has five partitions", 10, () ->
            broker.admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic)
                .partitions().size() == 5);
        expectError(org.apache.kafka.common.errors.InvalidPartitionsException.class, () ->
            broker.admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(2))).all().get());
    }

    private static void groups(Broker broker) throws Exception {
        Admin admin = broker.admin;
        String topic = broker.topic("groups", 1);
        String group = broker.name("groups-group");
        broker.fill(topic, 3);
        try (KafkaConsumer<byte[], byte[]> consumer = broker.consumer("group.id", group)) {
            consumer.subscribe(List.of(topic));
            read(consumer, 3);
            consumer.commitSync();
            ConsumerGroupDescription described = describe(admin, group);
            expect(described.groupState(), GroupState.STABLE, "state");
            expect(described.members().size(), 1, "members");
            expect(described.members().iterator().next().assignment().topicPartitions(),
                   Set.of(new TopicPartition(topic, 0)), "assignment");
            Collection<GroupListing> listed = admin.listGroups().all().get();
            expect(listed.stream().anyMatch(entry -> entry.groupId().equals(group)), true, "listed");
        }
        until("the group is empty", 10,
              () -> describe(admin, group).groupState() == GroupState.EMPTY);
        Map<TopicPartition, OffsetAndMetadata> offsets =
            admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
        expect(offsets.get(new TopicPartition(topic, 0)).offset(), 3L, "committed offset");
    }

    private static ConsumerGroupDescription describe(Admin admin, String group) throws Exception {
        return admin.describeConsumerGroups(List.of(group)).all().get().get(group);
    }

    private static void deleteGroup(Broker broker) throws Exception {
        Admin admin = broker.admin;
        String topic = broker.topic("gone", 1);
        String group = broker.name("gone-group");
        broker.fill(topic, 3);
        try (KafkaConsumer<byte[], byte[]> consumer = broker.consumer("group.id", group)) {
            consumer.subscribe(List.of(topic));
            read(consumer, 3);
            consumer.commitSync();
            expectError(GroupNotEmptyException.class,
                        () -> admin.deleteConsumerGroups(List.of(group)).all().get());
        }
        until("the group is empty", 10,
              () -> describe(admin, group).groupState() == GroupState.EMPTY);
        admin.deleteConsumerGroups(List.of(group)).all().get();
        expect(admin.listGroups().all().get().stream().anyMatch(
            entry -> entry.groupId().equals(group)), false, "listed after deletion");
    }

    private static void deleteGroupOffsets(Broker broker) throws Exception {
        String topic = broker.topic("offsets", 1);
        String group = broker.name("offsets-group");
        TopicPartition partition = new TopicPartition(topic, 0);
        broker.admin.alterConsumerGroupOffsets(
            group, Map.of(partition, new OffsetAndMetadata(7))).all().get();
        expect(broker.admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get()
                   .get(partition).offset(), 7L, "offset as altered");
        broker.admin.deleteConsumerGroupOffsets(group, Set.of(partition)).all().get();
        expect(broker.admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get()
                   .get(partition), null, "offset after deletion");
    }

    private static void deleteRecords(Broker broker) throws Exception {
        String topic = broker.topic("delete-records", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        broker.fill(topic, 10);
        long low = broker.admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(6)))
            .lowWatermarks().get(partition).get().lowWatermark();
        expect(low, 6L, "low watermark");
        expect(broker.readAll(topic, 4).get(0).offset(), 6L, "first offset that is left");
    }

    private static void logDirs(Broker broker) throws Exception {
        String topic = broker.topic("log-dirs", 1);
        broker.fill(topic, 100);
        int node = broker.admin.describeCluster().nodes().get().iterator().next().id();
        Map<String, LogDirDescription> dirs =
            broker.admin.describeLogDirs(List.of(node)).allDescriptions().get().get(node);
        long size = dirs.values().stream()
            .map(dir -> dir.replicaInfos().get(new TopicPartition(topic, 0)))
            .filter(java.util.Objects::nonNull).mapToLong(replica -> replica.size()).sum();
        expect(size > 100 * 200, true, "the size on disk covers the records (" + size + ")");
    }

    private AdminCases() {}
}
