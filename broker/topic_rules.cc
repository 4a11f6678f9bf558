#include "broker/topic_rules.h"

#include <algorithm>

#include "broker/resolve.h"

namespace broker {

namespace {

std::optional<kafka::Compression> compression(const metadata::ConfigView& configs,
                                              const std::string& topic) {
    using kafka::Codec;
    const std::string type = configs.topic_string(topic, "compression.type");
    const auto with_level = [&](Codec codec, const char* option) {
        return kafka::Compression{codec, static_cast<int>(configs.topic_int(topic, option))};
    };
    if (type == "uncompressed") return kafka::Compression{Codec::none, std::nullopt};
    if (type == "snappy") return kafka::Compression{Codec::snappy, std::nullopt};
    if (type == "gzip") return with_level(Codec::gzip, "compression.gzip.level");
    if (type == "lz4") return with_level(Codec::lz4, "compression.lz4.level");
    if (type == "zstd") return with_level(Codec::zstd, "compression.zstd.level");
    return std::nullopt;  // "producer"
}

bool has(const std::vector<std::string>& list, const char* element) {
    return std::find(list.begin(), list.end(), element) != list.end();
}

}  // namespace

kafka::BatchRules batch_rules(const metadata::ConfigView& configs, const metadata::Topic& topic) {
    const auto number = [&](const char* option) { return configs.topic_int(topic.name, option); };
    kafka::BatchRules rules;
    rules.max_message_bytes = static_cast<uint32_t>(number("max.message.bytes"));
    rules.keys_required = has(configs.topic_list(topic.name, "cleanup.policy"), "compact");
    if (configs.topic_string(topic.name, "message.timestamp.type") == "LogAppendTime")
        rules.timestamp_type = kafka::TimestampType::log_append_time;
    rules.timestamp_before_max_ms = number("message.timestamp.before.max.ms");
    rules.timestamp_after_max_ms = number("message.timestamp.after.max.ms");
    rules.compression = compression(configs, topic.name);
    return rules;
}

replication::Partitions::Settings partition_settings(const metadata::ConfigView& configs,
                                                     const metadata::Topic& topic) {
    const auto number = [&](const char* option) { return configs.topic_int(topic.name, option); };
    const auto cleanup = configs.topic_list(topic.name, "cleanup.policy");
    replication::Partitions::Settings out;
    out.log.segment_bytes = static_cast<uint32_t>(number("segment.bytes"));
    out.log.segment_ms = number("segment.ms");
    out.log.segment_jitter_ms = number("segment.jitter.ms");
    out.log.retention_ms = number("retention.ms");
    out.log.retention_bytes = number("retention.bytes");
    out.log.index_interval_bytes = static_cast<uint32_t>(number("index.interval.bytes"));
    out.log.segment_index_bytes = static_cast<uint32_t>(number("segment.index.bytes"));
    out.log.file_delete_delay_ms = number("file.delete.delay.ms");
    out.log.max_message_bytes = static_cast<uint32_t>(number("max.message.bytes"));
    out.log.cleanup_delete = has(cleanup, "delete");
    out.log.cleanup_compact = has(cleanup, "compact");
    out.log.message_timestamp_after_append =
        configs.topic_string(topic.name, "message.timestamp.type") == "LogAppendTime";
    out.log.producer_id_expiration_ms = configs.broker_int("producer.id.expiration.ms");
    out.options.uses_reserve = internal_topic(topic.name);
    out.options.write_caching = configs.topic_bool(topic.name, "write.caching");
    out.options.lag_max_ms = configs.broker_int("replica.lag.time.max.ms");
    return out;
}

}  // namespace broker
