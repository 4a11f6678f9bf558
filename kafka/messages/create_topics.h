#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Creates topics, each on its own: some may fail.
struct CreateTopicsRequest {
    static constexpr Api api = api_of(ApiKey::create_topics);

    struct CreatableReplicaAssignment {
        int32_t partition_index = 0;
        std::vector<int32_t> broker_ids;  // the first is the preferred leader

        static void fields(auto& m, auto& f) {
            f("partition_index", m.partition_index);
            f("broker_ids", m.broker_ids);
        }
        bool operator==(const CreatableReplicaAssignment&) const = default;
    };

    struct CreatableTopicConfig {
        std::string name;
        std::optional<std::string> value = "";

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("value", m.value);
        }
        bool operator==(const CreatableTopicConfig&) const = default;
    };

    struct CreatableTopic {
        std::string name;
        int32_t num_partitions = 0;      // -1: the default, or as assigned
        int16_t replication_factor = 0;  // -1: the default, or as assigned
        // by hand; empty: the cluster places replicas
        std::vector<CreatableReplicaAssignment> assignments;
        std::vector<CreatableTopicConfig> configs;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("num_partitions", m.num_partitions);
            f("replication_factor", m.replication_factor);
            f("assignments", m.assignments);
            f("configs", m.configs);
        }
        bool operator==(const CreatableTopic&) const = default;
    };

    std::vector<CreatableTopic> topics;
    int32_t timeout_ms = 60000;
    bool validate_only = false;

    static void fields(auto& m, auto& f) {
        f("topics", m.topics);
        f("timeout_ms", m.timeout_ms);
        f("validate_only", m.validate_only);
    }
    bool operator==(const CreateTopicsRequest&) const = default;
};

struct CreateTopicsResponse {
    static constexpr Api api = api_of(ApiKey::create_topics);

    struct CreatableTopicConfigs {
        std::string name;
        std::optional<std::string> value = "";
        bool read_only = false;  // only a restart with another configuration file changes it
        // 1: topic, 2: dynamic broker, 3: dynamic default, 4: static broker, 5: default, 8: group
        int8_t config_source = -1;
        bool is_sensitive = false;  // the value is not shown

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("value", m.value);
            f("read_only", m.read_only);
            f("config_source", m.config_source);
            f("is_sensitive", m.is_sensitive);
        }
        bool operator==(const CreatableTopicConfigs&) const = default;
    };

    struct CreatableTopicResult {
        std::string name;
        base::Uuid topic_id;
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string> error_message = "";
        ErrorCode topic_config_error_code = ErrorCode::none;  // why configs is null
        int32_t num_partitions = -1;
        int16_t replication_factor = -1;
        // null: the caller may not see them
        std::optional<std::vector<CreatableTopicConfigs>> configs =
            std::vector<CreatableTopicConfigs>{};

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("topic_id", m.topic_id, since(7));
            f("error_code", m.error_code);
            f("error_message", m.error_message);
            f.tag(0, "topic_config_error_code", m.topic_config_error_code, since(5));
            f("num_partitions", m.num_partitions, since(5));
            f("replication_factor", m.replication_factor, since(5));
            f("configs", m.configs, since(5));
        }
        bool operator==(const CreatableTopicResult&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    std::vector<CreatableTopicResult> topics;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("topics", m.topics);
    }
    bool operator==(const CreateTopicsResponse&) const = default;
};

}  // namespace kafka
