#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Elects leaders of partitions now (KIP-460; up to version 0: the preferred ones only).
struct ElectLeadersRequest {
    static constexpr Api api = api_of(ApiKey::elect_leaders);

    struct TopicPartitions {
        std::string topic;
        std::vector<int32_t> partitions;

        static void fields(auto& m, auto& f) {
            f("topic", m.topic);
            f("partitions", m.partitions);
        }
        bool operator==(const TopicPartitions&) const = default;
    };

    int8_t election_type = 0;  // 0: the preferred replica, 1: any live one if none is in sync
    // null: all partitions
    std::optional<std::vector<TopicPartitions>> topic_partitions = std::vector<TopicPartitions>{};
    int32_t timeout_ms = 60000;

    static void fields(auto& m, auto& f) {
        f("election_type", m.election_type, since(1));
        f("topic_partitions", m.topic_partitions);
        f("timeout_ms", m.timeout_ms);
    }
    bool operator==(const ElectLeadersRequest&) const = default;
};

struct ElectLeadersResponse {
    static constexpr Api api = api_of(ApiKey::elect_leaders);

    struct PartitionResult {
        int32_t partition_id = 0;
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string> error_message = "";

        static void fields(auto& m, auto& f) {
            f("partition_id", m.partition_id);
            f("error_code", m.error_code);
            f("error_message", m.error_message);
        }
        bool operator==(const PartitionResult&) const = default;
    };

    struct ReplicaElectionResult {
        std::string topic;
        std::vector<PartitionResult> partition_result;

        static void fields(auto& m, auto& f) {
            f("topic", m.topic);
            f("partition_result", m.partition_result);
        }
        bool operator==(const ReplicaElectionResult&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    std::vector<ReplicaElectionResult> replica_election_results;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("error_code", m.error_code, since(1));
        f("replica_election_results", m.replica_election_results);
    }
    bool operator==(const ElectLeadersResponse&) const = default;
};

}  // namespace kafka
