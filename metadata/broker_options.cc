#include "metadata/broker_options.h"

#include <cstdint>

namespace metadata {

namespace {

using namespace base::option;
using base::Option;
using enum base::OptionScope;

constexpr int64_t kForever = INT64_MAX;
constexpr int32_t kNoLimit = INT32_MAX;
constexpr int64_t kMsPerHour = 3'600'000;
constexpr int64_t kMsPerMinute = 60'000;

const char* const kSyncedAnyway = "every acks=all produce is synced, unless write.caching is on";

std::vector<Option> identity() {
    return {
        int32("node.id", 0, "This node's number in the cluster, from 0.")
            .at_least(0)
            .or_else("broker.id"),
        int32("broker.id", std::nullopt, "The older name of node.id.").at_least(0),
        list("process.roles", "broker,controller",
             "What this node does: serve clients (broker), keep the cluster's metadata and decide "
             "on it (controller), or both.")
            .one_of({"broker", "controller"}),
        string("broker.rack", std::nullopt,
               "Where this broker stands; replicas of a partition are spread over racks."),
        list("log.dirs", std::nullopt, "Where data lies.").or_else("log.dir"),
        string("replica.selector.class", "org.apache.kafka.common.replica.LeaderSelector",
               "Which replica a consumer reads from: the leader, or one in its own rack "
               "(client.rack) where there is one.")
            .one_of({"org.apache.kafka.common.replica.LeaderSelector",
                     "org.apache.kafka.common.replica.RackAwareReplicaSelector"}),
        string("metadata.log.dir", std::nullopt,
               "Where the metadata log lies. Not set: the first of log.dirs."),
        string("cluster.id", std::nullopt,
               "The cluster this node belongs to; drawn at the first start where it is not set. "
               "Data of "
               "another cluster is refused.")
            .own(),
        list("log.dir", "data", "The older name of log.dirs, used if that is not set."),
        int64(
            "storage.reserve.bytes", 64 << 20,
            "With no more than this free on the disk of a log directory, produce to its topics is "
            "refused; the broker's own topics and deletion go on. 0: produce until it is full.")
            .at_least(0)
            .own(),
        int64("log.scrub.bytes.per.second", 10 << 20,
              "How fast a broker reads its closed segments to verify them. 0: not at all; then "
              "only damage that a read comes upon is mended.")
            .at_least(0)
            .own(),
        int64("log.scrub.interval.ms", int64_t{7} * 24 * 3600 * 1000,
              "Every closed segment is verified once in this time, if that is enough to read them "
              "all.")
            .at_least(1)
            .own(),
        string("controller.quorum.voters", "",
               "The controllers of the cluster, as id@host:port with commas between, the same on "
               "every node; each port is that of a controller listener. Empty: a cluster of this "
               "node alone."),
        string("controller.quorum.bootstrap.servers", "",
               "Controllers to ask first, as host:port with commas between.")
            .without_effect("controller.quorum.voters names the controllers"),
        int32("broker.heartbeat.interval.ms", 500,
              "How often a broker tells the controller it lives.")
            .at_least(1),
        int32(
            "broker.session.timeout.ms", 3000,
            "A broker that was not heard from for this long is fenced. At least three heartbeats.")
            .at_least(1),
        int32(
            "broker.disk.stall.timeout.ms", 3000,
            "A broker with a sync that takes longer than this, or an event loop that stands still "
            "for as long, asks that others lead in its place until that is over.")
            .at_least(1)
            .own(),
    };
}

std::vector<Option> network() {
    return {
        list("listeners", "PLAINTEXT://:9092,CONTROLLER://:19092",
             "Addresses to listen on, as NAME://host:port. Without a host: all addresses. The "
             "controller listener speaks gRPC, with the other nodes and with native clients: a "
             "node of a cluster of several needs it, one alone may leave it out, and one that is "
             "only a controller has nothing else."),
        list("advertised.listeners", std::nullopt,
             "Addresses that clients are told to connect to. Not set: those of listeners."),
        string("listener.security.protocol.map",
               "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
               "The protocol of each listener name. Only PLAINTEXT listeners are served."),
        list("controller.listener.names", "CONTROLLER",
             "The name, in listeners, of the controller listener: where the nodes of the cluster "
             "reach this one, brokers too, and clients that speak gRPC, not Kafka's protocol. Of "
             "several names the first that listeners has is used."),
        string("inter.broker.listener.name", std::nullopt,
               "The listener that brokers use among themselves.")
            .without_effect("brokers speak gRPC among themselves"),
        int32("socket.request.max.bytes", 104'857'600, "The largest request.").at_least(1),
        int32("socket.send.buffer.bytes", 102'400,
              "The socket's send buffer. -1: the system's own.")
            .at_least(-1)
            .without_effect("the system sizes the buffers"),
        int32("socket.receive.buffer.bytes", 102'400,
              "The socket's receive buffer. -1: the system's own.")
            .at_least(-1)
            .without_effect("the system sizes the buffers"),
        int32("socket.listen.backlog.size", 50, "Connections that may wait to be accepted.")
            .at_least(1)
            .without_effect("the system's largest backlog is used"),
        int64("connections.max.idle.ms", 600'000,
              "A connection that is silent for so long is closed. -1: never.")
            .at_least(-1),
        int64("request.frame.timeout.ms", 30'000,
              "A connection is closed if a request that has begun is not complete after this, and "
              "a second more for each 256 KiB of it.")
            .at_least(1)
            .own(),
        int32("max.connections", 10'000, "Connections at once.").at_least(0),
        int32("max.connections.per.ip", 10'000, "Connections at once from one address.")
            .at_least(0),
        string("max.connections.per.ip.overrides", "",
               "Limits for single addresses, as host:count with commas between.")
            .without_effect("not there yet: max.connections.per.ip holds for every address"),
        int64("queued.max.request.bytes", 512 << 20,
              "Memory for all requests in work at once; connections are not read while it is used "
              "up.")
            .at_least(1 << 20),
        int32("queued.max.requests", 500, "Requests in work at once on one connection.")
            .at_least(1)
            .without_effect("128 requests of one connection may be in work"),
        int32("num.network.threads", 0,
              "Event loops, one thread each; each owns its connections and partitions. 0: one a "
              "core.")
            .between(int64_t{0}, int64_t{1024}),
        int32("num.io.threads", 8, "Threads for work that blocks: syncs, opening files.")
            .between(int64_t{1}, int64_t{1024}),
        int32("background.threads", 10, "Threads for maintenance.")
            .at_least(1)
            .without_effect("num.io.threads has them too"),
        int32("num.recovery.threads.per.data.dir", 2, "Logs recovered at once after a crash.")
            .at_least(1)
            .without_effect("num.io.threads recover logs"),
        int32("fetch.max.bytes", 57'671'680, "The most that one fetch is answered with.")
            .at_least(1024),
        int32("max.incremental.fetch.session.cache.slots", 1000, "Fetch sessions kept at once.")
            .at_least(0),
        int32("max.request.partition.size.limit", 2000,
              "Partitions that one DescribeTopicPartitions answer lists.")
            .at_least(1),
        int64("request.timeout.ms", 30'000, "How long brokers wait for each other.")
            .at_least(1)
            .without_effect("a broker waits for the controller as long as its client does"),
        string("local.faults.file", "",
               "For tests: a file of pairs of nodes, `A B` on a line, that are kept from reaching "
               "each other. It is read again as it changes; moldau local cut writes it. Empty: "
               "none.")
            .own(),
        string("http.listener", "",
               "Where metrics and health are served over HTTP, as host:port. Empty: not.")
            .own()
            .without_effect("not there yet"),
    };
}

std::vector<Option> topics() {
    return {
        boolean("auto.create.topics.enable", true,
                "Create a topic when a client that allows it first names it."),
        boolean("delete.topic.enable", true, "Whether topics can be deleted."),
        int32("num.partitions", 1, "Partitions of a topic whose creator does not say.").at_least(1),
        int32("default.replication.factor", 1,
              "Replicas of a topic whose creator does not say. Where it is not set: 3 once the "
              "cluster has three brokers.")
            .between(int64_t{1}, int64_t{INT16_MAX}),
        int32(
            "min.insync.replicas", 1,
            "With fewer replicas in sync, a produce with acks=all is refused. Where it is not set: "
            "2 once the cluster has three brokers.")
            .at_least(1)
            .in(cluster),
        boolean("unclean.leader.election.enable", false,
                "Whether a replica that may lack acknowledged records can become leader.")
            .in(cluster),
        int64("replica.lag.time.max.ms", 30'000,
              "A follower that has not had all of its leader's records for so long leaves the "
              "in-sync replicas.")
            .at_least(1),
        boolean(
            "write.caching", false,
            "Acknowledge acks=all once all in-sync replicas have the record in memory, as Kafka "
            "does, instead of on disk.")
            .in(cluster)
            .own(),
        boolean("auto.leader.rebalance.enable", true,
                "Give leadership back to a partition's first replica when it is in sync."),
        int64("leader.imbalance.check.interval.seconds", 300,
              "How often the controller looks whether leadership is to be given back.")
            .at_least(1),
        int32("leader.imbalance.per.broker.percentage", 10,
              "Of the partitions that list a broker first, how many others may lead before "
              "leadership is given back.")
            .at_least(0),
    };
}

std::vector<Option> logs() {
    return {
        list("log.cleanup.policy", "delete", "Default of cleanup.policy.")
            .one_of({"compact", "delete"})
            .in(cluster),
        int64("log.retention.ms", std::nullopt, "Default of retention.ms. -1: kept however old.")
            .at_least(-1)
            .in(cluster)
            .or_else("log.retention.minutes", kMsPerMinute)
            .or_else("log.retention.hours", kMsPerHour),
        int32("log.retention.minutes", std::nullopt, "As log.retention.ms, which goes before it.")
            .at_least(-1),
        int32("log.retention.hours", 168,
              "As log.retention.ms and log.retention.minutes, which go before it.")
            .at_least(-1),
        int64("log.retention.bytes", -1, "Default of retention.bytes.").at_least(-1).in(cluster),
        int64("log.retention.check.interval.ms", 300'000, "How often old segments are looked for.")
            .at_least(1)
            .without_effect("every log is looked at every 5 s"),
        int32("log.segment.bytes", 1 << 30, "Default of segment.bytes.").at_least(1024).in(cluster),
        int64("log.roll.ms", std::nullopt, "Default of segment.ms.")
            .at_least(1)
            .in(cluster)
            .or_else("log.roll.hours", kMsPerHour),
        int32("log.roll.hours", 168, "As log.roll.ms, which goes before it.").at_least(1),
        int64("log.roll.jitter.ms", std::nullopt, "Default of segment.jitter.ms.")
            .at_least(0)
            .in(cluster)
            .or_else("log.roll.jitter.hours", kMsPerHour),
        int32("log.roll.jitter.hours", 0, "As log.roll.jitter.ms, which goes before it.")
            .at_least(0),
        int32("log.index.size.max.bytes", 10 << 20, "Default of segment.index.bytes.")
            .at_least(4)
            .in(cluster),
        int32("log.index.interval.bytes", 4096, "Default of index.interval.bytes.")
            .at_least(0)
            .in(cluster),
        int64("log.segment.delete.delay.ms", 60'000, "Default of file.delete.delay.ms.")
            .at_least(0)
            .in(cluster),
        boolean("log.preallocate", false, "Default of preallocate.")
            .in(cluster)
            .without_effect("segments grow as they are written"),
        int64("log.flush.interval.messages", kForever, "Default of flush.messages.")
            .at_least(1)
            .in(cluster)
            .without_effect(kSyncedAnyway),
        int64("log.flush.interval.ms", std::nullopt, "Default of flush.ms.")
            .at_least(0)
            .in(cluster)
            .or_else("log.flush.scheduler.interval.ms")
            .without_effect(kSyncedAnyway),
        int64("log.flush.scheduler.interval.ms", kForever, "How often to look what to flush.")
            .at_least(0)
            .without_effect(kSyncedAnyway),
        int32("message.max.bytes", 1'048'588, "Default of max.message.bytes.")
            .at_least(0)
            .in(cluster),
        string("compression.type", "producer", "Default of the topic option.")
            .one_of({"uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"})
            .in(cluster),
        int32("compression.gzip.level", -1, "Default of the topic option.")
            .between(int64_t{-1}, int64_t{9})
            .not_zero()
            .in(cluster),
        int32("compression.lz4.level", 9, "Default of the topic option.")
            .between(int64_t{1}, int64_t{17})
            .in(cluster),
        int32("compression.zstd.level", 3, "Default of the topic option.")
            .between(int64_t{-131072}, int64_t{22})
            .in(cluster),
        string("log.message.timestamp.type", "CreateTime", "Default of message.timestamp.type.")
            .one_of({"CreateTime", "LogAppendTime"})
            .in(cluster),
        int64("log.message.timestamp.before.max.ms", kForever,
              "Default of message.timestamp.before.max.ms.")
            .at_least(0)
            .in(cluster),
        int64("log.message.timestamp.after.max.ms", 3'600'000,
              "Default of message.timestamp.after.max.ms.")
            .at_least(0)
            .in(cluster),
        int32("producer.id.expiration.ms", 86'400'000,
              "An idempotent producer that has not written for so long is forgotten.")
            .at_least(1)
            .in(cluster),
        int64(
            "leader.replication.throttled.rate", kForever,
            "Bytes a second that this broker sends to all replicas together that are not in sync, "
            "whatever leader.replication.throttled.replicas names.")
            .at_least(1)
            .in(cluster),
        int64("follower.replication.throttled.rate", kForever,
              "Bytes a second that this broker fetches of the replicas that "
              "follower.replication.throttled.replicas names.")
            .at_least(0)
            .in(cluster)
            .without_effect("records are pushed, so the leaders' rate is the one that counts"),
    };
}

std::vector<Option> compaction() {
    return {
        boolean("log.cleaner.enable", true, "Whether compacted topics are compacted.")
            .without_effect("compacted topics are not cleaned yet"),
        int64("log.cleaner.delete.retention.ms", 86'400'000, "Default of delete.retention.ms.")
            .at_least(0)
            .in(cluster)
            .without_effect("compacted topics are not cleaned yet"),
        int64("log.cleaner.min.compaction.lag.ms", 0, "Default of min.compaction.lag.ms.")
            .at_least(0)
            .in(cluster)
            .without_effect("compacted topics are not cleaned yet"),
        int64("log.cleaner.max.compaction.lag.ms", kForever, "Default of max.compaction.lag.ms.")
            .at_least(1)
            .in(cluster)
            .without_effect("compacted topics are not cleaned yet"),
        float64("log.cleaner.min.cleanable.ratio", "0.5", "Default of min.cleanable.dirty.ratio.")
            .between(0.0, 1.0)
            .in(cluster)
            .without_effect("compacted topics are not cleaned yet"),
    };
}

std::vector<Option> groups() {
    return {
        int32("group.initial.rebalance.delay.ms", 3000,
              "How long the first rebalance of an empty group waits for more members.")
            .at_least(0),
        int32("group.min.session.timeout.ms", 6000, "The shortest session a member may ask for.")
            .at_least(1),
        int32("group.max.session.timeout.ms", 1'800'000,
              "The longest session a member may ask for.")
            .at_least(1),
        int32("group.max.size", kNoLimit, "Members of one group.").at_least(1),
        int32("offset.metadata.max.bytes", 4096, "The most text that goes with a committed offset.")
            .at_least(0),
        int32("offsets.retention.minutes", 10'080,
              "Committed offsets of a group are kept for so long after its last member left.")
            .at_least(1),
        int64("offsets.retention.check.interval.ms", 600'000,
              "How often expired offsets are looked for.")
            .at_least(1),
        int32("offsets.commit.timeout.ms", 5000, "How long a commit waits to be safe.").at_least(1),
        int32("offsets.topic.num.partitions", 50,
              "Partitions of __consumer_offsets. Not to be changed once it exists.")
            .at_least(1),
        int16("offsets.topic.replication.factor", 3,
              "Replicas of __consumer_offsets; all brokers where there are fewer.")
            .at_least(1),
        int32("offsets.topic.segment.bytes", 104'857'600, "Segment size of __consumer_offsets.")
            .at_least(1),
        int32("transactional.id.expiration.ms", 604'800'000,
              "A transactional id unused for so long is forgotten.")
            .at_least(1)
            .without_effect("transactions are not served yet"),
        int32("transaction.max.timeout.ms", 900'000,
              "The longest transaction a producer may ask for.")
            .at_least(1)
            .without_effect("transactions are not served yet"),
        int32("transaction.state.log.num.partitions", 50, "Partitions of __transaction_state.")
            .at_least(1)
            .without_effect("transactions are not served yet"),
        int16("transaction.state.log.replication.factor", 3, "Replicas of __transaction_state.")
            .at_least(1)
            .without_effect("transactions are not served yet"),
        int32("transaction.state.log.min.isr", 2, "min.insync.replicas of __transaction_state.")
            .at_least(1)
            .without_effect("transactions are not served yet"),
    };
}

base::OptionTable table() {
    std::vector<Option> all;
    for (auto part : {identity(), network(), topics(), logs(), compaction(), groups()})
        for (auto& option : part) all.push_back(std::move(option));
    return base::OptionTable(std::move(all));
}

}  // namespace

const base::OptionTable& broker_options() {
    static const base::OptionTable options = table();
    return options;
}

}  // namespace metadata
