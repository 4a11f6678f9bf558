package moldau;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The broker under test: clients for it, and the steps that most cases share. */
final class Broker implements AutoCloseable {
    final Admin admin;
    private final String bootstrap;
    private final String run;

    Broker(String bootstrap) {
        this.bootstrap = bootstrap;
        this.run = Objects.requireNonNullElse(
            System.getenv("MOLDAU_TEST_RUN"), Long.toHexString(System.currentTimeMillis()));
        this.admin = Admin.create(Map.<String, Object>of("bootstrap.servers", bootstrap));
    }

    /** A name of this run's own, so that one broker may serve many runs. */
    String name(String what) {
        return "java-" + what + "-" + run;
    }

    String topic(String what, int partitions) throws Exception {
        String topic = name(what);
        admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
        until("the topic is listed", 10, () -> admin.listTopics().names().get().contains(topic));
        return topic;
    }

    KafkaProducer<byte[], byte[]> producer(String... settings) {
        Properties properties = properties(settings);
        properties.putIfAbsent("linger.ms", "5");
        return new KafkaProducer<>(
            properties, new ByteArraySerializer(), new ByteArraySerializer());
    }

    KafkaConsumer<byte[], byte[]> consumer(String... settings) {
        Properties properties = properties(settings);
        properties.putIfAbsent("auto.offset.reset", "earliest");
        properties.putIfAbsent("enable.auto.commit", "false");
        properties.putIfAbsent("heartbeat.interval.ms", "300");
        return new KafkaConsumer<>(
            properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private Properties properties(String... settings) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        for (int i = 0; i < settings.length; i += 2) {
            properties.put(settings[i], settings[i + 1]);
        }
        return properties;
    }

    /** Produces count records to partition 0; their offsets must be 0, 1, 2, … unless acks=0. */
    void fill(String topic, int count, String... settings) throws Exception {
        List<java.util.concurrent.Future<RecordMetadata>> sent = new ArrayList<>();
        try (KafkaProducer<byte[], byte[]> producer = producer(settings)) {
            for (int i = 0; i < count; i++) {
                sent.add(producer.send(new ProducerRecord<>(topic, 0, null, payload(i))));
            }
        }
        for (int i = 0; i < count; i++) {
            RecordMetadata metadata = sent.get(i).get();
            if (metadata.hasOffset()) {
                expect(metadata.offset(), (long) i, "acknowledged offset");
            }
        }
    }

    static byte[] payload(int i) {
        return ("record " + i + " " + "moldau ".repeat(30)).getBytes();
    }

    static List<ConsumerRecord<byte[], byte[]>> read(KafkaConsumer<byte[], byte[]> consumer,
                                                     int count) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (records.size() < count) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError(records.size() + " of " + count + " records in 20 s");
            }
            consumer.poll(Duration.ofMillis(200)).forEach(records::add);
        }
        return records;
    }

    /** Assigns partition 0 from its beginning and reads count records. */
    List<ConsumerRecord<byte[], byte[]>> readAll(String topic, int count) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            consumer.assign(List.of(new TopicPartition(topic, 0)));
            return read(consumer, count);
        }
    }

    static void expect(Object actual, Object wanted, String what) {
        if (!Objects.equals(actual, wanted)) {
            throw new AssertionError(what + ": got " + actual + ", expected " + wanted);
        }
    }

    /** Waits for a state of the broker that is reached in its own time. */
    static void until(String what, int seconds, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
        while (!condition.call()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError(what + ": not within " + seconds + " s");
            }
            Thread.sleep(50);
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(5));
    }
}
