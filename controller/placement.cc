#include "controller/placement.h"

#include <algorithm>
#include <map>
#include <string>

namespace controller {

namespace {

using base::BrokerId;

/// Brokers with those of each rack apart from each other: a1 b1 c1 a2 b2 …
std::vector<BrokerId> interleaved(const std::map<std::string, std::vector<BrokerId>>& racks) {
    std::vector<BrokerId> out;
    for (size_t i = 0;; ++i) {
        size_t before = out.size();
        for (const auto& [rack, brokers] : racks)
            if (i < brokers.size()) out.push_back(brokers[i]);
        if (out.size() == before) return out;
    }
}

std::string rack_of(const metadata::Image& image, BrokerId id) {
    return image.broker(id)->rack.value_or("");
}

/// Adds brokers of `candidates`, from the one at `from` on, to `chosen`: first of racks that it
/// does not have yet, then any that it does not have yet.
void extend(const metadata::Image& image, const std::vector<BrokerId>& candidates, size_t from,
            size_t wanted, std::vector<BrokerId>& chosen) {
    for (bool new_racks_only : {true, false}) {
        for (size_t i = 0; i < candidates.size() && chosen.size() < wanted; ++i) {
            BrokerId id = candidates[(from + i) % candidates.size()];
            bool taken = std::ranges::any_of(chosen, [&](BrokerId c) {
                return c == id || (new_racks_only && rack_of(image, c) == rack_of(image, id));
            });
            if (!taken) chosen.push_back(id);
        }
    }
}

}  // namespace

kafka::Outcome<std::vector<std::vector<BrokerId>>> place(const metadata::Image& image,
                                                         size_t partitions, size_t replicas,
                                                         uint64_t start) {
    std::map<std::string, std::vector<BrokerId>> active_racks, other_racks;
    for (const auto& [id, broker] : image.brokers())
        (image.active(id) ? active_racks : other_racks)[broker->rack.value_or("")].push_back(id);
    auto active = interleaved(active_racks), others = interleaved(other_racks);
    if (active.empty() || replicas > active.size() + others.size())
        return kafka::Error{kafka::ErrorCode::invalid_replication_factor,
                            "a replication factor of " + std::to_string(replicas) +
                                " needs more than " + "the " + std::to_string(active.size()) +
                                " active brokers of " +
                                std::to_string(active.size() + others.size()) + " registered"};

    std::vector<std::vector<BrokerId>> out(partitions);
    for (size_t p = 0; p < partitions; ++p) {
        size_t leader = (start + p) % active.size();
        size_t shift = (start + p) / active.size() % std::max<size_t>(1, active.size() - 1);
        out[p].push_back(active[leader]);
        extend(image, active, leader + 1 + shift, replicas, out[p]);
        if (!others.empty()) extend(image, others, start + p, replicas, out[p]);
    }
    return out;
}

}  // namespace controller
