#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Asks for the offset of a point in time, or for one of the ends of a partition.
struct ListOffsetsRequest {
    static constexpr Api api = api_of(ApiKey::list_offsets);

    struct ListOffsetsPartition {
        int32_t partition_index = 0;
        int32_t current_leader_epoch = -1;  // what the client believes; -1: not checked
        // ms since 1970; -1: the end, -2: the start, -3: the record with the largest timestamp, -4:
        // the start of what is local, -5: the end of what is tiered
        int64_t timestamp = 0;

        static void fields(auto& m, auto& f) {
            f("partition_index", m.partition_index);
            f("current_leader_epoch", m.current_leader_epoch, since(4));
            f("timestamp", m.timestamp);
        }
        bool operator==(const ListOffsetsPartition&) const = default;
    };

    struct ListOffsetsTopic {
        std::string name;
        std::vector<ListOffsetsPartition> partitions;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("partitions", m.partitions);
        }
        bool operator==(const ListOffsetsTopic&) const = default;
    };

    int32_t replica_id = 0;      // -1: a consumer
    int8_t isolation_level = 0;  // 0: read uncommitted, 1: read committed
    std::vector<ListOffsetsTopic> topics;
    int32_t timeout_ms = 0;  // bound on reads of tiered storage

    static void fields(auto& m, auto& f) {
        f("replica_id", m.replica_id);
        f("isolation_level", m.isolation_level, since(2));
        f("topics", m.topics);
        f("timeout_ms", m.timeout_ms, since(10));
    }
    bool operator==(const ListOffsetsRequest&) const = default;
};

struct ListOffsetsResponse {
    static constexpr Api api = api_of(ApiKey::list_offsets);

    struct ListOffsetsPartitionResponse {
        int32_t partition_index = 0;
        ErrorCode error_code = ErrorCode::none;
        int64_t timestamp = -1;  // of the record found; -1: none, or not asked for
        int64_t offset = -1;     // -1: none
        int32_t leader_epoch = -1;

        static void fields(auto& m, auto& f) {
            f("partition_index", m.partition_index);
            f("error_code", m.error_code);
            f("timestamp", m.timestamp);
            f("offset", m.offset);
            f("leader_epoch", m.leader_epoch, since(4));
        }
        bool operator==(const ListOffsetsPartitionResponse&) const = default;
    };

    struct ListOffsetsTopicResponse {
        std::string name;
        std::vector<ListOffsetsPartitionResponse> partitions;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("partitions", m.partitions);
        }
        bool operator==(const ListOffsetsTopicResponse&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    std::vector<ListOffsetsTopicResponse> topics;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms, since(2));
        f("topics", m.topics);
    }
    bool operator==(const ListOffsetsResponse&) const = default;
};

}  // namespace kafka
