#include <algorithm>

#include "controller/broker_ids.h"
#include "controller/decisions_sim.h"
#include "controller/features.h"
#include "controller/testing.h"
#include "metadata/records.h"

namespace controller {

namespace {

using base::BrokerId;
using metadata::kNoBroker;
using metadata::Partition;

}  // namespace

void DecisionsSim::take(Records records) {
    ++totals_.decisions;
    plant(records);
    const auto before = first_.image();
    Entry entry{{before->position().index + 1, before->position().term + (chance(50) ? 1 : 0)},
                std::move(records)};
    if (auto done = first_.replay({&entry, 1}); !done.ok())
        return wrong("does not fit: " + done.status().ToString());
    if (fault_ == Fault::one_node_skips_a_record && entry.records.size() > 1)
        entry.records.pop_back();
    if (chance(5)) second_ = Controller(through_a_snapshot(*second_.image()));
    if (auto done = second_.replay({&entry, 1}); !done.ok())
        return wrong("does not fit after a snapshot: " + done.status().ToString());
    if (hash(*first_.image()) != hash(*second_.image())) wrong("two nodes differ");
    check(*before);
    if (views_.size() < 8) views_.push_back(before);
    else views_[draw(views_.size())] = before;
    joining_.clear();
    fencing_.reset();
    unclean_.reset();
    resigned_.reset();
}

void DecisionsSim::plant(Records& records) {
    for (auto& r : records) {
        if (!r.has_partition_change()) continue;
        auto& change = *r.mutable_partition_change();
        plant(change);
        if (fault_ != Fault::leader_epoch_stays || change.leader() < 0 || !change.has_leader())
            continue;
        const auto topic = metadata::uuid(change.topic_id());
        Partition row = *image().partition({topic, change.index()});
        row.leader = BrokerId{change.leader()};
        if (change.has_isr()) row.isr = metadata::broker_ids(change.isr().ids());
        if (change.has_elr()) row.elr = metadata::broker_ids(change.elr().ids());
        ++row.partition_epoch;
        r = metadata::partition_record(topic, row);
    }
}

void DecisionsSim::plant(v1::PartitionChange& change) {
    const base::TopicPartition id{metadata::uuid(change.topic_id()), change.index()};
    const auto* row = image().partition(id);
    switch (fault_) {
        case Fault::fenced_stays_in_isr:
            if (fencing_) change.clear_isr();
            return;
        case Fault::fenced_stays_leader:
            if (fencing_) change.clear_leader();
            return;
        case Fault::elr_is_kept:
            if (change.elr().ids().empty()) change.clear_elr();
            return;
        case Fault::elr_is_forgotten:
            if (change.has_elr()) change.mutable_elr()->clear_ids();
            return;
        case Fault::nobody_is_elected:
            if (change.has_leader()) change.set_leader(-1);
            return;
        case Fault::any_replica_is_elected:
            if (change.has_leader() && row) change.set_leader(row->replicas.back().value);
            return;
        case Fault::unclean_is_not_recorded:
            change.clear_recovering();
            return;
        case Fault::moves_end_at_once:
            if (change.adding_replicas().ids().empty()) return;
            change.mutable_adding_replicas()->clear_ids();
            change.clear_removing_replicas();
            change.mutable_replicas()->mutable_ids()->Truncate(1);
            return;
        default:
            return;
    }
}

void DecisionsSim::check(const metadata::Image& before) {
    for (const auto& [name, topic] : image().topics()) {
        for (const auto& p : topic->partitions) {
            const auto min_isr =
                static_cast<size_t>(metadata::min_isr(state().configs(), name, p->replicas.size()));
            Data& data = data_[{topic->id, p->index}];
            check_row(*p, min_isr);
            const auto* old = before.partition({topic->id, p->index});
            if (old && *old != *p) {
                // The default rises with a third broker, but what registers it was decided before.
                const auto min_before = static_cast<size_t>(metadata::min_isr(
                    {before, base::BrokerId{0}, static_configs_}, name, p->replicas.size()));
                check_change(*old, *p, std::min(min_isr, min_before));
                check_leader(*old, *p, data,
                             any_may_lead_ || TopicRules(state()).unclean_elections(*topic));
            }
            if (p->leader != kNoBroker &&
                data.leaders.emplace(p->leader_epoch, p->leader).first->second != p->leader)
                wrong("two leaders of one epoch");
            check_data(*p, data);
        }
    }
}

void DecisionsSim::check_row(const Partition& p, size_t min_isr) {
    std::set<BrokerId> replicas(p.replicas.begin(), p.replicas.end()), seen;
    if (replicas.empty() || replicas.size() != p.replicas.size()) wrong("a replica twice");
    for (const auto* some : {&p.isr, &p.elr})
        for (auto id : *some) {
            if (!replicas.contains(id)) wrong("in the ISR or the ELR, but no replica");
            if (!seen.insert(id).second) wrong("twice in the ISR and the ELR");
        }
    for (const auto* some : {&p.adding_replicas, &p.removing_replicas})
        for (auto id : *some)
            if (!replicas.contains(id)) wrong("is to come or to go, but is no replica");
    if (p.isr.size() >= min_isr && !p.elr.empty()) wrong("an ELR beside an ISR of full size");
    for (auto id : p.isr) {
        const auto* broker = image().broker(id);
        if (!broker || broker->fenced) wrong("a fenced broker in the ISR");
    }
    if (p.leader != kNoBroker) {
        if (!contains(p.isr, p.leader)) wrong("a leader outside the ISR");
        return;
    }
    for (auto id : seen)
        if (image().active(id)) wrong("nobody leads, though somebody could");
}

void DecisionsSim::check_change(const Partition& before, const Partition& p, size_t min_isr) {
    if (p.partition_epoch <= before.partition_epoch) wrong("the partition epoch did not rise");
    if (p.leader_epoch < before.leader_epoch) wrong("the leader epoch fell");
    if (p.leader != before.leader && p.leader_epoch == before.leader_epoch)
        wrong("another leader without another epoch");
    const bool moved = before.replicas != p.replicas && before.replicas.size() > p.replicas.size();
    if (moved && p.isr.size() < std::min(min_isr, before.isr.size()))
        wrong("a move left too few in sync");
    const bool unclean = p.leader != before.leader && p.leader != kNoBroker &&
                         !contains(before.isr, p.leader) && !contains(before.elr, p.leader) &&
                         !joining_.contains(p.leader);
    if (p.isr.size() >= min_isr || unclean) return;
    // Nobody that holds all may be forgotten.
    for (const auto* some : {&before.isr, &before.elr})
        for (auto id : *some)
            if (contains(p.replicas, id) && !contains(p.isr, id) && !contains(p.elr, id) &&
                id != unclean_ && id != resigned_)
                wrong("an eligible leader was forgotten");
}

void DecisionsSim::check_leader(const Partition& before, const Partition& p, Data& data,
                                bool any_may_lead) {
    if (p.leader == before.leader || p.leader == kNoBroker) return;
    ++totals_.elections;
    if (contains(before.isr, p.leader) || contains(before.elr, p.leader) ||
        joining_.contains(p.leader))
        return;
    ++totals_.unclean;
    auto level = image().features().find(kMetadataVersion);
    if (level->second >= kLevelWithRecovery && !p.recovering)
        wrong("an unclean election was not recorded");
    if (p.isr.size() != 1) wrong("an unclean leader is not alone");
    if (data.blank.contains(p.leader) && !any_may_lead)
        wrong("a disk that is known to be blank leads, while others may come back");
    data.acknowledged = std::min(data.acknowledged, data.has[p.leader]);
    for (auto& [id, has] : data.has) has = std::min(has, data.acknowledged);
}

void DecisionsSim::check_data(const Partition& p, Data& data) {
    for (auto id : p.isr) data.blank.erase(id);  // it has what there is
    for (const auto* some : {&p.isr, &p.elr}) {
        for (auto id : *some) {
            // The controller can't know yet of a crash that it was not told of.
            const Process& process = processes_[id];
            const bool told = !process.crashed || id == unclean_;
            // Where there is no other copy, what it lost is lost.
            if (told && p.replicas.size() == 1)
                data.acknowledged = std::min(data.acknowledged, data.has[id]);
            if (told && data.has[id] < data.acknowledged)
                wrong("broker " + std::to_string(id.value) +
                      " lacks what was acknowledged, but is in the ISR or the ELR");
        }
    }
}

}  // namespace controller
