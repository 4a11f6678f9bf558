#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Reads record batches, waiting up to `max_wait_ms` for `min_bytes`. Versions 7 and up may leave
/// out what a fetch session already knows (KIP-227).
struct FetchRequest {
    static constexpr Api api = api_of(ApiKey::fetch);

    struct ReplicaState {
        int32_t replica_id = -1;     // -1: a consumer
        int64_t replica_epoch = -1;  // the follower's broker epoch

        static void fields(auto& m, auto& f) {
            f("replica_id", m.replica_id);
            f("replica_epoch", m.replica_epoch);
        }
        bool operator==(const ReplicaState&) const = default;
    };

    struct FetchPartition {
        int32_t partition = 0;
        int32_t current_leader_epoch = -1;  // what the client believes; -1: not checked
        int64_t fetch_offset = 0;
        int32_t last_fetched_epoch = -1;  // of the record before; -1: not checked
        int64_t log_start_offset = -1;    // the follower's; -1 from a consumer
        int32_t partition_max_bytes = 0;  // the first batch may exceed it
        base::Uuid replica_directory_id;
        // the follower's; maximum: not told
        int64_t high_watermark = std::numeric_limits<int64_t>::max();

        static void fields(auto& m, auto& f) {
            f("partition", m.partition);
            f("current_leader_epoch", m.current_leader_epoch, since(9));
            f("fetch_offset", m.fetch_offset);
            f("last_fetched_epoch", m.last_fetched_epoch, since(12));
            f("log_start_offset", m.log_start_offset, since(5));
            f("partition_max_bytes", m.partition_max_bytes);
            f.tag(0, "replica_directory_id", m.replica_directory_id, since(17));
            f.tag(1, "high_watermark", m.high_watermark, since(18),
                  std::numeric_limits<int64_t>::max());
        }
        bool operator==(const FetchPartition&) const = default;
    };

    struct FetchTopic {
        std::string topic;
        base::Uuid topic_id;
        std::vector<FetchPartition> partitions;

        static void fields(auto& m, auto& f) {
            f("topic", m.topic, until(12));
            f("topic_id", m.topic_id, since(13));
            f("partitions", m.partitions);
        }
        bool operator==(const FetchTopic&) const = default;
    };

    struct ForgottenTopic {
        std::string topic;
        base::Uuid topic_id;
        std::vector<int32_t> partitions;

        static void fields(auto& m, auto& f) {
            f("topic", m.topic, until(12));
            f("topic_id", m.topic_id, since(13));
            f("partitions", m.partitions);
        }
        bool operator==(const ForgottenTopic&) const = default;
    };

    std::optional<std::string> cluster_id;  // null: not checked
    int32_t replica_id = -1;                // -1: a consumer
    ReplicaState replica_state;
    int32_t max_wait_ms = 0;
    int32_t min_bytes = 0;
    int32_t max_bytes = std::numeric_limits<int32_t>::max();  // the first batch may exceed it
    int8_t isolation_level = 0;  // 0: read uncommitted, 1: read committed
    int32_t session_id = 0;      // 0: none
    int32_t session_epoch = -1;  // -1: no session, 0: a new one
    std::vector<FetchTopic> topics;
    std::vector<ForgottenTopic> forgotten_topics_data;  // partitions that leave the session
    std::string rack_id;

    static void fields(auto& m, auto& f) {
        f.tag(0, "cluster_id", m.cluster_id, since(12));
        f("replica_id", m.replica_id, until(14));
        f.tag(1, "replica_state", m.replica_state, since(15));
        f("max_wait_ms", m.max_wait_ms);
        f("min_bytes", m.min_bytes);
        f("max_bytes", m.max_bytes);
        f("isolation_level", m.isolation_level);
        f("session_id", m.session_id, since(7));
        f("session_epoch", m.session_epoch, since(7));
        f("topics", m.topics);
        f("forgotten_topics_data", m.forgotten_topics_data, since(7));
        f("rack_id", m.rack_id, since(11));
    }
    bool operator==(const FetchRequest&) const = default;
};

