#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Shows the broker's log directories and what they hold. No topics (null): all.
struct DescribeLogDirsRequest {
    static constexpr Api api = api_of(ApiKey::describe_log_dirs);

    struct DescribableLogDirTopic {
        std::string topic;
        std::vector<int32_t> partitions;

        static void fields(auto& m, auto& f) {
            f("topic", m.topic);
            f("partitions", m.partitions);
        }
        bool operator==(const DescribableLogDirTopic&) const = default;
    };

    std::optional<std::vector<DescribableLogDirTopic>> topics =
        std::vector<DescribableLogDirTopic>{};

    static void fields(auto& m, auto& f) { f("topics", m.topics); }
    bool operator==(const DescribeLogDirsRequest&) const = default;
};

struct DescribeLogDirsResponse {
    static constexpr Api api = api_of(ApiKey::describe_log_dirs);

    struct DescribeLogDirsPartition {
        int32_t partition_index = 0;
        int64_t partition_size = 0;  // bytes
        int64_t offset_lag = 0;      // behind the high watermark
        bool is_future_key = false;  // a copy that moves to this directory

        static void fields(auto& m, auto& f) {
            f("partition_index", m.partition_index);
            f("partition_size", m.partition_size);
            f("offset_lag", m.offset_lag);
            f("is_future_key", m.is_future_key);
        }
        bool operator==(const DescribeLogDirsPartition&) const = default;
    };

    struct DescribeLogDirsTopic {
        std::string name;
        std::vector<DescribeLogDirsPartition> partitions;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("partitions", m.partitions);
        }
        bool operator==(const DescribeLogDirsTopic&) const = default;
    };

    struct DescribeLogDirsResult {
        ErrorCode error_code = ErrorCode::none;
        std::string log_dir;
        std::vector<DescribeLogDirsTopic> topics;
        int64_t total_bytes = -1;   // of the volume; -1: not known
        int64_t usable_bytes = -1;  // of the volume; -1: not known

        static void fields(auto& m, auto& f) {
            f("error_code", m.error_code);
            f("log_dir", m.log_dir);
            f("topics", m.topics);
            f("total_bytes", m.total_bytes, since(4));
            f("usable_bytes", m.usable_bytes, since(4));
        }
        bool operator==(const DescribeLogDirsResult&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    std::vector<DescribeLogDirsResult> results;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("error_code", m.error_code, since(3));
        f("results", m.results);
    }
    bool operator==(const DescribeLogDirsResponse&) const = default;
};

}  // namespace kafka
