#pragma once
#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "kafka/errors.h"
#include "metadata/image.h"

namespace controller {

/// Where the replicas of `partitions` new partitions go, the preferred leader first.
///
/// Replicas of a partition are on as many racks as there are, then on brokers of a rack in turn.
/// Leaders go round all brokers, and the brokers of the other replicas shift with each round, so
/// that when a broker fails its leaders spread over all others. Brokers that are not active are
/// taken only where the active ones do not suffice, and never as the preferred leader. `start` says
/// with which broker to begin: callers pass something that rises with each topic.
///
/// 38 if `replicas` is larger than the number of registered brokers, or none is active.
kafka::Outcome<std::vector<std::vector<base::BrokerId>>> place(const metadata::Image&,
                                                               size_t partitions, size_t replicas,
                                                               uint64_t start);

}  // namespace controller
