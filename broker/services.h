#pragma once
#include <memory>
#include <string>

#include "absl/random/random.h"
#include "base/ids.h"
#include "base/time.h"
#include "broker/fetch_session.h"
#include "broker/memory_budget.h"
#include "broker/settings.h"
#include "broker/topic_rules.h"
#include "metadata/image.h"

namespace io {
class Shard;
class Shards;
}  // namespace io
namespace replication {
class Partitions;
}
namespace groups {
class Coordinators;
}

namespace broker {

class ControllerLink;
class MetadataFollower;
class ProducerIds;

/// What one shard has of its own; used on its thread only.
struct Local {
    Local(io::Shard& s, const Settings& settings)
        : shard(s), fetch_sessions(settings.fetch_sessions) {}

    io::Shard& shard;
    metadata::ImagePtr image = metadata::Image::empty();
    /// What any shard's `image` may be by now: on its way there it is put here, on every shard,
    /// first. For what other shards' requests bring along, which may know more than `image`.
    metadata::ImagePtr newest = metadata::Image::empty();
    /// Whether the controller hears of this broker; if not, others may lead in its place.
    bool in_session = true;
    TopicRules topic_rules;
    FetchSessions fetch_sessions;
    absl::BitGen random;
    uint64_t refused = 0;               // connections dropped for what they sent
    base::InstantMs warned_at = -1000;  // when one of them was told in the log
};

/// The parts of the broker that requests are handled with. All outlive every connection.
struct Services {
    const Settings& settings;
    io::Shards& shards;
    replication::Partitions& partitions;
    groups::Coordinators& groups;
    ControllerLink& controller;
    MetadataFollower& metadata;
    ProducerIds& producer_ids;
    MemoryBudget& memory;
};

}  // namespace broker
