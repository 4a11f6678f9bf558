#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Raises the number of partitions of topics.
struct CreatePartitionsRequest {
    static constexpr Api api = api_of(ApiKey::create_partitions);

    struct CreatePartitionsAssignment {
        std::vector<int32_t> broker_ids;  // the first is the preferred leader

        static void fields(auto& m, auto& f) { f("broker_ids", m.broker_ids); }
        bool operator==(const CreatePartitionsAssignment&) const = default;
    };

    struct CreatePartitionsTopic {
        std::string name;
        int32_t count = 0;  // the new number
        // of the new ones only; null: the cluster places replicas
        std::optional<std::vector<CreatePartitionsAssignment>> assignments =
            std::vector<CreatePartitionsAssignment>{};

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("count", m.count);
            f("assignments", m.assignments);
        }
        bool operator==(const CreatePartitionsTopic&) const = default;
    };

    std::vector<CreatePartitionsTopic> topics;
    int32_t timeout_ms = 0;
    bool validate_only = false;

    static void fields(auto& m, auto& f) {
        f("topics", m.topics);
        f("timeout_ms", m.timeout_ms);
        f("validate_only", m.validate_only);
    }
    bool operator==(const CreatePartitionsRequest&) const = default;
};

struct CreatePartitionsResponse {
    static constexpr Api api = api_of(ApiKey::create_partitions);

    struct CreatePartitionsTopicResult {
        std::string name;
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string> error_message;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("error_code", m.error_code);
            f("error_message", m.error_message);
        }
        bool operator==(const CreatePartitionsTopicResult&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    std::vector<CreatePartitionsTopicResult> results;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("results", m.results);
    }
    bool operator==(const CreatePartitionsResponse&) const = default;
};

}  // namespace kafka
