#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Stores a group's positions.
struct OffsetCommitRequest {
    static constexpr Api api = api_of(ApiKey::offset_commit);

    struct OffsetCommitRequestPartition {
        int32_t partition_index = 0;
        int64_t committed_offset = 0;
        int32_t committed_leader_epoch = -1;                 // -1: not known
        std::optional<std::string> committed_metadata = "";  // free text of the application

        static void fields(auto& m, auto& f) {
            f("partition_index", m.partition_index);
            f("committed_offset", m.committed_offset);
            f("committed_leader_epoch", m.committed_leader_epoch, since(6));
            f("committed_metadata", m.committed_metadata);
        }
        bool operator==(const OffsetCommitRequestPartition&) const = default;
    };

    struct OffsetCommitRequestTopic {
        std::string name;
        base::Uuid topic_id;
        std::vector<OffsetCommitRequestPartition> partitions;

        static void fields(auto& m, auto& f) {
            f("name", m.name, until(9));
            f("topic_id", m.topic_id, since(10));
            f("partitions", m.partitions);
        }
        bool operator==(const OffsetCommitRequestTopic&) const = default;
    };

    std::string group_id;
    int32_t generation_id_or_member_epoch = -1;  // -1: from outside any group
    std::string member_id;
    std::optional<std::string> group_instance_id;  // of a static member; null: a dynamic one
    int64_t retention_time_ms = -1;                // -1: as the broker is configured
    std::vector<OffsetCommitRequestTopic> topics;

    static void fields(auto& m, auto& f) {
        f("group_id", m.group_id);
        f("generation_id_or_member_epoch", m.generation_id_or_member_epoch);
        f("member_id", m.member_id);
        f("group_instance_id", m.group_instance_id, since(7));
        f("retention_time_ms", m.retention_time_ms, until(4));
        f("topics", m.topics);
    }
    bool operator==(const OffsetCommitRequest&) const = default;
};

struct OffsetCommitResponse {
    static constexpr Api api = api_of(ApiKey::offset_commit);

    struct OffsetCommitResponsePartition {
        int32_t partition_index = 0;
        ErrorCode error_code = ErrorCode::none;

        static void fields(auto& m, auto& f) {
            f("partition_index", m.partition_index);
            f("error_code", m.error_code);
        }
        bool operator==(const OffsetCommitResponsePartition&) const = default;
    };

    struct OffsetCommitResponseTopic {
        std::string name;
        base::Uuid topic_id;
        std::vector<OffsetCommitResponsePartition> partitions;

        static void fields(auto& m, auto& f) {
            f("name", m.name, until(9));
            f("topic_id", m.topic_id, since(10));
            f("partitions", m.partitions);
        }
        bool operator==(const OffsetCommitResponseTopic&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    std::vector<OffsetCommitResponseTopic> topics;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms, since(3));
        f("topics", m.topics);
    }
    bool operator==(const OffsetCommitResponse&) const = default;
};

}  // namespace kafka
