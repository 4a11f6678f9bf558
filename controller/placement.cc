#include "controller/placement.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

namespace controller {

namespace {

using base::BrokerId;

using Racks = std::map<std::string, std::vector<BrokerId>>;

/// Brokers with those of each rack apart from each other: a1 b1 c1 a2 b2 …; each with the number of
/// its rack.
std::vector<std::pair<BrokerId, size_t>> interleaved(const Racks& racks,
                                                     const std::map<std::string, size_t>& numbers) {
    std::vector<std::pair<BrokerId, size_t>> out;
    for (size_t i = 0;; ++i) {
        size_t before = out.size();
        for (const auto& [rack, brokers] : racks)
            if (i < brokers.size()) out.emplace_back(brokers[i], numbers.at(rack));
        if (out.size() == before) return out;
    }
}

/// How far it is from `from` to `to` in a circle of `n`.
size_t distance(size_t from, size_t to, size_t n) { return (to + n - from % n) % n; }

}  // namespace

Placement::Placement(const metadata::Image& image) {
    Racks active, others;
    std::map<std::string, size_t> numbers;
    for (const auto& [id, broker] : image.brokers()) {
        const std::string rack = broker->rack.value_or("");
        (image.active(id) ? active : others)[rack].push_back(id);
        numbers.emplace(rack, numbers.size());
    }
    for (auto [id, rack] : interleaved(active, numbers)) active_.push_back({id, rack});
    for (auto [id, rack] : interleaved(others, numbers)) others_.push_back({id, rack});

    std::map<BrokerId, Broker*> by_id;
    for (auto& b : active_) by_id[b.id] = &b;
    for (const auto& [name, topic] : image.topics()) {
        for (const auto& p : topic->partitions) {
            for (size_t i = 0; i < p->replicas.size(); ++i) {
                auto it = by_id.find(p->replicas[i]);
                if (it == by_id.end()) continue;
                ++it->second->replicas;
                if (i == 0) ++it->second->leaders;
            }
        }
    }
}

std::vector<Placement::Broker*> Placement::chosen_for(size_t partition, size_t replicas,
                                                      uint64_t start) {
    const size_t n = active_.size();
    const size_t turn = (start + partition) % n;
    auto at = [&](const Broker& b) { return static_cast<size_t>(&b - active_.data()); };
    auto leader = std::ranges::min_element(active_, {}, [&](const Broker& b) {
        return std::tuple(b.leaders_here, b.leaders, distance(turn, at(b), n));
    });
    std::vector<Broker*> chosen{&*leader};
    const size_t shift = (start + partition) / n % std::max<size_t>(1, n - 1);
    const size_t from = at(*leader) + 1 + shift;
    while (chosen.size() < std::min(replicas, n)) {
        Broker* best = nullptr;
        auto rank = [&](Broker& b) {
            const bool new_rack =
                std::ranges::none_of(chosen, [&](Broker* c) { return c->rack == b.rack; });
            return std::tuple(!new_rack, b.replicas_here, b.replicas, distance(from, at(b), n));
        };
        for (auto& b : active_)
            if (std::ranges::find(chosen, &b) == chosen.end() && (!best || rank(b) < rank(*best)))
                best = &b;
        chosen.push_back(best);
    }
    return chosen;
}

/// Of racks that it is not on yet, then any.
void Placement::add_others(std::vector<BrokerId>& to, size_t replicas, size_t from) const {
    std::vector<const Broker*> added;
    for (bool new_racks_only : {true, false}) {
        for (size_t i = 0; i < others_.size() && to.size() < replicas; ++i) {
            const Broker& b = others_[(from + i) % others_.size()];
            const bool taken = std::ranges::any_of(added, [&](const Broker* a) {
                return a == &b || (new_racks_only && a->rack == b.rack);
            });
            const bool rack_taken =
                new_racks_only && std::ranges::any_of(active_, [&](const Broker& a) {
                    return a.rack == b.rack && std::ranges::find(to, a.id) != to.end();
                });
            if (taken || rack_taken) continue;
            to.push_back(b.id);
            added.push_back(&b);
        }
    }
}

kafka::Outcome<Placement::Replicas> Placement::place(size_t partitions, size_t replicas,
                                                     uint64_t start) {
    const size_t registered = active_.size() + others_.size();
    if (active_.empty() || replicas > registered)
        return kafka::Error{
            kafka::ErrorCode::invalid_replication_factor,
            "a replication factor of " + std::to_string(replicas) +
                " needs more brokers than there are: " + std::to_string(active_.size()) +
                " active of " + std::to_string(registered) + " registered"};
    for (auto& b : active_) b.leaders_here = b.replicas_here = 0;
    Replicas out(partitions);
    for (size_t p = 0; p < partitions; ++p) {
        for (Broker* b : chosen_for(p, replicas, start)) {
            ++b->replicas;
            ++b->replicas_here;
            if (out[p].empty()) {
                ++b->leaders;
                ++b->leaders_here;
            }
            out[p].push_back(b->id);
        }
        if (!others_.empty()) add_others(out[p], replicas, start + p);
    }
    return out;
}

kafka::Outcome<Placement::Replicas> place(const metadata::Image& image, size_t partitions,
                                          size_t replicas, uint64_t start) {
    return Placement(image).place(partitions, replicas, start);
}

std::optional<kafka::Error> refused_assignment(const metadata::Image& image,
                                               const std::vector<BrokerId>& ids) {
    auto refused = [](std::string why) {
        return kafka::Error{kafka::ErrorCode::invalid_replica_assignment, std::move(why)};
    };
    if (ids.empty()) return refused("a partition needs at least one replica");
    for (auto it = ids.begin(); it != ids.end(); ++it) {
        const std::string who = "broker " + std::to_string(it->value);
        if (std::find(ids.begin(), it, *it) != it)
            return refused(who + " stands twice in one assignment");
        if (!image.broker(*it)) return refused(who + " is not registered");
    }
    return std::nullopt;
}

}  // namespace controller
