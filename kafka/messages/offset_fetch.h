#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Reads a group's positions. Versions 8 and up ask for several groups at once, in `groups`.
struct OffsetFetchRequest {
    static constexpr Api api = api_of(ApiKey::offset_fetch);

    struct OffsetFetchRequestTopic {
        std::string name;
        std::vector<int32_t> partition_indexes;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("partition_indexes", m.partition_indexes);
        }
        bool operator==(const OffsetFetchRequestTopic&) const = default;
    };

    struct OffsetFetchRequestTopics {
        std::string name;
        base::Uuid topic_id;
        std::vector<int32_t> partition_indexes;

        static void fields(auto& m, auto& f) {
            f("name", m.name, until(9));
            f("topic_id", m.topic_id, since(10));
            f("partition_indexes", m.partition_indexes);
        }
        bool operator==(const OffsetFetchRequestTopics&) const = default;
    };

    struct OffsetFetchRequestGroup {
        std::string group_id;
        std::optional<std::string> member_id;
        int32_t member_epoch = -1;  // -1: not a member
        // null: all
        std::optional<std::vector<OffsetFetchRequestTopics>> topics =
            std::vector<OffsetFetchRequestTopics>{};

        static void fields(auto& m, auto& f) {
            f("group_id", m.group_id);
            f("member_id", m.member_id, since(9));
            f("member_epoch", m.member_epoch, since(9));
            f("topics", m.topics);
        }
        bool operator==(const OffsetFetchRequestGroup&) const = default;
    };

    std::string group_id;
    // null: all
    std::optional<std::vector<OffsetFetchRequestTopic>> topics =
        std::vector<OffsetFetchRequestTopic>{};
    std::vector<OffsetFetchRequestGroup> groups;
    bool require_stable = false;  // refuse (error 88) while a transaction's offsets are pending

    static void fields(auto& m, auto& f) {
        f("group_id", m.group_id, until(7));
        f("topics", m.topics, until(7).null_since(2));
        f("groups", m.groups, since(8));
        f("require_stable", m.require_stable, since(7));
    }
    bool operator==(const OffsetFetchRequest&) const = default;
};

/// Versions up to 7 answer in `topics` and `error_code`, later ones in `groups`.
struct OffsetFetchResponse {
    static constexpr Api api = api_of(ApiKey::offset_fetch);

    struct OffsetFetchResponsePartition {
        int32_t partition_index = 0;
        int64_t committed_offset = 0;         // -1: none
        int32_t committed_leader_epoch = -1;  // -1: not known
        std::optional<std::string> metadata = "";
        ErrorCode error_code = ErrorCode::none;

        static void fields(auto& m, auto& f) {
            f("partition_index", m.partition_index);
            f("committed_offset", m.committed_offset);
            f("committed_leader_epoch", m.committed_leader_epoch, since(5));
            f("metadata", m.metadata);
            f("error_code", m.error_code);
        }
        bool operator==(const OffsetFetchResponsePartition&) const = default;
    };

    struct OffsetFetchResponseTopic {
        std::string name;
        std::vector<OffsetFetchResponsePartition> partitions;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("partitions", m.partitions);
        }
        bool operator==(const OffsetFetchResponseTopic&) const = default;
    };

    struct OffsetFetchResponsePartitions {
        int32_t partition_index = 0;
        int64_t committed_offset = 0;         // -1: none
        int32_t committed_leader_epoch = -1;  // -1: not known
        std::optional<std::string> metadata = "";
        ErrorCode error_code = ErrorCode::none;

        static void fields(auto& m, auto& f) {
            f("partition_index", m.partition_index);
            f("committed_offset", m.committed_offset);
            f("committed_leader_epoch", m.committed_leader_epoch);
            f("metadata", m.metadata);
            f("error_code", m.error_code);
        }
        bool operator==(const OffsetFetchResponsePartitions&) const = default;
    };

    struct OffsetFetchResponseTopics {
        std::string name;
        base::Uuid topic_id;
        std::vector<OffsetFetchResponsePartitions> partitions;

        static void fields(auto& m, auto& f) {
            f("name", m.name, until(9));
            f("topic_id", m.topic_id, since(10));
            f("partitions", m.partitions);
        }
        bool operator==(const OffsetFetchResponseTopics&) const = default;
    };

    struct OffsetFetchResponseGroup {
        std::string group_id;
        std::vector<OffsetFetchResponseTopics> topics;
        ErrorCode error_code = ErrorCode::none;

        static void fields(auto& m, auto& f) {
            f("group_id", m.group_id);
            f("topics", m.topics);
            f("error_code", m.error_code);
        }
        bool operator==(const OffsetFetchResponseGroup&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    std::vector<OffsetFetchResponseTopic> topics;
    ErrorCode error_code = ErrorCode::none;
    std::vector<OffsetFetchResponseGroup> groups;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms, since(3));
        f("topics", m.topics, until(7));
        f("error_code", m.error_code, between(2, 7));
        f("groups", m.groups, since(8));
    }
    bool operator==(const OffsetFetchResponse&) const = default;
};

}  // namespace kafka
