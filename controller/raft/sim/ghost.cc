#include "controller/raft/sim/ghost.h"

#include "controller/raft/quorum.h"

namespace raft::sim {

void Ghost::started(Node& node) {
    const auto& disk = *node.disk;
    // 13: what is read back is a state that there was.
    const auto& state = disk.state();
    if (state.applied > last()) fail("13: " + name(node.self()) + " kept what is not committed");
    else if (state.applied > 0 && committed_[state.applied - 1].state != state)
        fail("13: " + name(node.self()) + " came back with another state");
    node.state = state;
    node.compacting.clear();
    node.out.reset();
    node.ticks = 0;
    node.committed = 0;
    node.led = 0;
    node.led_last = {};
    node.heard_at = -1;
    node.heard_term = 0;
    node.contacts.clear();
    node.reads.clear();
}

void Ghost::leaves(const Message& m) {
    const auto known = disks_.find(m.from);
    if (known == disks_.end()) return fail("20: somebody unknown speaks");
    const auto& disk = *known->second;
    const auto* reply = std::get_if<VoteReply>(&m.body);
    const auto* request = std::get_if<VoteRequest>(&m.body);
    if ((reply && reply->granted && !reply->pre) || (request && !request->pre)) {
        const auto& candidate = reply ? m.to : m.from;
        const auto& hard = disk.hard();
        if (hard.term < m.term || (hard.term == m.term && hard.vote != candidate))
            fail("2: " + name(m.from) + " votes before it is durable");
        if (votes_.try_emplace({m.from, m.term}, candidate).first->second != candidate)
            fail("2: " + name(m.from) + " votes twice in term " + std::to_string(m.term));
    }
    const auto* append = std::get_if<AppendReply>(&m.body);
    if (append && append->ok && disk.last() < append->match)
        fail("11: " + name(m.from) + " acknowledges what is not durable");
}

void Ghost::arrives(Node& node, const Message& m) {
    if (!node.raft || m.term < node.raft->term()) return;
    if (std::holds_alternative<Append>(m.body) || std::holds_alternative<Heartbeat>(m.body) ||
        std::holds_alternative<SnapshotChunk>(m.body)) {
        node.heard_at = node.ticks;
        node.heard_term = m.term;
    } else if (!std::holds_alternative<VoteRequest>(m.body) && m.term == node.raft->term()) {
        node.contacts[m.from] = node.ticks;
    }
}

void Ghost::pre_voted(const Node& node, Term before, bool granted) {
    if (node.raft->term() != before)
        fail("16: a pre-vote changed the term of " + name(node.self()));
    const bool heard = node.heard_at >= 0 && node.ticks - node.heard_at < kElectionTicks &&
                       node.heard_term == before;
    if (granted && (heard || node.raft->leads()))
        fail("16: " + name(node.self()) + " grants a pre-vote against a live leader");
}

void Ghost::writes(const Disk& before, const Write& w) {
    if (w.from == 0) return;
    for (Index i = w.from; i <= before.last() && i <= last(); ++i) {
        const auto* old = before.entry(i);
        if (!old || *old != committed_[static_cast<size_t>(i - 1)].entry) continue;
        const auto k = static_cast<size_t>(i - w.from);
        if (k >= w.entries.size() || w.entries[k] != *old)
            return fail("10: " + name(before.self()) + " cuts off committed entry " +
                        std::to_string(i));
    }
}

void Ghost::wrote(const Disk& disk, const Write& w) {
    const auto& at = disk.snapshot().position;
    if (at.index > last()) return fail("14: a snapshot of what is not committed");
    if (at.index > 0 && committed_[static_cast<size_t>(at.index - 1)].entry.term != at.term)
        return fail("14: a snapshot has a wrong term");
    const auto& state = disk.state();
    if (state.applied > last()) return fail("13: a state of what is not committed");
    if (state.applied > 0 && committed_[static_cast<size_t>(state.applied - 1)].state != state)
        return fail("7: " + name(disk.self()) + " keeps another state");
    if (w.from == 0) return;
    uint64_t hash = 0;
    if (w.from > disk.first()) hash = prefixes_.at({w.from - 1, disk.entry(w.from - 1)->term});
    else if (at.index > 0) hash = committed_[static_cast<size_t>(at.index - 1)].state.hash;
    for (Index i = w.from; i <= disk.last(); ++i) {
        const auto& e = *disk.entry(i);
        hash = mix(hash, hash_of(e));
        if (prefixes_.try_emplace({i, e.term}, hash).first->second != hash)
            return fail("4: two logs hold (" + std::to_string(i) + ", " + std::to_string(e.term) +
                        ") and differ before");
    }
}

void Ghost::ticked(Node& node) {
    if (!node.raft || !node.raft->leads()) return;
    const auto in_contact = [&](const Member& m) {
        return m == node.self() || !node.contacts.contains(m) ||
               node.ticks - node.contacts.at(m) <= kElectionTicks + 1;
    };
    if (!majority_of(node.raft->configuration(), in_contact))
        fail("17: " + name(node.self()) + " leads without a majority");
}

void Ghost::read(Node& node, uint64_t context) { node.reads[context] = last(); }

void Ghost::answered(Node& node, const ReadResult& r) {
    const auto asked = node.reads.extract(r.context);
    if (asked.empty()) return fail("18: a read is answered that was not asked");
    if (!r.index) return;
    if (*r.index < asked.mapped()) fail("18: a read misses what was committed before it");
    if (*r.index > last() || *r.index < 1 ||
        committed_[static_cast<size_t>(*r.index - 1)].entry.term != node.raft->term())
        fail("18: a read is served before a commit of the leader's term");
}

void Ghost::applied(const Node& node, const Entry& e) {
    if (node.state.applied > last() ||
        committed_[static_cast<size_t>(node.state.applied - 1)].entry != e ||
        committed_[static_cast<size_t>(node.state.applied - 1)].state != node.state)
        fail("7: " + name(node.self()) + " applies another entry at " +
             std::to_string(node.state.applied));
    if (node.state.applied > node.disk->last())
        fail("13: " + name(node.self()) + " applies what is not in its log on disk");
    if (node.state.applied > node.raft->committed())
        fail("12: " + name(node.self()) + " applies what is not committed");
}

bool Ghost::holds(const Member& m, Index i, Term term) const {
    const auto disk = disks_.find(m);
    if (disk == disks_.end()) return false;
    if (disk->second->snapshot().position.index >= i) return true;
    const auto* e = disk->second->entry(i);
    return e && e->term == term;
}

std::vector<Entry> Ghost::read(const Log& log, Index from, Index end) {
    std::vector<Entry> out;
    while (from < end) {
        auto more = log.entries(from, end, SIZE_MAX, SIZE_MAX);
        if (!more.ok() || more->empty()) break;
        from += static_cast<Index>(more->size());
        out.insert(out.end(), more->begin(), more->end());
    }
    return out;
}

void Ghost::grow(Node& node, Index to) {
    const auto& raft = *node.raft;
    // The ghost sees through damage.
    const bool unreadable = std::exchange(node.disk->unreadable, false);
    auto fresh = read(raft.log(), last() + 1, to + 1);
    node.disk->unreadable = unreadable;
    if (fresh.empty()) return;
    // It may have led until just now: a leader that was removed steps down with that very commit.
    if (!raft.leads() && node.led != raft.term())
        return fail("9: " + name(node.self()) + " commits without leading");
    if (fresh.back().term != raft.term())
        return fail("9: committed by counting an entry of an older term");
    // The configuration in force counts; the last entry of a majority stands for all before it.
    const auto held = [&](const Member& m) { return holds(m, to, fresh.back().term); };
    if (!majority_of(raft.configuration(), held))
        fail("8: " + std::to_string(to) + " is committed, but not on a majority's disks");
    for (auto& e : fresh) {
        State state = committed_.empty() ? State{} : committed_.back().state;
        state.apply(e);
        if (e.kind == EntryKind::configuration) {
            const auto before = std::exchange(configuration_, *Configuration::decode(e.data));
            check_votes(before);
        }
        committed_.push_back({std::move(e), state});
    }
}

void Ghost::check_votes(const Configuration& before) {
    const auto votes = [](const Configuration& c, const Member& m) {
        return c.has_voter(m) || c.promised.contains(m);
    };
    for (const auto& [member, address] : before.members()) {
        if (!votes(before, member) || removed_.contains(member)) continue;
        const auto now = configuration_.find_id(member.id);
        if (!now || !votes(configuration_, *now)) fail("23: " + name(member) + " lost its vote");
    }
}

void Ghost::check_committed(Node& node) {
    const auto& raft = *node.raft;
    const Index now = raft.committed();
    if (now < node.committed) fail("12: the commit of " + name(node.self()) + " falls");
    if (now > last()) grow(node, now);
    for (Index i = std::max(node.committed, raft.log().snapshot().index) + 1;
         i <= std::min(now, last()); ++i)
        if (raft.log().term_at(i) != committed_[static_cast<size_t>(i - 1)].entry.term)
            return fail("7: " + name(node.self()) + " takes another entry for committed at " +
                        std::to_string(i));
    node.committed = now;
}

void Ghost::check_leader(Node& node) {
    const auto& raft = *node.raft;
    const auto term = raft.term();
    const auto last_now = raft.log().last_position();
    if (node.led != term) {
        node.led = term;
        node.contacts.clear();
        const auto& hard = node.disk->hard();
        if (hard.term < term || (hard.term == term && hard.vote != node.self()))
            fail("2: " + name(node.self()) + " leads before its own vote is durable");
        if (leaders_.try_emplace(term, node.self()).first->second != node.self())
            fail("1: two leaders in term " + std::to_string(term));
        for (Index i = raft.log().snapshot().index + 1; i <= last(); ++i)
            if (raft.log().term_at(i) != committed_[static_cast<size_t>(i - 1)].entry.term)
                return fail("6: the leader of term " + std::to_string(term) +
                            " lacks committed entry " + std::to_string(i));
    } else if (last_now.index < node.led_last.index ||
               (node.led_last.index >= raft.log().snapshot().index &&
                raft.log().term_at(node.led_last.index) != node.led_last.term)) {
        fail("5: " + name(node.self()) + " overwrites its log while it leads");
    }
    node.led_last = last_now;
    for (const auto& [member, address] : raft.configuration().voters)
        node.contacts.try_emplace(member, node.ticks);
    // 15: counted against what is committed anywhere, as a new leader may not know it all yet.
    if (raft.log().configuration_index() <= last()) return;
    int uncommitted = 0;
    for (const auto& e : read(raft.log(), last() + 1, last_now.index + 1))
        uncommitted += e.kind == EntryKind::configuration ? 1 : 0;
    if (uncommitted > 1) fail("15: two configurations are uncommitted");
}

void Ghost::check(Node& node) {
    if (broken_ || !node.raft) return;
    // One whose log could not be read at the start knows no entries, and gives nothing out.
    const auto& raft = *node.raft;
    if (!raft.failure().ok() && raft.log().last() < raft.committed()) return;
    check_committed(node);
    if (!broken_ && node.raft->leads()) check_leader(node);
}

}  // namespace raft::sim
