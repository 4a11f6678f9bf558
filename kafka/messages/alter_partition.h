#pragma once
#include <cstdint>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// A leader asks the controller to change the in-sync replicas of its partitions (KIP-497).
struct AlterPartitionRequest {
    static constexpr Api api = api_of(ApiKey::alter_partition);

    struct BrokerState {
        int32_t broker_id = 0;
        int64_t broker_epoch = -1;  // of the process that caught up (KIP-903); -1: not checked

        static void fields(auto& m, auto& f) {
            f("broker_id", m.broker_id);
            f("broker_epoch", m.broker_epoch);
        }
        bool operator==(const BrokerState&) const = default;
    };

    struct PartitionData {
        int32_t partition_index = 0;
        int32_t leader_epoch = 0;
        std::vector<int32_t> new_isr;
        std::vector<BrokerState> new_isr_with_epochs;
        int8_t leader_recovery_state = 0;  // 1: recovers from an unclean election (KIP-704)
        int32_t partition_epoch = 0;       // that the change starts from

        static void fields(auto& m, auto& f) {
            f("partition_index", m.partition_index);
            f("leader_epoch", m.leader_epoch);
            f("new_isr", m.new_isr, until(2));
            f("new_isr_with_epochs", m.new_isr_with_epochs, since(3));
            f("leader_recovery_state", m.leader_recovery_state);
            f("partition_epoch", m.partition_epoch);
        }
        bool operator==(const PartitionData&) const = default;
    };

    struct TopicData {
        base::Uuid topic_id;
        std::vector<PartitionData> partitions;

        static void fields(auto& m, auto& f) {
            f("topic_id", m.topic_id);
            f("partitions", m.partitions);
        }
        bool operator==(const TopicData&) const = default;
    };

    int32_t broker_id = 0;  // who asks
    int64_t broker_epoch = -1;
    std::vector<TopicData> topics;

    static void fields(auto& m, auto& f) {
        f("broker_id", m.broker_id);
        f("broker_epoch", m.broker_epoch);
        f("topics", m.topics);
    }
    bool operator==(const AlterPartitionRequest&) const = default;
};

struct AlterPartitionResponse {
    static constexpr Api api = api_of(ApiKey::alter_partition);

    struct PartitionData {
        int32_t partition_index = 0;
        ErrorCode error_code = ErrorCode::none;
        int32_t leader_id = 0;
        int32_t leader_epoch = 0;
        std::vector<int32_t> isr;
        int8_t leader_recovery_state = 0;  // 1: recovers from an unclean election (KIP-704)
        int32_t partition_epoch = 0;

        static void fields(auto& m, auto& f) {
            f("partition_index", m.partition_index);
            f("error_code", m.error_code);
            f("leader_id", m.leader_id);
            f("leader_epoch", m.leader_epoch);
            f("isr", m.isr);
            f("leader_recovery_state", m.leader_recovery_state);
            f("partition_epoch", m.partition_epoch);
        }
        bool operator==(const PartitionData&) const = default;
    };

    struct TopicData {
        base::Uuid topic_id;
        std::vector<PartitionData> partitions;

        static void fields(auto& m, auto& f) {
            f("topic_id", m.topic_id);
            f("partitions", m.partitions);
        }
        bool operator==(const TopicData&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    std::vector<TopicData> topics;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("error_code", m.error_code);
        f("topics", m.topics);
    }
    bool operator==(const AlterPartitionResponse&) const = default;
};

}  // namespace kafka
