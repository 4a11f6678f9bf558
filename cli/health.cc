#include "cli/health.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/output.h"

namespace cli {
namespace {

using Partition = kafka::MetadataResponse::MetadataResponsePartition;

bool out_of_sync(const Partition& p) { return p.isr_nodes.size() < p.replica_nodes.size(); }

/// No partition needs more replicas in sync than it has (KIP-966).
bool below(const Partition& p, int64_t min_isr) {
    const auto needed = std::min<int64_t>(min_isr, static_cast<int64_t>(p.replica_nodes.size()));
    return static_cast<int64_t>(p.isr_nodes.size()) < needed;
}

}  // namespace

std::vector<std::string> topics_out_of_sync(const kafka::MetadataResponse& metadata) {
    std::vector<std::string> out;
    for (const auto& topic : metadata.topics)
        if (topic.name && std::ranges::any_of(topic.partitions, out_of_sync))
            out.push_back(*topic.name);
    return out;
}

Health health_of(const kafka::DescribeClusterResponse& brokers,
                 const kafka::MetadataResponse& metadata, const std::optional<Quorum>& quorum,
                 bool quorum_known, const MinIsr& min_isr) {
    Health out;
    out.cluster = brokers.cluster_id;
    out.registered = brokers.brokers.size();
    for (const auto& b : brokers.brokers)
        if (b.is_fenced) out.fenced.push_back(b.broker_id);
    std::ranges::sort(out.fenced);
    if (quorum && quorum->leader_id >= 0) {
        out.controller = quorum->leader_id;
        out.epoch = quorum->leader_epoch;
    } else if (!quorum_known && metadata.controller_id >= 0) {
        out.controller = metadata.controller_id;
    }
    for (const auto& topic : metadata.topics) {
        ++out.topics;
        const auto needed = min_isr.find(topic.name.value_or(""));
        if (topic.name && std::ranges::any_of(topic.partitions, [](const Partition& p) {
                return p.leader_id < 0 || out_of_sync(p);
            }))
            out.degraded.push_back(*topic.name);
        for (const auto& p : topic.partitions) {
            ++out.partitions;
            if (p.leader_id < 0) ++out.offline;
            if (!out_of_sync(p)) continue;
            ++out.under_replicated;
            if (needed != min_isr.end() && below(p, needed->second)) ++out.under_min_isr;
        }
    }
    return out;
}

std::vector<std::string> Health::problems() const {
    std::vector<std::string> out;
    const auto one_or_more = [](size_t count, const char* one, const char* more) {
        return counted(static_cast<int64_t>(count), "partition") + (count == 1 ? one : more);
    };
    if (!controller) out.emplace_back("no controller is active");
    if (!fenced.empty())
        out.push_back((fenced.size() == 1 ? "broker " + joined(fenced) + " is"
                                          : "brokers " + joined(fenced) + " are") +
                      " out of service");
    if (offline > 0) out.push_back(one_or_more(offline, " has", " have") + " no leader");
    if (under_min_isr > 0)
        out.push_back(one_or_more(under_min_isr, " has", " have") +
                      " too few replicas in sync for acks=all");
    else if (under_replicated > 0)
        out.push_back(
            one_or_more(under_replicated, " has a replica that is", " have replicas that are") +
            " not in sync");
    return out;
}

std::vector<std::string> Health::where_to_look() const {
    constexpr size_t most_topics = 5;
    std::vector<std::string> out;
    if (!controller) out.emplace_back("moldau controller status");
    if (!fenced.empty()) out.emplace_back("moldau broker list");
    if (degraded.empty()) return out;
    std::string topics = "moldau topic describe";
    for (size_t i = 0; i < std::min(degraded.size(), most_topics); ++i) topics += " " + degraded[i];
    if (degraded.size() > most_topics)
        topics += " (and " + std::to_string(degraded.size() - most_topics) +
                  " more topics: cluster status -o json)";
    out.push_back(std::move(topics));
    return out;
}

std::string Health::line(bool colour) const {
    const bool good = problems().empty();
    std::string state = good ? "HEALTHY" : "DEGRADED";
    if (colour) state = coloured(state, good ? Colour::green : Colour::red, STDOUT_FILENO);
    std::string out = (cluster.empty() ? "(no id)" : cluster) + "  " + state + "  " +
                      std::to_string(registered - fenced.size()) + "/" +
                      std::to_string(registered) + " brokers  ";
    out += controller ? "controller b" + std::to_string(*controller) : "no controller";
    if (epoch) out += "  epoch " + std::to_string(*epoch);
    out += "  offline " + std::to_string(offline) + "  under-min-isr " +
           std::to_string(under_min_isr) + "  under-replicated " + std::to_string(under_replicated);
    return out;
}

nlohmann::ordered_json Health::json() const {
    using Json = nlohmann::ordered_json;
    return {{"cluster", cluster},
            {"healthy", problems().empty()},
            {"brokers", registered},
            {"active", registered - fenced.size()},
            {"fenced", fenced},
            {"controller", controller ? Json(*controller) : Json()},
            {"epoch", epoch ? Json(*epoch) : Json()},
            {"topics", topics},
            {"partitions", partitions},
            {"offline", offline},
            {"under_min_isr", under_min_isr},
            {"under_replicated", under_replicated},
            {"degraded_topics", degraded},
            {"problems", problems()}};
}

}  // namespace cli
