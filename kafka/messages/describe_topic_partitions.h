#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Shows partitions in pages, with their eligible leader replicas (KIP-966).
struct DescribeTopicPartitionsRequest {
    static constexpr Api api = api_of(ApiKey::describe_topic_partitions);

    struct TopicRequest {
        std::string name;

        static void fields(auto& m, auto& f) { f("name", m.name); }
        bool operator==(const TopicRequest&) const = default;
    };

    struct Cursor {
        std::string topic_name;
        int32_t partition_index = 0;

        static void fields(auto& m, auto& f) {
            f("topic_name", m.topic_name);
            f("partition_index", m.partition_index);
        }
        bool operator==(const Cursor&) const = default;
    };

    std::vector<TopicRequest> topics;
    int32_t response_partition_limit = 2000;
    std::optional<Cursor> cursor;  // where the page starts; null: at the first

    static void fields(auto& m, auto& f) {
        f("topics", m.topics);
        f("response_partition_limit", m.response_partition_limit);
        f("cursor", m.cursor);
    }
    bool operator==(const DescribeTopicPartitionsRequest&) const = default;
};

struct DescribeTopicPartitionsResponse {
    static constexpr Api api = api_of(ApiKey::describe_topic_partitions);

    struct DescribeTopicPartitionsResponsePartition {
        ErrorCode error_code = ErrorCode::none;
        int32_t partition_index = 0;
        int32_t leader_id = 0;
        int32_t leader_epoch = -1;
        std::vector<int32_t> replica_nodes;
        std::vector<int32_t> isr_nodes;
        std::optional<std::vector<int32_t>> eligible_leader_replicas;
        // the leader before all eligible ones were lost
        std::optional<std::vector<int32_t>> last_known_elr;
        std::vector<int32_t> offline_replicas;

        static void fields(auto& m, auto& f) {
            f("error_code", m.error_code);
            f("partition_index", m.partition_index);
            f("leader_id", m.leader_id);
            f("leader_epoch", m.leader_epoch);
            f("replica_nodes", m.replica_nodes);
            f("isr_nodes", m.isr_nodes);
            f("eligible_leader_replicas", m.eligible_leader_replicas);
            f("last_known_elr", m.last_known_elr);
            f("offline_replicas", m.offline_replicas);
        }
        bool operator==(const DescribeTopicPartitionsResponsePartition&) const = default;
    };

    struct DescribeTopicPartitionsResponseTopic {
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string> name = "";
        base::Uuid topic_id;
        bool is_internal = false;
        std::vector<DescribeTopicPartitionsResponsePartition> partitions;
        // bits by operation; the minimum: not asked for
        int32_t topic_authorized_operations = std::numeric_limits<int32_t>::min();

        static void fields(auto& m, auto& f) {
            f("error_code", m.error_code);
            f("name", m.name);
            f("topic_id", m.topic_id);
            f("is_internal", m.is_internal);
            f("partitions", m.partitions);
            f("topic_authorized_operations", m.topic_authorized_operations);
        }
        bool operator==(const DescribeTopicPartitionsResponseTopic&) const = default;
    };

    struct Cursor {
        std::string topic_name;
        int32_t partition_index = 0;

        static void fields(auto& m, auto& f) {
            f("topic_name", m.topic_name);
            f("partition_index", m.partition_index);
        }
        bool operator==(const Cursor&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    std::vector<DescribeTopicPartitionsResponseTopic> topics;
    std::optional<Cursor> next_cursor;  // where the next page starts; null: this was the last

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("topics", m.topics);
        f("next_cursor", m.next_cursor);
    }
    bool operator==(const DescribeTopicPartitionsResponse&) const = default;
};

}  // namespace kafka
