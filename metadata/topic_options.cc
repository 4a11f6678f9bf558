#include "metadata/topic_options.h"

#include <cstdint>

namespace metadata {

namespace {

using namespace base::option;
using base::Option;

constexpr int64_t kForever = INT64_MAX;

const char* const kNoThrottle = "it takes effect with the replication of records";

std::vector<Option> retention() {
    return {
        list(
            "cleanup.policy", "delete",
            "What happens to old segments: delete them, or compact them to the last record of each "
            "key, or both.")
            .one_of({"compact", "delete"})
            .or_else("log.cleanup.policy"),
        int64("retention.ms", 604'800'000,
              "Segments whose newest record is older are deleted. -1: kept however old.")
            .at_least(-1)
            .or_else("log.retention.ms"),
        int64(
            "retention.bytes", -1,
            "The oldest segments of a partition are deleted while it holds more than this. -1: no "
            "limit.")
            .at_least(-1)
            .or_else("log.retention.bytes"),
        int64("delete.retention.ms", 86'400'000,
              "How long a compacted topic keeps the marks of deleted keys.")
            .at_least(0)
            .or_else("log.cleaner.delete.retention.ms")
            .without_effect("compacted topics are not cleaned yet"),
        int64("min.compaction.lag.ms", 0, "A record is not compacted away before it is this old.")
            .at_least(0)
            .or_else("log.cleaner.min.compaction.lag.ms")
            .without_effect("compacted topics are not cleaned yet"),
        int64("max.compaction.lag.ms", kForever,
              "A record is considered for compaction by the time it is this old.")
            .at_least(1)
            .or_else("log.cleaner.max.compaction.lag.ms")
            .without_effect("compacted topics are not cleaned yet"),
        float64(
            "min.cleanable.dirty.ratio", "0.5",
            "Share of a log that must be new since it was last compacted, for it to be compacted "
            "again.")
            .between(0.0, 1.0)
            .or_else("log.cleaner.min.cleanable.ratio")
            .without_effect("compacted topics are not cleaned yet"),
        int64("file.delete.delay.ms", 60'000,
              "How long a deleted segment's files stay, for those who still read them.")
            .at_least(0)
            .or_else("log.segment.delete.delay.ms"),
    };
}

std::vector<Option> segments() {
    return {
        int32("segment.bytes", 1 << 30,
              "A segment file is closed, and a new one begun, at this size.")
            .at_least(1024)
            .or_else("log.segment.bytes"),
        int64("segment.ms", 604'800'000,
              "A segment is closed when it is this old, even if it is not full.")
            .at_least(1)
            .or_else("log.roll.ms"),
        int64("segment.jitter.ms", 0,
              "Up to this much is taken from segment.ms, so that not all partitions close at once.")
            .at_least(0)
            .or_else("log.roll.jitter.ms"),
        int32("segment.index.bytes", 10 << 20,
              "A segment is closed when its offset index has this size.")
            .at_least(4)
            .or_else("log.index.size.max.bytes"),
        int32("index.interval.bytes", 4096, "One index entry for so many bytes of records.")
            .at_least(0)
            .or_else("log.index.interval.bytes"),
        boolean("preallocate", false, "Reserve a new segment's space on disk at once.")
            .or_else("log.preallocate")
            .without_effect("segments grow as they are written"),
        int64("flush.messages", kForever, "Sync a partition after so many records.")
            .at_least(1)
            .or_else("log.flush.interval.messages")
            .without_effect("every acks=all produce is synced, unless write.caching is on"),
        int64("flush.ms", kForever, "Sync a partition after so long.")
            .at_least(0)
            .or_else("log.flush.interval.ms")
            .without_effect("every acks=all produce is synced, unless write.caching is on"),
    };
}

std::vector<Option> records() {
    return {
        int32("max.message.bytes", 1'048'588,
              "The largest record batch that is taken, as it is on the wire (compressed).")
            .at_least(0)
            .or_else("message.max.bytes"),
        string("compression.type", "producer",
               "The codec that batches are kept in; producer: as they come.")
            .one_of({"uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"})
            .or_else("compression.type"),
        int32("compression.gzip.level", -1, "Level for compression.type=gzip. -1: the codec's own.")
            .between(int64_t{-1}, int64_t{9})
            .not_zero()
            .or_else("compression.gzip.level"),
        int32("compression.lz4.level", 9, "Level for compression.type=lz4.")
            .between(int64_t{1}, int64_t{17})
            .or_else("compression.lz4.level"),
        int32("compression.zstd.level", 3, "Level for compression.type=zstd.")
            .between(int64_t{-131072}, int64_t{22})
            .or_else("compression.zstd.level"),
        string("message.timestamp.type", "CreateTime",
               "Whose clock stamps a record: the producer's, or the broker's as it appends.")
            .one_of({"CreateTime", "LogAppendTime"})
            .or_else("log.message.timestamp.type"),
        int64("message.timestamp.before.max.ms", kForever,
              "A record stamped this much earlier than the broker's clock is refused.")
            .at_least(0)
            .or_else("log.message.timestamp.before.max.ms"),
        int64("message.timestamp.after.max.ms", 3'600'000,
              "A record stamped this much later than the broker's clock is refused.")
            .at_least(0)
            .or_else("log.message.timestamp.after.max.ms"),
    };
}

std::vector<Option> safety() {
    return {
        int32("min.insync.replicas", 1,
              "With fewer replicas in sync, a produce with acks=all is refused and nothing more "
              "becomes visible. Where it is not set: 2 once the cluster has three brokers. Never "
              "more than the topic has replicas.")
            .at_least(1)
            .or_else("min.insync.replicas"),
        boolean("unclean.leader.election.enable", false,
                "Whether a replica that may lack acknowledged records can become leader when no "
                "other is left.")
            .or_else("unclean.leader.election.enable"),
        boolean(
            "write.caching", false,
            "Acknowledge acks=all once all in-sync replicas have the record in memory, as Kafka "
            "does, instead of on disk.")
            .or_else("write.caching")
            .own(),
        list("leader.replication.throttled.replicas", "",
             "Replicas whose leaders send at leader.replication.throttled.rate, as "
             "PARTITION:BROKER with commas between; * for all.")
            .of_replicas()
            .without_effect(kNoThrottle),
        list("follower.replication.throttled.replicas", "",
             "Replicas whose followers fetch at follower.replication.throttled.rate, as "
             "PARTITION:BROKER with commas between; * for all.")
            .of_replicas()
            .without_effect(kNoThrottle),
    };
}

base::OptionTable table() {
    std::vector<Option> all;
    for (auto part : {retention(), segments(), records(), safety()})
        for (auto& option : part) all.push_back(std::move(option).in(base::OptionScope::topic));
    return base::OptionTable(std::move(all));
}

}  // namespace

const base::OptionTable& topic_options() {
    static const base::OptionTable options = table();
    return options;
}

}  // namespace metadata
