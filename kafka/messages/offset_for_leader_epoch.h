#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Asks where a leader epoch ends, so that a client or follower can find where its log parts from
/// the leader's (KIP-320).
struct OffsetForLeaderEpochRequest {
    static constexpr Api api = api_of(ApiKey::offset_for_leader_epoch);

    struct OffsetForLeaderPartition {
        int32_t partition = 0;
        int32_t current_leader_epoch = -1;  // what the client believes; -1: not checked
        int32_t leader_epoch = 0;           // the epoch whose end is asked for

        static void fields(auto& m, auto& f) {
            f("partition", m.partition);
            f("current_leader_epoch", m.current_leader_epoch);
            f("leader_epoch", m.leader_epoch);
        }
        bool operator==(const OffsetForLeaderPartition&) const = default;
    };

    struct OffsetForLeaderTopic {
        std::string topic;
        std::vector<OffsetForLeaderPartition> partitions;

        static void fields(auto& m, auto& f) {
            f("topic", m.topic);
            f("partitions", m.partitions);
        }
        bool operator==(const OffsetForLeaderTopic&) const = default;
    };

    int32_t replica_id = -2;  // -2: a consumer
    std::vector<OffsetForLeaderTopic> topics;

    static void fields(auto& m, auto& f) {
        f("replica_id", m.replica_id, since(3));
        f("topics", m.topics);
    }
    bool operator==(const OffsetForLeaderEpochRequest&) const = default;
};

struct OffsetForLeaderEpochResponse {
    static constexpr Api api = api_of(ApiKey::offset_for_leader_epoch);

    struct EpochEndOffset {
        ErrorCode error_code = ErrorCode::none;
        int32_t partition = 0;
        int32_t leader_epoch = -1;  // the largest epoch up to the one asked for; -1: none
        int64_t end_offset = -1;    // one past its last record; -1: not known

        static void fields(auto& m, auto& f) {
            f("error_code", m.error_code);
            f("partition", m.partition);
            f("leader_epoch", m.leader_epoch);
            f("end_offset", m.end_offset);
        }
        bool operator==(const EpochEndOffset&) const = default;
    };

    struct OffsetForLeaderTopicResult {
        std::string topic;
        std::vector<EpochEndOffset> partitions;

        static void fields(auto& m, auto& f) {
            f("topic", m.topic);
            f("partitions", m.partitions);
        }
        bool operator==(const OffsetForLeaderTopicResult&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    std::vector<OffsetForLeaderTopicResult> topics;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("topics", m.topics);
    }
    bool operator==(const OffsetForLeaderEpochResponse&) const = default;
};

}  // namespace kafka
