#pragma once
#include <algorithm>
#include <vector>

#include "base/ids.h"

namespace controller {

/// Brokers as partitions list them: few, and in an order that means something.
using BrokerIds = std::vector<base::BrokerId>;

inline bool contains(const BrokerIds& ids, base::BrokerId id) {
    return std::ranges::find(ids, id) != ids.end();
}

/// `ids` in their order, but for those that are also in `gone`.
inline BrokerIds without(BrokerIds ids, const BrokerIds& gone) {
    std::erase_if(ids, [&](base::BrokerId id) { return contains(gone, id); });
    return ids;
}

}  // namespace controller
