#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "base/time.h"
#include "cli/kafka_client.h"

namespace cli {

/// A place in a topic as it is written on a command line: "beginning", "end", an offset, or
/// "@MILLISECONDS" since 1970, which means the first record of that time or later.
struct Position {
    enum class Kind : uint8_t { beginning, end, offset, time };
    Kind kind = Kind::end;
    int64_t value = 0;  // of an offset or a time

    /// kInvalidArgument: not of that form.
    static base::Result<Position> parse(const std::string& text);
    bool operator==(const Position&) const = default;
};

using Topic = kafka::MetadataResponse::MetadataResponseTopic;
using PartitionOffsets = std::map<base::PartitionIndex, base::Offset>;

/// The offsets that `position` has in `partitions` of the topic; a time after the last record is
/// the end. Asks each leader once, and again while leaders move.
base::Result<PartitionOffsets> find_offsets(KafkaClient& client, const std::string& topic,
                                            const std::vector<base::PartitionIndex>& partitions,
                                            Position position);

std::vector<base::PartitionIndex> all_partitions(const Topic& topic);

}  // namespace cli
