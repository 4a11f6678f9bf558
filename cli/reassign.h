#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/command.h"
#include "cli/kafka_client.h"
#include "cli/moves.h"
#include "cli/output.h"
#include "nlohmann/json_fwd.hpp"

namespace cli {

/// A partition whose replicas are being moved, and how far that has come.
struct Moving {
    /// One that is added.
    struct Copy {
        int32_t broker = 0;
        bool in_sync = false;
        std::optional<int64_t> bytes;  // on its disk; nothing: it doesn't tell
    };

    std::string topic;
    int32_t partition = 0;
    std::vector<int32_t> replicas, adding, removing;
    std::optional<int64_t> bytes;  // on the leader's disk
    std::vector<Copy> copies;

    std::vector<int32_t> target() const;
    /// Of what is to be copied, as far as brokers tell.
    std::optional<int> percent() const;
    nlohmann::ordered_json json() const;
};

/// All that move now; with `progress` the copies too.
base::Result<std::vector<Moving>> moves_under_way(KafkaClient&, bool progress);
void print_moving(const std::vector<Moving>&, Format);

/// Metadata of all topics as it will be after what moves now: without the replicas that go.
base::Result<kafka::MetadataResponse> settled_metadata(KafkaClient&);

/// Begins moves; without a destination it ends the partition's move where it came from. What was
/// refused is in the error, a line each; the others have begun.
struct Wanted {
    std::string topic;
    int32_t partition = 0;
    std::optional<std::vector<int32_t>> to;
};
base::Status alter_moves(KafkaClient&, const std::vector<Wanted>&);

/// Sets the options that throttle moves, as kafka-reassign-partitions does.
base::Status set_throttle(KafkaClient&, const Moves&, const kafka::MetadataResponse&,
                          int64_t bytes_per_second);
/// Takes them off all topics and brokers that have them; who had.
base::Result<std::vector<std::string>> clear_throttles(KafkaClient&);

}  // namespace cli
