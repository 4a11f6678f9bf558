#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "kafka/messages/metadata.h"

namespace cli {

/// Where a partition is to be: its replicas, the preferred leader first.
struct Move {
    std::string topic;
    int32_t partition = 0;
    std::vector<int32_t> to;

    bool operator==(const Move&) const = default;
};
using Moves = std::vector<Move>;

/// "orders:3". kInvalidArgument if it is none.
base::Result<std::pair<std::string, int32_t>> parse_partition(const std::string& text);

/// The JSON of kafka-reassign-partitions. kInvalidArgument: what is wrong with it.
base::Result<Moves> parse_plan(const std::string& json);
std::string plan_text(const Moves&);

/// Everything that lies on `broker`, to those of the other brokers in service that have the fewest
/// replicas: of racks first that the partition isn't on yet. `metadata` is of all topics.
/// kFailedPrecondition: no broker is left for a partition.
base::Result<Moves> drained(int32_t broker, const kafka::MetadataResponse& metadata);

/// What is throttled while partitions move, as leader. and follower.replication.throttled.replicas
/// have it, by topic: whoever has a replica already sends, whoever gets one receives.
struct Throttled {
    std::set<std::string> leaders, followers;  // PARTITION:BROKER
};
std::map<std::string, Throttled> throttled_replicas(const Moves&, const kafka::MetadataResponse&);
/// Brokers that such a move goes from or to.
std::set<int32_t> concerned(const Moves&, const kafka::MetadataResponse&);

}  // namespace cli
