#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Moves the start of partitions up to an offset.
struct DeleteRecordsRequest {
    static constexpr Api api = api_of(ApiKey::delete_records);

    struct DeleteRecordsPartition {
        int32_t partition_index = 0;
        int64_t offset = 0;  // the new start; -1: the high watermark

        static void fields(auto& m, auto& f) {
            f("partition_index", m.partition_index);
            f("offset", m.offset);
        }
        bool operator==(const DeleteRecordsPartition&) const = default;
    };

    struct DeleteRecordsTopic {
        std::string name;
        std::vector<DeleteRecordsPartition> partitions;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("partitions", m.partitions);
        }
        bool operator==(const DeleteRecordsTopic&) const = default;
    };

    std::vector<DeleteRecordsTopic> topics;
    int32_t timeout_ms = 0;

    static void fields(auto& m, auto& f) {
        f("topics", m.topics);
        f("timeout_ms", m.timeout_ms);
    }
    bool operator==(const DeleteRecordsRequest&) const = default;
};

struct DeleteRecordsResponse {
    static constexpr Api api = api_of(ApiKey::delete_records);

    struct DeleteRecordsPartitionResult {
        int32_t partition_index = 0;
        int64_t low_watermark = 0;  // the start offset now; -1 on an error
        ErrorCode error_code = ErrorCode::none;

        static void fields(auto& m, auto& f) {
            f("partition_index", m.partition_index);
            f("low_watermark", m.low_watermark);
            f("error_code", m.error_code);
        }
        bool operator==(const DeleteRecordsPartitionResult&) const = default;
    };

    struct DeleteRecordsTopicResult {
        std::string name;
        std::vector<DeleteRecordsPartitionResult> partitions;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("partitions", m.partitions);
        }
        bool operator==(const DeleteRecordsTopicResult&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    std::vector<DeleteRecordsTopicResult> topics;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("topics", m.topics);
    }
    bool operator==(const DeleteRecordsResponse&) const = default;
};

}  // namespace kafka
