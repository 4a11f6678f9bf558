#include "controller/raft/quorum.h"
#include "controller/raft/raft.h"

namespace raft {

std::optional<Refusal> Raft::read(uint64_t context) {
    if (!failure_.ok()) return Refusal::halted;
    auto* leader = std::get_if<Leader>(&role_);
    if (!leader) return Refusal::not_leader;
    if (leader->reads.size() >= options_.most_reads) return Refusal::too_much_waiting;
    leader->reads.add(context);
    serve_reads(*leader);
    return std::nullopt;
}

/// Answers the reads of the round that a majority has confirmed, and starts the next.
void Raft::serve_reads(Leader& leader) {
    const auto answered = [&](const Member& m) {
        return m == options_.self ? leader.reads.round() : leader.peers.at(m).round;
    };
    leader.reads.confirm(reached_by_majority(configuration(), answered), read_results_);
    // Until an entry of this term is committed, entries that an earlier leader committed may not be
    // known to be so.
    if (!leader.reads.due() || !committed_in_term()) return;
    leader.reads.start(committed_);
    broadcast_heartbeat(leader);
    // Alone it need not wait for anybody.
    leader.reads.confirm(reached_by_majority(configuration(), answered), read_results_);
}

std::optional<Refusal> Raft::transfer(const Member& to) {
    if (const auto refusal = refuses_proposals()) return refusal;
    auto& leader = std::get<Leader>(role_);
    if (to == options_.self || !configuration().has_voter(to)) return Refusal::impossible_change;
    if (!leader.peers.at(to).replicates() || !heard_recently(leader, to))
        return Refusal::not_caught_up;
    leader.transfer = Transfer{to, now_ + options_.election_ticks};
    continue_transfer(leader);
    return std::nullopt;
}

/// The member is asked to campaign once its log is complete; it stays so, as nothing is proposed.
void Raft::continue_transfer(Leader& leader) {
    if (!leader.transfer) return;
    const auto peer = leader.peers.find(leader.transfer->to);
    if (peer != leader.peers.end() && peer->second.match == log_.last())
        send(peer->first, TimeoutNow{});
}

}  // namespace raft
