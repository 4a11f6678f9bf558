#pragma once
#include <cstddef>
#include <cstdint>

#include "controller/decision.h"

namespace controller {

struct Rebalanced {
    Records records;
    bool more = false;  // than one decision may change: decide again at once
};

/// Partitions that one decision gives back at most.
constexpr size_t kMostRebalancedAtOnce = 1000;

/// Gives leadership back to first replicas, as Kafka does where auto.leader.rebalance.enable is on:
/// of each broker in service for which more than `percentage` of 100 partitions that list it first
/// are led by others, those partitions where it is in sync. None that are being moved.
Rebalanced rebalance(const State&, int64_t percentage, size_t most = kMostRebalancedAtOnce);

}  // namespace controller
