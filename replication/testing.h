#pragma once
#include <vector>

#include "replication/replica/types.h"

/// For tests of what works with partitions.
namespace replication::testing {

constexpr base::BrokerId kSelf{0};
/// Of every broker's registration.
constexpr int64_t kBrokerEpoch = 10;

/// By this the first of `isr` leads.
inline replica::Assignment assigned(base::LeaderEpoch epoch, int32_t version,
                                    const std::vector<int>& replicas, const std::vector<int>& isr,
                                    int min_isr = 1) {
    replica::Assignment out{.row = {.epoch = epoch, .version = version, .leader = {isr.front()}},
                            .min_isr = min_isr,
                            .brokers = {{kSelf, {kBrokerEpoch, true}}}};
    for (const int id : replicas) {
        out.row.replicas.push_back({id});
        out.brokers.insert({base::BrokerId{id}, {kBrokerEpoch, true}});
    }
    for (const int id : isr) out.row.isr.push_back({id});
    return out;
}

/// By this broker 0 leads as the only replica.
inline replica::Assignment led_alone(base::LeaderEpoch epoch) {
    return assigned(epoch, epoch, {0}, {0});
}

}  // namespace replication::testing
