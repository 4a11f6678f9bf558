#pragma once
#include <cstddef>
#include <cstdint>

namespace groups {

/// The broker options that groups act by, with Kafka's defaults; Kafka's names are in the comments.
struct Config {
    int32_t min_session_timeout_ms = 6'000;      // group.min.session.timeout.ms
    int32_t max_session_timeout_ms = 1'800'000;  // group.max.session.timeout.ms
    int32_t initial_rebalance_delay_ms = 3'000;  // group.initial.rebalance.delay.ms
    int32_t max_size = 2'147'483'647;            // group.max.size
    int64_t retention_ms = 7ll * 24 * 3600'000;  // offsets.retention.minutes
    int64_t retention_check_ms = 600'000;        // offsets.retention.check.interval.ms
    int32_t metadata_max_bytes = 4'096;  // offset.metadata.max.bytes, of one committed offset
    int32_t commit_timeout_ms =
        5'000;  // offsets.commit.timeout.ms: the longest wait for durability
    int32_t load_buffer_bytes = 5 << 20;  // offsets.load.buffer.size: one read while loading
    int32_t max_batch_bytes = 1'048'588;  // max.message.bytes of __consumer_offsets

    /// A join whose client has gone can't be told from a slow one; it is dropped after this long.
    int32_t new_member_join_timeout_ms = 300'000;
    /// Bounds on what peers may make one group hold; beyond them a join is refused with 81.
    size_t group_metadata_max_bytes = 16u << 20;  // protocol metadata of all members together
    size_t pending_members_max = 10'000;          // member ids given out and not yet joined with
};

}  // namespace groups
