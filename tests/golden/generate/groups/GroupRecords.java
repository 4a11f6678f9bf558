// Writes the records of __consumer_offsets with Kafka's own classes, every version, as lines of
// "name hex". Run: mvn -q compile dependency:copy-dependencies -DoutputDirectory=target/lib
//                  java -cp target/classes:target/lib/* GroupRecords > ../../groups_records.txt
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.coordinator.group.generated.*;

public final class GroupRecords {
    static void line(String name, ByteBuffer b) {
        byte[] bytes = new byte[b.remaining()];
        b.get(bytes);
        System.out.println(name + " " + HexFormat.of().formatHex(bytes));
    }

    static void value(String name, ApiMessage m, int version) {
        line(name + "_v" + version, MessageUtil.toVersionPrefixedByteBuffer((short) version, m));
    }

    static GroupMetadataValue group(int version) {
        var a = new GroupMetadataValue.MemberMetadata()
            .setMemberId("consumer-1-abc").setClientId("consumer-1").setClientHost("/127.0.0.1")
            .setSessionTimeout(45000).setSubscription(new byte[] {0, 1, 2, 3}).setAssignment(new byte[] {9, 8});
        var b = new GroupMetadataValue.MemberMetadata()
            .setMemberId("consumer-2-def").setClientId("consumer-2").setClientHost("/10.0.0.7")
            .setSessionTimeout(10000).setSubscription(new byte[] {}).setAssignment(new byte[] {});
        if (version >= 1) {
            a.setRebalanceTimeout(300000);
            b.setRebalanceTimeout(60000);
        }
        if (version >= 3) b.setGroupInstanceId("static-é");
        return new GroupMetadataValue().setProtocolType("consumer").setGeneration(7).setProtocol("range")
            .setLeader("consumer-1-abc").setCurrentStateTimestamp(version >= 2 ? 1700000000123L : -1L)
            .setMembers(List.of(a, b));
    }

    public static void main(String[] args) {
        line("offset_key_v0", MessageUtil.toVersionPrefixedByteBuffer((short) 0,
            new LegacyOffsetCommitKey().setGroup("group").setTopic("topic").setPartition(3)));
        line("offset_key_v1", MessageUtil.toCoordinatorTypePrefixedByteBuffer(
            new OffsetCommitKey().setGroup("grüppe").setTopic("topic").setPartition(42)));
        line("group_key_v2", MessageUtil.toCoordinatorTypePrefixedByteBuffer(
            new GroupMetadataKey().setGroup("grüppe")));
        for (int v = 0; v <= 4; v++) {
            var offset = new OffsetCommitValue().setOffset(1234567890123L).setMetadata("note")
                .setCommitTimestamp(1700000000123L);
            if (v >= 3) offset.setLeaderEpoch(5);
            if (v == 1) offset.setExpireTimestamp(1700000600123L);
            if (v == 4) offset.setTopicId(new Uuid(0x0123456789abcdefL, 0xfedcba9876543210L));
            value("offset_value", offset, v);
            value("group_value", group(v), v);
        }
        value("offset_value_no_topic_id", new OffsetCommitValue().setOffset(1).setCommitTimestamp(2), 4);
        value("group_value_empty", new GroupMetadataValue().setProtocolType("consumer").setGeneration(8)
            .setProtocol(null).setLeader(null).setCurrentStateTimestamp(1700000000124L).setMembers(List.of()), 3);
        for (int v = 0; v <= 3; v++) {
            var s = new Subscription(List.of("orders", "paÿments"), ByteBuffer.wrap(new byte[] {1, 2}),
                List.of(new TopicPartition("orders", 1)), 4, java.util.Optional.of("rack"));
            line("subscription_v" + v, ConsumerProtocol.serializeSubscription(s, (short) v));
        }
        for (String id : List.of("", "group", "test_group", "grüppe", "𝄞-clef", "polygenelubricants"))
            System.out.println("partition_of:" + id + " " + id.hashCode() + " "
                + org.apache.kafka.common.utils.Utils.abs(id.hashCode()) % 50);
    }
}
