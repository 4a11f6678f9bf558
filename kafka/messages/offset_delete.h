#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Deletes positions of a group in topics that it does not subscribe to.
struct OffsetDeleteRequest {
    static constexpr Api api = api_of(ApiKey::offset_delete);

    struct OffsetDeleteRequestPartition {
        int32_t partition_index = 0;

        static void fields(auto& m, auto& f) { f("partition_index", m.partition_index); }
        bool operator==(const OffsetDeleteRequestPartition&) const = default;
    };

    struct OffsetDeleteRequestTopic {
        std::string name;
        std::vector<OffsetDeleteRequestPartition> partitions;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("partitions", m.partitions);
        }
        bool operator==(const OffsetDeleteRequestTopic&) const = default;
    };

    std::string group_id;
    std::vector<OffsetDeleteRequestTopic> topics;

    static void fields(auto& m, auto& f) {
        f("group_id", m.group_id);
        f("topics", m.topics);
    }
    bool operator==(const OffsetDeleteRequest&) const = default;
};

struct OffsetDeleteResponse {
    static constexpr Api api = api_of(ApiKey::offset_delete);

    struct OffsetDeleteResponsePartition {
        int32_t partition_index = 0;
        ErrorCode error_code = ErrorCode::none;

        static void fields(auto& m, auto& f) {
            f("partition_index", m.partition_index);
            f("error_code", m.error_code);
        }
        bool operator==(const OffsetDeleteResponsePartition&) const = default;
    };

    struct OffsetDeleteResponseTopic {
        std::string name;
        std::vector<OffsetDeleteResponsePartition> partitions;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("partitions", m.partitions);
        }
        bool operator==(const OffsetDeleteResponseTopic&) const = default;
    };

    ErrorCode error_code = ErrorCode::none;
    int32_t throttle_time_ms = 0;  // how long the client should pause
    std::vector<OffsetDeleteResponseTopic> topics;

    static void fields(auto& m, auto& f) {
        f("error_code", m.error_code);
        f("throttle_time_ms", m.throttle_time_ms);
        f("topics", m.topics);
    }
    bool operator==(const OffsetDeleteResponse&) const = default;
};

}  // namespace kafka
