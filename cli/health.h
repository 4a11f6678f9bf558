#pragma once
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/quorum.h"
#include "kafka/messages/describe_cluster.h"
#include "kafka/messages/metadata.h"

namespace cli {

/// How a cluster does, in sums.
struct Health {
    std::string cluster;
    size_t registered = 0;        // brokers
    std::vector<int32_t> fenced;  // those of them that are out of service
    std::optional<int32_t> controller;
    std::optional<int32_t> epoch;  // nothing: the brokers don't tell
    size_t topics = 0;
    size_t partitions = 0;
    size_t offline = 0;                 // without a leader
    size_t under_min_isr = 0;           // with fewer replicas in sync than acks=all needs
    size_t under_replicated = 0;        // with a replica that is not in sync
    std::vector<std::string> degraded;  // topics with a partition that is any of these

    /// What is wrong, as a sentence each; empty: nothing.
    std::vector<std::string> problems() const;
    /// The commands that show what is wrong, a line each.
    std::vector<std::string> where_to_look() const;
    /// "ID  HEALTHY  3/3 brokers  controller b0  epoch 4  …"
    std::string line(bool colour) const;
    nlohmann::ordered_json json() const;
};

/// min.insync.replicas by topic, of those that have a replica out of sync at least.
using MinIsr = std::map<std::string, int64_t>;
/// Topics some of whose replicas are not in sync: whose min.insync.replicas matters.
std::vector<std::string> topics_out_of_sync(const kafka::MetadataResponse&);

/// `quorum`: nothing if no controller could be asked; then there is none. Brokers that know no
/// quorum at all (`quorum_known` false) say in Metadata who the controller is.
Health health_of(const kafka::DescribeClusterResponse& brokers,
                 const kafka::MetadataResponse& metadata, const std::optional<Quorum>& quorum,
                 bool quorum_known, const MinIsr& min_isr);

}  // namespace cli
