#include <algorithm>

#include "controller/raft/quorum.h"
#include "controller/raft/raft.h"

namespace raft {

bool Raft::heard_recently(const Leader& leader, const Member& m) const {
    if (m == options_.self) return true;
    const auto peer = leader.peers.find(m);
    return peer != leader.peers.end() && now_ - peer->second.heard_at < options_.election_ticks;
}

std::optional<Refusal> Raft::refuses_change(const Leader& leader, const Change& change,
                                            const std::optional<Configuration>& next) const {
    // One at a time; and none before an entry of this term is committed, or two leaders could each
    // commit one that the other doesn't know, with majorities that don't meet (Ongaro, raft-dev,
    // July 2015).
    if (log_.configuration_index() > committed_ || !committed_in_term())
        return Refusal::change_pending;
    if (!next) return Refusal::impossible_change;
    if (const auto* promote = std::get_if<Promote>(&change)) {
        const auto& progress = leader.peers.at(promote->member);
        if (!progress.replicates() || progress.match < committed_ ||
            !heard_recently(leader, promote->member))
            return Refusal::not_caught_up;
    }
    if (!majority_of(*next, [&](const Member& m) { return heard_recently(leader, m); }))
        return Refusal::would_lose_quorum;
    return std::nullopt;
}

base::Expected<Position, Refusal> Raft::change(const Change& change) {
    if (const auto refusal = refuses_proposals()) return *refusal;
    auto& leader = std::get<Leader>(role_);
    const auto next = changed(configuration(), change);
    if (const auto refusal = refuses_change(leader, change, next)) return *refusal;
    const auto position = append_own(leader, EntryKind::configuration, next->encode());
    configuration_appended(leader);
    broadcast_append(leader);
    return position;
}

/// A leader sends to whom the configuration in force names, and to nobody else.
void Raft::configuration_appended(Leader& leader) {
    const auto& now = configuration();
    std::erase_if(leader.peers, [&](const auto& peer) { return !now.has(peer.first); });
    for (const auto& [member, address] : now.members()) {
        if (member == options_.self) continue;
        const auto [peer, added] = leader.peers.try_emplace(member);
        if (!added) continue;
        peer->second.probe_from(log_.last() + 1);
        peer->second.heard_at = now_;
    }
}

/// A leader that is no voter any more leads until that is committed, without counting itself (Raft
/// thesis §4.2.2). The voter whose log is longest is asked to take over at once.
void Raft::step_down_if_removed(Leader& leader) {
    if (self_votes() || log_.configuration_index() > committed_) return;
    const Member* next = nullptr;
    Index longest = -1;
    for (const auto& [member, progress] : leader.peers) {
        if (!configuration().has_voter(member) || progress.match <= longest) continue;
        longest = progress.match;
        next = &member;
    }
    if (next) send(*next, TimeoutNow{});
    become_follower(state_.term, std::nullopt);
}

}  // namespace raft
