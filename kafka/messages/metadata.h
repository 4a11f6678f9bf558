#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Asks where brokers and partitions are. No topics: all of them (an empty list in version 0, null
/// from version 1).
struct MetadataRequest {
    static constexpr Api api = api_of(ApiKey::metadata);

    struct MetadataRequestTopic {
        base::Uuid topic_id;
        std::optional<std::string> name = "";

        static void fields(auto& m, auto& f) {
            f("topic_id", m.topic_id, since(10));
            f("name", m.name, always.null_since(10));
        }
        bool operator==(const MetadataRequestTopic&) const = default;
    };

    std::optional<std::vector<MetadataRequestTopic>> topics = std::vector<MetadataRequestTopic>{};
    bool allow_auto_topic_creation = true;
    bool include_cluster_authorized_operations = false;
    bool include_topic_authorized_operations = false;

    static void fields(auto& m, auto& f) {
        f("topics", m.topics, always.null_since(1));
        f("allow_auto_topic_creation", m.allow_auto_topic_creation, since(4));
        f("include_cluster_authorized_operations", m.include_cluster_authorized_operations,
          between(8, 10));
        f("include_topic_authorized_operations", m.include_topic_authorized_operations, since(8));
    }
    bool operator==(const MetadataRequest&) const = default;
};

struct MetadataResponse {
    static constexpr Api api = api_of(ApiKey::metadata);

    struct MetadataResponseBroker {
        int32_t node_id = 0;
        std::string host;
        int32_t port = 0;
        std::optional<std::string> rack;

        static void fields(auto& m, auto& f) {
            f("node_id", m.node_id);
            f("host", m.host);
            f("port", m.port);
            f("rack", m.rack, since(1));
        }
        bool operator==(const MetadataResponseBroker&) const = default;
    };

    struct MetadataResponsePartition {
        ErrorCode error_code = ErrorCode::none;
        int32_t partition_index = 0;
        int32_t leader_id = 0;  // -1: none
        int32_t leader_epoch = -1;
        std::vector<int32_t> replica_nodes;
        std::vector<int32_t> isr_nodes;
        std::vector<int32_t> offline_replicas;

        static void fields(auto& m, auto& f) {
            f("error_code", m.error_code);
            f("partition_index", m.partition_index);
            f("leader_id", m.leader_id);
            f("leader_epoch", m.leader_epoch, since(7));
            f("replica_nodes", m.replica_nodes);
            f("isr_nodes", m.isr_nodes);
            f("offline_replicas", m.offline_replicas, since(5));
        }
        bool operator==(const MetadataResponsePartition&) const = default;
    };

    struct MetadataResponseTopic {
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string> name = "";
        base::Uuid topic_id;
        bool is_internal = false;
        std::vector<MetadataResponsePartition> partitions;
        // bits by operation; the minimum: not asked for
        int32_t topic_authorized_operations = std::numeric_limits<int32_t>::min();

        static void fields(auto& m, auto& f) {
            f("error_code", m.error_code);
            f("name", m.name, always.null_since(12));
            f("topic_id", m.topic_id, since(10));
            f("is_internal", m.is_internal, since(1));
            f("partitions", m.partitions);
            f("topic_authorized_operations", m.topic_authorized_operations, since(8));
        }
        bool operator==(const MetadataResponseTopic&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    std::vector<MetadataResponseBroker> brokers;
    std::optional<std::string> cluster_id;
    int32_t controller_id = -1;  // -1: not known
    std::vector<MetadataResponseTopic> topics;
    // bits by operation; the minimum: not asked for
    int32_t cluster_authorized_operations = std::numeric_limits<int32_t>::min();
    ErrorCode error_code = ErrorCode::none;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms, since(3));
        f("brokers", m.brokers);
        f("cluster_id", m.cluster_id, since(2));
        f("controller_id", m.controller_id, since(1));
        f("topics", m.topics);
        f("cluster_authorized_operations", m.cluster_authorized_operations, between(8, 10));
        f("error_code", m.error_code, since(13));
    }
    bool operator==(const MetadataResponse&) const = default;
};

}  // namespace kafka
