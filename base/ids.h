#pragma once
#include <compare>
#include <cstdint>
#include <utility>

#include "base/uuid.h"

namespace base {

/// An integer that names one kind of thing and converts to nothing else.
template <class Tag, class Rep>
struct Id {
    Rep value{};

    auto operator<=>(const Id&) const = default;
    template <class H>
    friend H AbslHashValue(H h, const Id& id) {
        return H::combine(std::move(h), id.value);
    }
};

using BrokerId = Id<struct BrokerTag, int32_t>;      // -1: none
using ProducerId = Id<struct ProducerTag, int64_t>;  // -1: none
using TopicId = Uuid;

/// Position of a record in its partition, from 0. Arithmetic is meant, so it stays an integer.
using Offset = int64_t;
/// Counts a partition's leaders; -1 before the first.
using LeaderEpoch = int32_t;
using PartitionIndex = int32_t;

/// A partition, named so that a topic deleted and created anew is another one.
struct TopicPartition {
    TopicId topic;
    PartitionIndex index = 0;

    auto operator<=>(const TopicPartition&) const = default;
    template <class H>
    friend H AbslHashValue(H h, const TopicPartition& p) {
        return H::combine(std::move(h), p.topic, p.index);
    }
};

}  // namespace base
