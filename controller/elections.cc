#include "controller/elections.h"

#include <algorithm>

#include "metadata/records.h"

namespace controller {

namespace {

bool contains(const std::vector<base::BrokerId>& ids, base::BrokerId id) {
    return std::ranges::find(ids, id) != ids.end();
}

}  // namespace

base::BrokerId elect(const metadata::Partition& p,
                     const std::function<bool(base::BrokerId)>& alive) {
    for (const auto* eligible : {&p.isr, &p.elr})
        for (auto replica : p.replicas)
            if (contains(*eligible, replica) && alive(replica)) return replica;
    return metadata::kNoBroker;
}

std::optional<v1::Record> leader_change(const base::TopicId& topic, const metadata::Partition& p,
                                        base::BrokerId leader) {
    if (leader == p.leader) return std::nullopt;
    v1::Record r;
    auto* change = r.mutable_partition_change();
    metadata::set(change->mutable_topic_id(), topic);
    change->set_index(p.index);
    change->set_leader(leader.value);
    if (leader == metadata::kNoBroker || contains(p.isr, leader)) return r;
    auto* isr = change->mutable_isr();
    for (auto id : p.isr) isr->add_ids(id.value);
    isr->add_ids(leader.value);
    auto* elr = change->mutable_elr();
    for (auto id : p.elr)
        if (id != leader) elr->add_ids(id.value);
    return r;
}

}  // namespace controller
