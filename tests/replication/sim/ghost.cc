#include "tests/replication/sim/ghost.h"

#include <algorithm>
#include <set>

namespace replica::sim {

namespace {

bool contains(const std::vector<BrokerId>& ids, BrokerId id) {
    return std::ranges::find(ids, id) != ids.end();
}

/// What was committed but deleted where it last was is not known.
constexpr uint64_t kUnknown = 0;

bool matches(const Record& has, const Record& committed) {
    return committed.producer == kUnknown || has == committed;
}

}  // namespace

Offset Ghost::safely(const Node& node) const {
    if (!node.log) return 0;
    return std::min(node.agrees, durable_ ? node.log->durable() : node.log->end());
}

// ---------------------------------------------------------------------------- what is decided

void Ghost::decided(const metadata::Partition& before) {
    const auto& now = metadata_.row();
    if (before == now || before.leader_epoch + before.partition_epoch == 0) return;
    check_row(before, now);
    for (auto& [id, node] : nodes_) compare(node);
    const bool led_before = contains(before.isr, now.leader) || contains(before.elr, now.leader);
    if (now.leader != before.leader && now.leader != kNobody) {
        ++elections;
        // A replica that an end of a move makes leader was in the ISR, by the same decision.
        if (!led_before && !contains(now.isr, now.leader))
            fail("3: " + name(now.leader) + " leads from outside the ISR");
        if (now.recovering && !led_before && now.isr == std::vector{now.leader})
            lead_uncleanly(now.leader);
    }
    for (const BrokerId id : now.isr) {
        if (contains(before.isr, id) || contains(before.elr, id)) continue;
        if (id == now.leader && now.recovering) continue;
        const Node& node = nodes_.at(id);
        if (!node.damaged && safely(node) < last())
            fail("6: " + name(id) + " joins the ISR and lacks what is committed");
    }
}

void Ghost::check_row(const metadata::Partition& before, const metadata::Partition& now) {
    const auto least = static_cast<size_t>(metadata_.min_isr());
    std::set<BrokerId> seen;
    for (const auto* some : {&now.isr, &now.elr})
        for (const BrokerId id : *some)
            if (!contains(now.replicas, id) || !seen.insert(id).second)
                fail("1: ISR and ELR do not fit the replicas");
    if (now.isr.size() >= least && !now.elr.empty()) fail("1: an ELR beside a full ISR");
    for (const BrokerId id : now.isr)
        if (!metadata_.image().broker(id) || metadata_.image().broker(id)->fenced)
            fail("1: a fenced broker in the ISR");
    if (now.isr.empty() && now.elr.empty() && now.leader != kNobody) fail("14: a leader of nobody");
    if (now.partition_epoch <= before.partition_epoch) fail("13: the version does not rise");
    if (now.leader_epoch < before.leader_epoch ||
        (now.leader != before.leader && now.leader_epoch == before.leader_epoch))
        fail("12: the leader epoch does not rise");
    const bool moved = now.replicas.size() < before.replicas.size();
    if (moved && now.isr.size() < std::min(least, before.isr.size()))
        fail("18: a move leaves too few in sync");
}

/// Who was elected may lack what was committed; what it has is what there is from now on.
void Ghost::lead_uncleanly(BrokerId id) {
    ++unclean;
    const Node& node = nodes_.at(id);
    unclean_epoch_ = metadata_.row().leader_epoch;
    const Offset has = safely(node);
    if (has >= last()) return;
    if (durable_ && !node.damaged && !metadata_.unclean_elections())
        fail("the last leader, " + name(id) + ", lost what was on its disk");
    lose_all_but(has, node);
}

void Ghost::lose_all_but(Offset end, const Node& leader) {
    ++losses;
    lost_ = std::max(lost_, last());
    committed_.resize(static_cast<size_t>(end));
    count(leader);
    for (auto& [id, node] : nodes_) node.agrees = std::min(node.agrees, end);
}

/// What an unclean leader shows is what was committed before.
void Ghost::adopt(Node& node) {
    while (last() < node.core->high_watermark()) {
        const bool known = last() >= node.log->start();
        committed_.push_back(known ? node.log->at(last()) : Record{.producer = kUnknown});
    }
    node.agrees = last();
    count(node);
}

/// By the log of who leads: what it has deleted may be another version than was committed here.
void Ghost::count(const Node& leader) {
    sequences_ = leader.log ? leader.log->deleted() : std::map<uint64_t, int64_t>();
    for (Offset o = leader.log ? leader.log->start() : 0; o < last(); ++o) {
        const Record& record = committed_[static_cast<size_t>(o)];
        sequences_[record.producer] = record.sequence;
    }
}

void Ghost::enrolled(BrokerId id, bool clean) {
    Node& node = nodes_.at(id);
    if (node.damaged) node.whole_since = metadata_.image().broker(id)->epoch;
    node.damaged = false;
    const auto& row = metadata_.row();
    // Of an only replica nobody holds more.
    if (row.replicas.size() == 1 && row.replicas[0] == id && safely(node) < last())
        lose_all_but(safely(node), node);
    if (!contains(row.replicas, id)) return;
    if (contains(row.isr, id) || row.leader == id) fail("7: a new process is in the ISR");
    if (!clean && row.replicas.size() > 1 && contains(row.elr, id))
        fail("7: after an unclean restart " + name(id) + " is in the ELR");
}

// ---------------------------------------------------------------------------- what replicas do

void Ghost::compare(Node& node) {
    if (!node.log) {
        node.agrees = 0;
        return;
    }
    const auto& log = *node.log;
    const Offset limit = std::min(log.end(), last());
    node.agrees = std::clamp(node.agrees, std::min(log.start(), limit), limit);
    while (node.agrees < limit &&
           matches(log.at(node.agrees), committed_[static_cast<size_t>(node.agrees)]))
        ++node.agrees;
}

/// Its process is another one than the leader knows, and the one before has lost what it had.
bool Ghost::unknown_to(const Node& leader, const Node& node) const {
    return metadata_.at(leader.image).broker(node.id)->epoch < node.whole_since;
}

void Ghost::advanced(Node& node) {
    const auto& core = *node.core;
    const Offset to = core.high_watermark();
    // What a leader still does that an unclean election has put out of office is lost.
    if (core.epoch() < unclean_epoch_) {
        lost_ = std::max(lost_, to);
        return;
    }
    if (!core.enough_in_sync()) fail("5: " + name(node.id) + " commits with too few in sync");
    compare(node);
    if (to > last() && node.agrees < last())
        return fail("3: " + name(node.id) + " commits, but lacks what is committed");
    for (Offset o = last(); o < to; ++o) {
        const Record& record = node.log->at(o);
        auto& sequence = sequences_[record.producer];
        if (record.sequence <= sequence)
            fail("16: value " + std::to_string(record.sequence) + " of producer " +
                 std::to_string(record.producer) + " after " + std::to_string(sequence));
        sequence = record.sequence;
        committed_.push_back(record);
    }
    for (auto& [id, other] : nodes_) compare(other);
    for (const BrokerId id : core.maximal_isr()) {
        const Node& member = nodes_.at(id);
        // One that a move has ended meanwhile had it, and is gone.
        if (core.epoch() < member.dropped) continue;
        if (unknown_to(node, member)) continue;
        if (!member.damaged && safely(member) < to)
            fail("5: " + std::to_string(to) + " is committed by " + name(node.id) + ", but " +
                 name(id) + " of its ISR has " + std::to_string(safely(member)));
    }
}

void Ghost::acknowledged(const Node& node, const Waiting& produce) {
    ++acks;
    if (node.core->epoch() < unclean_epoch_) return;
    if (produce.offset >= last() ||
        !matches(produce.record, committed_[static_cast<size_t>(produce.offset)]))
        return fail("15: " + name(node.id) + " acknowledges what is not committed");
    if (!durable_) return;
    int disks = 0;
    for (const auto& [id, other] : nodes_) disks += safely(other) > produce.offset ? 1 : 0;
    for (const auto& [id, other] : nodes_) disks += other.damaged || unknown_to(node, other);
    const auto least = std::min<size_t>(node.core->row().isr.size(), 2);
    if (disks < static_cast<int>(std::min<size_t>(least, static_cast<size_t>(metadata_.min_isr()))))
        fail("15: acknowledged, but on " + std::to_string(disks) + " disks");
}

void Ghost::cuts(const Node& node, const Cut& cut) {
    ++truncations;
    // It follows a leader that an unclean election has put out of office.
    if (node.core->epoch() < unclean_epoch_) return;
    const Offset keeps = std::min(node.agrees, last());
    if (node.log->start() >= keeps) return;
    // What its leader has deleted, perhaps in another version, goes anyway.
    const Node& leader = nodes_.at(node.core->row().leader);
    if (leader.log && leader.log->start() >= keeps) return;
    // Below the start of a leader's log everything is gone anyway.
    if (cut.restart ? node.log->end() > cut.to && keeps > cut.to : cut.to < keeps)
        fail("11: " + name(node.id) + " cuts back to " + std::to_string(cut.to) +
             " and has what is committed up to " + std::to_string(keeps));
}

void Ghost::took_role(Node& node) {
    const auto& core = *node.core;
    if (core.epoch() < node.epoch_seen) fail("12: the epoch of " + name(node.id) + " falls");
    node.epoch_seen = core.epoch();
    if (!core.leading()) return;
    const bool new_to_it = node.settled < unclean_epoch_;
    node.settled = core.epoch();
    if (leaders_.try_emplace(core.epoch(), node.id).first->second != node.id)
        fail("12: two leaders in epoch " + std::to_string(core.epoch()));
    compare(node);
    // It may learn late that it leads, when others have after it.
    if (core.epoch() == metadata_.row().leader_epoch && safely(node) < last())
        fail("3: " + name(node.id) + " leads and lacks what is committed");
    if (new_to_it && core.epoch() >= unclean_epoch_) adopt(node);
}

void Ghost::check_member(const Node& node, const char* what) {
    if (node.damaged || safely(node) >= last()) return;
    fail("2: " + name(node.id) + " of the " + what + " has " + std::to_string(safely(node)) +
         " of " + std::to_string(last()) + " committed");
}

/// Whether its leader, as long as it leads, has all that the node shows.
bool Ghost::as_its_leader(const Node& node) const {
    const auto found = nodes_.find(node.core->row().leader);
    if (found == nodes_.end() || found->second.id == node.id) return true;
    const Node& leader = found->second;
    if (!leader.core || !leader.core->leading() || leader.core->epoch() != node.core->epoch())
        return true;
    for (Offset o = std::max({node.agrees, node.log->start(), leader.log->start()});
         o < node.high_watermark; ++o)
        if (o >= leader.log->end() || leader.log->at(o) != node.log->at(o)) return false;
    return true;
}

void Ghost::check_node(Node& node) {
    if (!node.core) return;
    const auto& core = *node.core;
    if (core.following()) node.settled = core.epoch();
    const auto& row = metadata_.row();
    if (core.leading() && core.epoch() == row.leader_epoch) {
        const auto maximal = core.maximal_isr();
        for (const BrokerId id : row.isr)
            if (!contains(maximal, id))
                fail("4: " + name(id) + " is in the ISR, and its leader does not know");
    }
    if (node.settled < unclean_epoch_) {  // it does not know yet what was lost
        node.high_watermark = 0;
        return;
    }
    if (core.high_watermark() < node.high_watermark)
        fail("10: the high watermark of " + name(node.id) + " falls");
    node.high_watermark = core.high_watermark();
    const bool of_the_lost = node.high_watermark <= lost_ && as_its_leader(node);
    if (node.high_watermark > node.agrees && !of_the_lost)
        fail("8: " + name(node.id) + " shows what is not committed: its high watermark is " +
             std::to_string(node.high_watermark));
}

void Ghost::check() {
    if (broken_) return;
    for (auto& [id, node] : nodes_) compare(node);
    const auto& row = metadata_.row();
    for (const BrokerId id : row.isr) check_member(nodes_.at(id), "ISR");
    for (const BrokerId id : row.elr) check_member(nodes_.at(id), "ELR");
    for (auto& [id, node] : nodes_) check_node(node);
}

}  // namespace replica::sim
