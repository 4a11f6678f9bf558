#include "controller/rebalance.h"

#include <map>

#include "controller/broker_ids.h"
#include "controller/elections.h"

namespace controller {

namespace {

using base::BrokerId;

/// Of the partitions that list a broker first.
struct Share {
    int64_t all = 0;
    int64_t led_by_others = 0;

    bool exceeds(int64_t percentage) const { return led_by_others * 100 > percentage * all; }
};

bool moving(const metadata::Partition& p) {
    return !p.adding_replicas.empty() || !p.removing_replicas.empty();
}

}  // namespace

Rebalanced rebalance(const State& state, int64_t percentage, size_t most) {
    std::map<BrokerId, Share> shares;
    for (const auto& [name, topic] : state.image.topics()) {
        for (const auto& p : topic->partitions) {
            Share& share = shares[p->replicas.front()];
            ++share.all;
            if (p->leader != p->replicas.front()) ++share.led_by_others;
        }
    }
    Rebalanced out;
    const TopicRules rules(state);
    const Alive alive = [&](BrokerId id) { return state.image.active(id); };
    for (const auto& [name, topic] : state.image.topics()) {
        for (const auto& p : topic->partitions) {
            const BrokerId first = p->replicas.front();
            if (p->leader == first || moving(*p) || !alive(first) || !contains(p->isr, first) ||
                !shares[first].exceeds(percentage))
                continue;
            if (out.records.size() >= most) {
                out.more = true;
                return out;
            }
            Change change(*p);
            change.election = Election::preferred;
            const auto next = decide(*p, std::move(change), *topic, rules, alive);
            if (auto record = change_record(topic->id, *p, next))
                out.records.push_back(*std::move(record));
        }
    }
    return out;
}

}  // namespace controller
