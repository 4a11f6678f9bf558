package moldau;

import static moldau.Broker.expect;
import static moldau.Broker.payload;
import static moldau.Broker.read;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/** What is produced is what is consumed: codecs, acks, keys, headers, places to begin. */
final class RecordCases {
    static void addTo(Map<String, Suite.Case> cases) {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            cases.put("codec_" + codec, broker ->
                roundTrip(broker, "codec-" + codec, 300, "compression.type", codec));
        }
        for (String acks : List.of("0", "1", "all")) {
            cases.put("acks_" + acks, broker -> roundTrip(broker, "acks-" + acks, 50, "acks", acks,
                                                          "enable.idempotence", "false"));
        }
        cases.put("idempotent_producer", broker ->
            roundTrip(broker, "idempotent", 1000, "enable.idempotence", "true", "batch.size", "2000"));
        cases.put("topic_made_by_first_produce", RecordCases::topicMadeByFirstProduce);
        cases.put("keys_and_headers", RecordCases::keysAndHeaders);
        cases.put("consume_from_beginning_and_end", RecordCases::beginningAndEnd);
        cases.put("consume_from_timestamp", RecordCases::fromTimestamp);
        cases.put("seek", RecordCases::seek);
    }

    private static void roundTrip(Broker broker, String what, int count, String... settings)
            throws Exception {
        String topic = broker.topic(what, 1);
        broker.fill(topic, count, settings);
        List<ConsumerRecord<byte[], byte[]>> records = broker.readAll(topic, count);
        for (int i = 0; i < count; i++) {
            expect(records.get(i).offset(), (long) i, "offset");
            expect(new String(records.get(i).value()), new String(payload(i)), "value");
        }
        expect(records.size(), count, "records");
    }

    private static void topicMadeByFirstProduce(Broker broker) throws Exception {
        String topic = broker.name("auto");
        try (KafkaProducer<byte[], byte[]> producer = broker.producer()) {
            expect(producer.send(new ProducerRecord<>(topic, payload(0))).get().offset(), 0L,
                   "acknowledged offset");
        }
        expect(broker.admin.listTopics().names().get().contains(topic), true, "listed");
    }

    private static void keysAndHeaders(Broker broker) throws Exception {
        String topic = broker.topic("headers", 1);
        List<ProducerRecord<byte[], byte[]>> sent = List.of(
            record(topic, "key", "value", new RecordHeader("h1", "one".getBytes()),
                   new RecordHeader("h2", new byte[] {0, -1})),
            record(topic, null, "no key"),
            record(topic, "no value", null, new RecordHeader("h1", "again".getBytes()),
                   new RecordHeader("h1", "and again".getBytes())),
            record(topic, "", "", new RecordHeader("null", null)));
        try (KafkaProducer<byte[], byte[]> producer = broker.producer()) {
            sent.forEach(producer::send);
        }
        List<ConsumerRecord<byte[], byte[]>> got = broker.readAll(topic, sent.size());
        for (int i = 0; i < sent.size(); i++) {
            expect(Arrays.equals(got.get(i).key(), sent.get(i).key()), true, "key " + i);
            expect(Arrays.equals(got.get(i).value(), sent.get(i).value()), true, "value " + i);
            expect(List.of(got.get(i).headers().toArray()),
                   List.of(sent.get(i).headers().toArray()), "headers " + i);
        }
    }

    private static ProducerRecord<byte[], byte[]> record(String topic, String key, String value,
                                                         Header... headers) {
        return new ProducerRecord<>(topic, 0, key == null ? null : key.getBytes(),
                                    value == null ? null : value.getBytes(), List.of(headers));
    }

    private static void beginningAndEnd(Broker broker) throws Exception {
        String topic = broker.topic("ends", 1);
        List<TopicPartition> partition = List.of(new TopicPartition(topic, 0));
        broker.fill(topic, 20);
        try (KafkaConsumer<byte[], byte[]> late = broker.consumer("auto.offset.reset", "latest");
             KafkaConsumer<byte[], byte[]> early = broker.consumer();
             KafkaProducer<byte[], byte[]> producer = broker.producer()) {
            late.assign(partition);
            late.seekToEnd(partition);
            expect(late.position(partition.get(0)), 20L, "position at the end");
            early.assign(partition);
            producer.send(new ProducerRecord<>(topic, payload(20))).get();
            expect(read(late, 1).get(0).offset(), 20L, "from the end");
            expect(read(early, 21).size(), 21, "from the beginning");
            expect(early.beginningOffsets(partition).get(partition.get(0)), 0L, "beginning");
            expect(early.endOffsets(partition).get(partition.get(0)), 21L, "end");
        }
    }

    private static void fromTimestamp(Broker broker) throws Exception {
        String topic = broker.topic("time", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        long base = System.currentTimeMillis() - 100_000;
        try (KafkaProducer<byte[], byte[]> producer = broker.producer()) {
            for (int i = 0; i < 10; i++) {
                producer.send(new ProducerRecord<>(topic, 0, base + i * 1000L, null, payload(i)));
            }
        }
        try (KafkaConsumer<byte[], byte[]> consumer = broker.consumer()) {
            consumer.assign(List.of(partition));
            OffsetAndTimestamp found =
                consumer.offsetsForTimes(Map.of(partition, base + 4_500)).get(partition);
            expect(found.offset(), 5L, "offset between two timestamps");
            expect(found.timestamp(), base + 5_000, "timestamp of that offset");
            expect(consumer.offsetsForTimes(Map.of(partition, base + 60_000)).get(partition), null,
                   "offset after all timestamps");
            consumer.seek(partition, found.offset());
            List<Long> timestamps = new ArrayList<>();
            read(consumer, 5).forEach(record -> timestamps.add(record.timestamp() - base));
            expect(timestamps, List.of(5_000L, 6_000L, 7_000L, 8_000L, 9_000L), "timestamps");
        }
    }

    private static void seek(Broker broker) throws Exception {
        String topic = broker.topic("seek", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        broker.fill(topic, 30);
        try (KafkaConsumer<byte[], byte[]> consumer = broker.consumer()) {
            consumer.assign(List.of(partition));
            for (long offset : new long[] {12, 29, 0, 7}) {
                consumer.seek(partition, offset);
                expect(read(consumer, 1).get(0).offset(), offset, "first offset after seek");
            }
        }
    }

    private RecordCases() {}
}
