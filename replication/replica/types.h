#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace replica {

using base::BrokerId;
using base::InstantMs;
using base::LeaderEpoch;
using base::Offset;

constexpr BrokerId kNobody{-1};

/// A partition's row in the metadata, as far as its replicas act by it.
struct Row {
    LeaderEpoch epoch = -1;  // rises with each new leader, and where a replica is taken away
    int32_t version = -1;    // rises with each change of the row (Kafka's partition epoch)
    BrokerId leader = kNobody;
    std::vector<BrokerId> replicas;
    std::vector<BrokerId> isr;  // in-sync replicas: they hold all that was acknowledged
    bool recovering = false;    // led by an unclean leader that has not said that it is in order

    bool operator==(const Row&) const = default;
};

struct Broker {
    int64_t epoch = -1;   // of its registration: which process it is
    bool active = false;  // neither fenced nor shutting down

    bool operator==(const Broker&) const = default;
};

/// What one image of the metadata says of a partition. All of it must be from the same image: a
/// leader that knows a newer row than min.insync.replicas or than the brokers' epochs may take
/// records for committed that the next leader need not have.
struct Assignment {
    Row row;
    int min_isr = 1;                     // as configured; may exceed the number of replicas
    std::map<BrokerId, Broker> brokers;  // those registered, of the replicas and this one
};

}  // namespace replica
