#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Moves partitions to other brokers, or cancels such moves, each on its own (KIP-455).
struct AlterPartitionReassignmentsRequest {
    static constexpr Api api = api_of(ApiKey::alter_partition_reassignments);

    struct ReassignablePartition {
        int32_t partition_index = 0;
        // where it is to go, the preferred leader first; null: cancel what is under way
        std::optional<std::vector<int32_t>> replicas;

        static void fields(auto& m, auto& f) {
            f("partition_index", m.partition_index);
            f("replicas", m.replicas);
        }
        bool operator==(const ReassignablePartition&) const = default;
    };

    struct ReassignableTopic {
        std::string name;
        std::vector<ReassignablePartition> partitions;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("partitions", m.partitions);
        }
        bool operator==(const ReassignableTopic&) const = default;
    };

    int32_t timeout_ms = 60000;
    bool allow_replication_factor_change = true;
    std::vector<ReassignableTopic> topics;

    static void fields(auto& m, auto& f) {
        f("timeout_ms", m.timeout_ms);
        f("allow_replication_factor_change", m.allow_replication_factor_change, since(1));
        f("topics", m.topics);
    }
    bool operator==(const AlterPartitionReassignmentsRequest&) const = default;
};

struct AlterPartitionReassignmentsResponse {
    static constexpr Api api = api_of(ApiKey::alter_partition_reassignments);

    struct ReassignablePartitionResponse {
        int32_t partition_index = 0;
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string> error_message = "";

        static void fields(auto& m, auto& f) {
            f("partition_index", m.partition_index);
            f("error_code", m.error_code);
            f("error_message", m.error_message);
        }
        bool operator==(const ReassignablePartitionResponse&) const = default;
    };

    struct ReassignableTopicResponse {
        std::string name;
        std::vector<ReassignablePartitionResponse> partitions;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("partitions", m.partitions);
        }
        bool operator==(const ReassignableTopicResponse&) const = default;
    };

    int32_t throttle_time_ms = 0;                 // how long the client should pause
    bool allow_replication_factor_change = true;  // as in the request
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message = "";
    std::vector<ReassignableTopicResponse> responses;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("allow_replication_factor_change", m.allow_replication_factor_change, since(1));
        f("error_code", m.error_code);
        f("error_message", m.error_message);
        f("responses", m.responses);
    }
    bool operator==(const AlterPartitionReassignmentsResponse&) const = default;
};

}  // namespace kafka
