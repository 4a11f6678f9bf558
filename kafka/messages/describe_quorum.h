#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Shows the controllers' quorum: its leader, and how far voters and observers are behind (KIP-595,
/// KIP-836). The one partition that has a quorum is 0 of `__cluster_metadata`.
struct DescribeQuorumRequest {
    static constexpr Api api = api_of(ApiKey::describe_quorum);

    struct PartitionData {
        int32_t partition_index = 0;

        static void fields(auto& m, auto& f) { f("partition_index", m.partition_index); }
        bool operator==(const PartitionData&) const = default;
    };

    struct TopicData {
        std::string topic_name;
        std::vector<PartitionData> partitions;

        static void fields(auto& m, auto& f) {
            f("topic_name", m.topic_name);
            f("partitions", m.partitions);
        }
        bool operator==(const TopicData&) const = default;
    };

    std::vector<TopicData> topics;

    static void fields(auto& m, auto& f) { f("topics", m.topics); }
    bool operator==(const DescribeQuorumRequest&) const = default;
};

struct DescribeQuorumResponse {
    static constexpr Api api = api_of(ApiKey::describe_quorum);

    struct ReplicaState {
        int32_t replica_id = 0;
        base::Uuid replica_directory_id;  // tells a wiped disk from the one that voted
        int64_t log_end_offset = 0;       // -1: not known
        // both by the leader's clock, in ms since 1970; -1: not known
        int64_t last_fetch_timestamp = -1;      // -1 for the leader itself
        int64_t last_caught_up_timestamp = -1;  // now for the leader itself

        static void fields(auto& m, auto& f) {
            f("replica_id", m.replica_id);
            f("replica_directory_id", m.replica_directory_id, since(2));
            f("log_end_offset", m.log_end_offset);
            f("last_fetch_timestamp", m.last_fetch_timestamp, since(1));
            f("last_caught_up_timestamp", m.last_caught_up_timestamp, since(1));
        }
        bool operator==(const ReplicaState&) const = default;
    };

    struct PartitionData {
        int32_t partition_index = 0;
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string> error_message = "";
        int32_t leader_id = 0;  // -1: not known
        int32_t leader_epoch = 0;
        int64_t high_watermark = 0;
        std::vector<ReplicaState> current_voters;
        std::vector<ReplicaState> observers;  // follow, but don't vote

        static void fields(auto& m, auto& f) {
            f("partition_index", m.partition_index);
            f("error_code", m.error_code);
            f("error_message", m.error_message, since(2));
            f("leader_id", m.leader_id);
            f("leader_epoch", m.leader_epoch);
            f("high_watermark", m.high_watermark);
            f("current_voters", m.current_voters);
            f("observers", m.observers);
        }
        bool operator==(const PartitionData&) const = default;
    };

    struct TopicData {
        std::string topic_name;
        std::vector<PartitionData> partitions;

        static void fields(auto& m, auto& f) {
            f("topic_name", m.topic_name);
            f("partitions", m.partitions);
        }
        bool operator==(const TopicData&) const = default;
    };

    struct Listener {
        std::string name;
        std::string host;
        uint16_t port = 0;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("host", m.host);
            f("port", m.port);
        }
        bool operator==(const Listener&) const = default;
    };

    struct Node {
        int32_t node_id = 0;
        std::vector<Listener> listeners;

        static void fields(auto& m, auto& f) {
            f("node_id", m.node_id);
            f("listeners", m.listeners);
        }
        bool operator==(const Node&) const = default;
    };

    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message = "";
    std::vector<TopicData> topics;
    std::vector<Node> nodes;  // where the quorum's members are reached

    static void fields(auto& m, auto& f) {
        f("error_code", m.error_code);
        f("error_message", m.error_message, since(2));
        f("topics", m.topics);
        f("nodes", m.nodes, since(2));
    }
    bool operator==(const DescribeQuorumResponse&) const = default;
};

}  // namespace kafka
