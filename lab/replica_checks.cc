#include "lab/replica_checks.h"

#include <algorithm>
#include <string>

namespace lab {
namespace {

std::string node(uint32_t id) { return "node " + std::to_string(id); }

}  // namespace

ReplicaChecks::Copy& ReplicaChecks::copy(const Event& e) {
    auto& of_partition = copies_[e.partition];
    const auto found = std::ranges::find(of_partition, e.process, &Copy::node);
    if (found != of_partition.end()) return *found;
    of_partition.push_back({.node = e.process});
    return of_partition.back();
}

void ReplicaChecks::take(const Event& e) {
    Copy& of_node = copy(e);
    if (e.op == Op::replica_hash) {
        of_node.blocks[e.offset] = e.hash;
        return;
    }
    of_node.start = e.offset;
    of_node.end = e.until;
}

void ReplicaChecks::judge(Trace& trace) const {
    for (const auto& [partition, copies] : copies_) {
        const Copy& first = copies.front();
        for (size_t i = 1; i < copies.size(); ++i) {
            const Copy& other = copies[i];
            const std::string who = node(first.node) + " and " + node(other.node);
            if (first.end != other.end)
                trace.found(Anomaly::replica_hash, partition, std::min(first.end, other.end), 0,
                            who + " end at " + std::to_string(first.end) + " and " +
                                std::to_string(other.end));
            for (const auto& [offset, hash] : first.blocks) {
                const auto same = other.blocks.find(offset);
                if (same != other.blocks.end() && same->second != hash)
                    trace.found(Anomaly::replica_hash, partition, offset, 0,
                                who + " differ in the block that begins there");
            }
        }
    }
}

uint64_t ReplicaChecks::compared_blocks() const {
    uint64_t out = 0;
    for (const auto& [partition, copies] : copies_)
        for (size_t i = 1; i < copies.size(); ++i) out += copies[i].blocks.size();
    return out;
}

}  // namespace lab