struct FetchResponse {
    static constexpr Api api = api_of(ApiKey::fetch);

    struct EpochEndOffset {
        int32_t epoch = -1;
        int64_t end_offset = -1;  // one past its last record; -1: not known

        static void fields(auto& m, auto& f) {
            f("epoch", m.epoch);
            f("end_offset", m.end_offset);
        }
        bool operator==(const EpochEndOffset&) const = default;
    };

    struct LeaderIdAndEpoch {
        int32_t leader_id = -1;
        int32_t leader_epoch = -1;

        static void fields(auto& m, auto& f) {
            f("leader_id", m.leader_id);
            f("leader_epoch", m.leader_epoch);
        }
        bool operator==(const LeaderIdAndEpoch&) const = default;
    };

    struct SnapshotId {
        int64_t end_offset = -1;
        int32_t epoch = -1;

        static void fields(auto& m, auto& f) {
            f("end_offset", m.end_offset);
            f("epoch", m.epoch);
        }
        bool operator==(const SnapshotId&) const = default;
    };

    struct AbortedTransaction {
        int64_t producer_id = 0;
        int64_t first_offset = 0;  // where the aborted transaction began

        static void fields(auto& m, auto& f) {
            f("producer_id", m.producer_id);
            f("first_offset", m.first_offset);
        }
        bool operator==(const AbortedTransaction&) const = default;
    };

    struct PartitionData {
        int32_t partition_index = 0;
        ErrorCode error_code = ErrorCode::none;
        int64_t high_watermark = 0;       // -1 on an error
        int64_t last_stable_offset = -1;  // below it no transaction is open
        int64_t log_start_offset = -1;
        EpochEndOffset diverging_epoch;   // where the client's log parts from this one
        LeaderIdAndEpoch current_leader;  // where to go on error 6 or 74; -1: not known
        SnapshotId snapshot_id;  // never set here: metadata snapshots don't travel by Fetch
        // null: read uncommitted
        std::optional<std::vector<AbortedTransaction>> aborted_transactions =
            std::vector<AbortedTransaction>{};
        int32_t preferred_read_replica = -1;  // -1: this broker
        std::optional<Records> records;

        static void fields(auto& m, auto& f) {
            f("partition_index", m.partition_index);
            f("error_code", m.error_code);
            f("high_watermark", m.high_watermark);
            f("last_stable_offset", m.last_stable_offset);
            f("log_start_offset", m.log_start_offset, since(5));
            f.tag(0, "diverging_epoch", m.diverging_epoch, since(12));
            f.tag(1, "current_leader", m.current_leader, since(12));
            f.tag(2, "snapshot_id", m.snapshot_id, since(12));
            f("aborted_transactions", m.aborted_transactions);
            f("preferred_read_replica", m.preferred_read_replica, since(11));
            f("records", m.records);
        }
        bool operator==(const PartitionData&) const = default;
    };

    struct FetchableTopicResponse {
        std::string topic;
        base::Uuid topic_id;
        std::vector<PartitionData> partitions;

        static void fields(auto& m, auto& f) {
            f("topic", m.topic, until(12));
            f("topic_id", m.topic_id, since(13));
            f("partitions", m.partitions);
        }
        bool operator==(const FetchableTopicResponse&) const = default;
    };

    struct NodeEndpoint {
        int32_t node_id = 0;
        std::string host;
        int32_t port = 0;
        std::optional<std::string> rack;

        static void fields(auto& m, auto& f) {
            f("node_id", m.node_id);
            f("host", m.host);
            f("port", m.port);
            f("rack", m.rack);
        }
        bool operator==(const NodeEndpoint&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    int32_t session_id = 0;  // 0: none
    std::vector<FetchableTopicResponse> responses;
    std::vector<NodeEndpoint> node_endpoints;  // addresses of the leaders named in current_leader

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("error_code", m.error_code, since(7));
        f("session_id", m.session_id, since(7));
        f("responses", m.responses);
        f.tag(0, "node_endpoints", m.node_endpoints, since(16));
    }
    bool operator==(const FetchResponse&) const = default;
};

}  // namespace kafka
