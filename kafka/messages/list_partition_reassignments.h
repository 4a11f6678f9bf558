#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Lists the moves of partitions that are under way (KIP-455).
struct ListPartitionReassignmentsRequest {
    static constexpr Api api = api_of(ApiKey::list_partition_reassignments);

    struct ListPartitionReassignmentsTopics {
        std::string name;
        std::vector<int32_t> partition_indexes;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("partition_indexes", m.partition_indexes);
        }
        bool operator==(const ListPartitionReassignmentsTopics&) const = default;
    };

    int32_t timeout_ms = 60000;
    std::optional<std::vector<ListPartitionReassignmentsTopics>> topics;  // null: all

    static void fields(auto& m, auto& f) {
        f("timeout_ms", m.timeout_ms);
        f("topics", m.topics);
    }
    bool operator==(const ListPartitionReassignmentsRequest&) const = default;
};

struct ListPartitionReassignmentsResponse {
    static constexpr Api api = api_of(ApiKey::list_partition_reassignments);

    struct OngoingPartitionReassignment {
        int32_t partition_index = 0;
        std::vector<int32_t> replicas;  // all present ones, those that come and go among them
        std::vector<int32_t> adding_replicas;
        std::vector<int32_t> removing_replicas;

        static void fields(auto& m, auto& f) {
            f("partition_index", m.partition_index);
            f("replicas", m.replicas);
            f("adding_replicas", m.adding_replicas);
            f("removing_replicas", m.removing_replicas);
        }
        bool operator==(const OngoingPartitionReassignment&) const = default;
    };

    struct OngoingTopicReassignment {
        std::string name;
        std::vector<OngoingPartitionReassignment> partitions;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("partitions", m.partitions);
        }
        bool operator==(const OngoingTopicReassignment&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message = "";
    std::vector<OngoingTopicReassignment> topics;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("error_code", m.error_code);
        f("error_message", m.error_message);
        f("topics", m.topics);
    }
    bool operator==(const ListPartitionReassignmentsResponse&) const = default;
};

}  // namespace kafka
