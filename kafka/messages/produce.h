#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Appends record batches to partitions. With acks=0 there is no answer.
struct ProduceRequest {
    static constexpr Api api = api_of(ApiKey::produce);

    struct PartitionProduceData {
        int32_t index = 0;
        std::optional<Records> records;

        static void fields(auto& m, auto& f) {
            f("index", m.index);
            f("records", m.records);
        }
        bool operator==(const PartitionProduceData&) const = default;
    };

    struct TopicProduceData {
        std::string name;
        base::Uuid topic_id;
        std::vector<PartitionProduceData> partition_data;

        static void fields(auto& m, auto& f) {
            f("name", m.name, until(12));
            f("topic_id", m.topic_id, since(13));
            f("partition_data", m.partition_data);
        }
        bool operator==(const TopicProduceData&) const = default;
    };

    std::optional<std::string> transactional_id;  // null: not transactional
    int16_t acks = 0;        // 0: none, 1: the leader, -1: every in-sync replica
    int32_t timeout_ms = 0;  // bound on the wait for the in-sync replicas
    std::vector<TopicProduceData> topic_data;

    static void fields(auto& m, auto& f) {
        f("transactional_id", m.transactional_id);
        f("acks", m.acks);
        f("timeout_ms", m.timeout_ms);
        f("topic_data", m.topic_data);
    }
    bool operator==(const ProduceRequest&) const = default;
};

struct ProduceResponse {
    static constexpr Api api = api_of(ApiKey::produce);

    struct BatchIndexAndErrorMessage {
        int32_t batch_index = 0;  // which record of the batch
        std::optional<std::string> batch_index_error_message;

        static void fields(auto& m, auto& f) {
            f("batch_index", m.batch_index);
            f("batch_index_error_message", m.batch_index_error_message);
        }
        bool operator==(const BatchIndexAndErrorMessage&) const = default;
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

    struct PartitionProduceResponse {
        int32_t index = 0;
        ErrorCode error_code = ErrorCode::none;
        int64_t base_offset = 0;          // of the first record; -1 on an error
        int64_t log_append_time_ms = -1;  // -1 if the topic keeps the producer's timestamps
        int64_t log_start_offset = -1;
        // records for which the whole batch was refused
        std::vector<BatchIndexAndErrorMessage> record_errors;
        std::optional<std::string> error_message;
        LeaderIdAndEpoch current_leader;  // where to go on error 6 or 74; -1: not known

        static void fields(auto& m, auto& f) {
            f("index", m.index);
            f("error_code", m.error_code);
            f("base_offset", m.base_offset);
            f("log_append_time_ms", m.log_append_time_ms);
            f("log_start_offset", m.log_start_offset, since(5));
            f("record_errors", m.record_errors, since(8));
            f("error_message", m.error_message, since(8));
            f.tag(0, "current_leader", m.current_leader, since(10));
        }
        bool operator==(const PartitionProduceResponse&) const = default;
    };

    struct TopicProduceResponse {
        std::string name;
        base::Uuid topic_id;
        std::vector<PartitionProduceResponse> partition_responses;

        static void fields(auto& m, auto& f) {
            f("name", m.name, until(12));
            f("topic_id", m.topic_id, since(13));
            f("partition_responses", m.partition_responses);
        }
        bool operator==(const TopicProduceResponse&) const = default;
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

    std::vector<TopicProduceResponse> responses;
    int32_t throttle_time_ms = 0;              // how long the client should pause
    std::vector<NodeEndpoint> node_endpoints;  // addresses of the leaders named in current_leader

    static void fields(auto& m, auto& f) {
        f("responses", m.responses);
        f("throttle_time_ms", m.throttle_time_ms);
        f.tag(0, "node_endpoints", m.node_endpoints, since(10));
    }
    bool operator==(const ProduceResponse&) const = default;
};

}  // namespace kafka
