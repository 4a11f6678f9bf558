#pragma once
#include <cstdint>

namespace storage {

/// The topic configs that a log acts by. Units are in the names; -1 where Kafka says unlimited.
struct LogConfig {
    uint32_t segment_bytes = 1u << 30;
    int64_t segment_ms = 7ll * 24 * 3600 * 1000;
    int64_t segment_jitter_ms = 0;
    int64_t retention_ms = 7ll * 24 * 3600 * 1000;
    int64_t retention_bytes = -1;
    uint32_t index_interval_bytes = 4096;
    uint32_t segment_index_bytes = 10u << 20;
    int64_t file_delete_delay_ms = 60'000;
    uint32_t max_message_bytes = 1'048'588;
    bool cleanup_delete = true;
    bool cleanup_compact = false;
    bool message_timestamp_after_append = false;  // LogAppendTime
    int64_t producer_id_expiration_ms = 86'400'000;

    bool operator==(const LogConfig&) const = default;
};

}  // namespace storage
