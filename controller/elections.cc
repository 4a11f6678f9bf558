#include "controller/elections.h"

#include <algorithm>

#include "base/check.h"
#include "controller/broker_ids.h"
#include "controller/features.h"
#include "metadata/delta.h"
#include "metadata/records.h"

namespace controller {

namespace {

using base::BrokerId;
using metadata::kNoBroker;
using metadata::Partition;
using Ids = BrokerIds;

size_t effective(int min_isr, const Ids& replicas) {
    return std::clamp<size_t>(static_cast<size_t>(std::max(min_isr, 1)), 1,
                              std::max<size_t>(replicas.size(), 1));
}

/// Ends the reassignment if it can end now.
void complete(Change& change, int min_isr) {
    if (change.adding.empty() && change.removing.empty()) return;
    const Ids replicas = without(change.replicas, change.removing);
    const Ids isr = without(change.isr, change.removing);
    for (auto id : change.adding)
        if (!contains(change.removing, id) && !contains(isr, id)) return;
    if (isr.size() < effective(min_isr, replicas)) return;
    change.replicas = replicas;
    change.isr = isr;
    change.adding.clear();
    change.removing.clear();
}

/// Those that hold all that is committed though they aren't in sync: nothing is committed while
/// |ISR| is below the minimum.
Ids eligible_leaders(const Partition& old, const Partition& next, BrokerId unclean, int min_isr) {
    Ids elr;
    if (next.isr.size() >= effective(min_isr, next.replicas)) return elr;
    for (auto id : next.replicas)
        if ((contains(old.isr, id) || contains(old.elr, id)) && !contains(next.isr, id) &&
            id != unclean)
            elr.push_back(id);
    return elr;
}

struct Elected {
    BrokerId leader;
    bool unclean = false;
};

/// Who is likely to have the most of what is there, as nobody alive has all.
BrokerId first_alive(const Partition& p, const TopicRules& rules, const Alive& alive) {
    for (auto last : p.last_known_elr)
        if (contains(p.replicas, last) && alive(last)) return last;
    for (const bool new_disk : {false, true})
        for (auto replica : p.replicas)
            if (alive(replica) && rules.has_new_disk(replica) == new_disk) return replica;
    return kNoBroker;
}

Elected elect(const Partition& p, BrokerId now, Election election, const TopicRules& rules,
              const Alive& alive) {
    auto may_lead = [&](BrokerId id) {
        return (contains(p.isr, id) || contains(p.elr, id)) && alive(id);
    };
    if (election == Election::preferred && may_lead(p.replicas.front()))
        return {p.replicas.front()};
    if (now != kNoBroker && may_lead(now)) return {now};
    for (const auto* eligible : {&p.isr, &p.elr})
        for (auto replica : p.replicas)
            if (contains(*eligible, replica) && alive(replica)) return {replica};
    if (p.isr.empty() && p.elr.empty() && p.last_known_elr.size() == 1 &&
        contains(p.replicas, p.last_known_elr[0]) && alive(p.last_known_elr[0]))
        return {p.last_known_elr[0], true};
    if (election != Election::unclean) return {kNoBroker};
    const BrokerId first = first_alive(p, rules, alive);
    return {first, first != kNoBroker};
}

}  // namespace

TopicRules::TopicRules(const State& state)
    : image_(state.image), configs_(state.configs()), min_isr_(0), unclean_(false) {
    const metadata::Configs none;
    auto value = [&](std::string_view option) { return *configs_.topic(none, option).value; };
    min_isr_ = std::stoi(value("min.insync.replicas"));
    unclean_ = value("unclean.leader.election.enable") == "true";
    auto level = state.image.features().find(kMetadataVersion);
    records_recovery_ =
        level != state.image.features().end() && level->second >= kLevelWithRecovery;
}

int TopicRules::min_isr(const metadata::Topic& topic) const {
    if (!topic.configs->contains("min.insync.replicas")) return min_isr_;
    return static_cast<int>(configs_.topic_int(topic.name, "min.insync.replicas"));
}

bool TopicRules::unclean_elections(const metadata::Topic& topic) const {
    if (!topic.configs->contains("unclean.leader.election.enable")) return unclean_;
    return configs_.topic_bool(topic.name, "unclean.leader.election.enable");
}

bool TopicRules::has_new_disk(BrokerId id) const {
    const metadata::Broker* broker = image_.broker(id);
    return broker && broker->new_disk;
}

Partition decide(const Partition& old, Change change, const metadata::Topic& topic,
                 const TopicRules& rules, const Alive& alive) {
    const int min_isr = rules.min_isr(topic);
    complete(change, min_isr);
    Partition next{.index = old.index,
                   .replicas = std::move(change.replicas),
                   .isr = std::move(change.isr),
                   .elr = {},
                   .last_known_elr = old.last_known_elr,
                   .adding_replicas = std::move(change.adding),
                   .removing_replicas = std::move(change.removing),
                   .leader = kNoBroker,
                   .leader_epoch = old.leader_epoch,
                   .partition_epoch = old.partition_epoch,
                   .recovering = change.recovering};
    next.elr = eligible_leaders(old, next, change.unclean, min_isr);

    const auto [leader, unclean] = elect(next, old.leader, change.election, rules, alive);
    next.leader = leader;
    if (unclean) {
        next.isr = {leader};
        if (rules.records_recovery()) next.recovering = true;
    } else if (leader != kNoBroker && !contains(next.isr, leader)) {
        next.isr.push_back(leader);
    }
    // What is committed is now what an unclean leader has. The others cut their logs back to its
    // own.
    if (unclean) next.elr.clear();
    else next.elr = eligible_leaders(old, next, change.unclean, min_isr);

    if (leader != kNoBroker) next.last_known_elr.clear();
    else if (old.leader != kNoBroker) next.last_known_elr = {old.leader};
    std::erase_if(next.last_known_elr, [&](BrokerId id) { return !contains(next.replicas, id); });
    // Where a move has taken the last leader away: the last of those that could have led instead.
    const bool nobody = leader == kNoBroker && next.isr.empty() && next.elr.empty();
    if (nobody && next.last_known_elr.empty() && change.unclean != kNoBroker &&
        contains(next.replicas, change.unclean))
        next.last_known_elr = {change.unclean};
    if (change.blank) std::erase(next.last_known_elr, change.unclean);
    const bool ends_a_replica = !without(old.replicas, next.replicas).empty();
    if (next.leader != old.leader || ends_a_replica) ++next.leader_epoch;
    if (next != old) ++next.partition_epoch;
    return next;
}

std::optional<v1::Record> change_record(const base::TopicId& topic, const Partition& from,
                                        const Partition& to) {
    if (from == to) return std::nullopt;
    return metadata::partition_change_record(topic, from, to);
}

Records shift(const State& state, const Shift& shift, size_t most) {
    const BrokerId broker = shift.broker;
    const bool leaves = shift.kind != Shift::joins;
    const bool blank = shift.kind == Shift::leaves_blank;
    const bool unclean = shift.kind == Shift::leaves_unclean || blank;
    const TopicRules rules(state);
    const Alive alive = [&](BrokerId id) {
        return id == broker ? !leaves : state.image.active(id);
    };
    auto led = [&](const Partition& p) { return p.leader == (leaves ? broker : kNoBroker); };
    auto followed = [&](const Partition& p) {
        return leaves && (contains(p.isr, broker) || (unclean && contains(p.elr, broker)) ||
                          (blank && contains(p.last_known_elr, broker)));
    };
    Records out;
    for (bool leaders : {true, false}) {
        for (const auto& [name, topic] : state.image.topics()) {
            for (const auto& p : topic->partitions) {
                if (out.size() >= most) return out;
                if (leaders ? !led(*p) : led(*p) || !followed(*p)) continue;
                Change change(*p);
                if (leaves) std::erase(change.isr, broker);
                // Of an only replica nobody holds more than it does itself.
                if (unclean && p->replicas.size() > 1) {
                    change.unclean = broker;
                    change.blank = blank;
                }
                if (rules.unclean_elections(*topic)) change.election = Election::unclean;
                auto next = decide(*p, std::move(change), *topic, rules, alive);
                if (auto r = change_record(topic->id, *p, next)) out.push_back(*std::move(r));
            }
        }
        if (!leaves) break;
    }
    return out;
}

bool leads(const metadata::Image& image, BrokerId broker) {
    for (const auto& [name, topic] : image.topics())
        for (const auto& p : topic->partitions)
            if (p->leader == broker) return true;
    return false;
}

bool is_spared(const State& state, BrokerId broker) {
    const TopicRules rules(state);
    for (const auto& [name, topic] : state.image.topics()) {
        for (const auto& p : topic->partitions) {
            if (!contains(p->isr, broker)) continue;
            const Ids rest = without(p->isr, {broker});
            if (rest.size() >= effective(rules.min_isr(*topic), p->replicas) &&
                std::ranges::any_of(rest, [&](BrokerId id) { return state.image.active(id); }))
                return true;
        }
    }
    return false;
}

void forget_elr(const State& state, Records& records) {
    metadata::Delta delta{std::make_shared<const metadata::Image>(state.image)};
    for (const auto& r : records)
        CHECK(delta.replay(r).ok()) << "a decision that does not fit: " << r.ShortDebugString();
    const auto image = delta.apply();
    const State next{*image, state.static_configs, state.self};
    const TopicRules rules(next);
    for (const auto& [name, topic] : image->topics()) {
        for (const auto& p : topic->partitions) {
            if (p->elr.empty() || p->isr.size() < effective(rules.min_isr(*topic), p->replicas))
                continue;
            Partition without_elr = *p;
            without_elr.elr.clear();
            records.push_back(*change_record(topic->id, *p, without_elr));
        }
    }
}

}  // namespace controller
