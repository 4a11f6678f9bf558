// The leader's part: who joins the ISR and who leaves it, by leave of the controller.
#include <algorithm>

#include "replication/replica/replica.h"

namespace replica {

/// It holds all that is committed here, and all that the leaders before may have committed: that
/// ended before this epoch's start (KAFKA-7128).
bool Replica::may_join(const Leader& leader, const Peer& peer) const {
    const Broker* broker = known(peer.id);
    const Offset needs = std::max(high_watermark_, leader.epoch_start);
    const Offset has = safe_end(peer);
    return peer.attached && broker && broker->active && is_process(peer.id, peer.broker_epoch) &&
           has >= needs;
}

bool Replica::lags(const Leader& leader, const Peer& peer, InstantMs now) const {
    const auto most =
        peer.attached ? options_.lag_max_ms : std::min(options_.lost_max_ms, options_.lag_max_ms);
    return safe_end(peer) < leader.end && (!peer.caught_up || now - *peer.caught_up > most);
}

/// Whether it should be in the ISR.
bool Replica::belongs(const Leader& leader, const Peer& peer, InstantMs now) const {
    return peer.in_isr ? !peer.left && !lags(leader, peer, now) : may_join(leader, peer);
}

/// Whether the ISR should be another one. Called with every acknowledgement.
void Replica::review(Leader& leader, Effects& e, InstantMs now) {
    if (gives_up()) return resign(e, now);
    if (leader.pending || now < leader.propose_from) return;
    const bool same = std::ranges::all_of(
        leader.peers, [&](const Peer& p) { return belongs(leader, p, now) == p.in_isr; });
    if (same && !row_.recovering) return;
    std::vector<BrokerId> isr;
    for (const BrokerId id : row_.replicas) {
        const auto peer = std::ranges::find(leader.peers, id, &Peer::id);
        if (peer == leader.peers.end() || belongs(leader, *peer, now)) isr.push_back(id);
    }
    propose(leader, isr, e, now);
}

Proposal Replica::proposal_of(const std::vector<BrokerId>& isr) {
    Proposal proposal{.number = ++proposals_,
                      .epoch = row_.epoch,
                      .version = row_.version,
                      .broker_epoch = self_.epoch,
                      .isr = {}};
    for (const BrokerId id : isr) {
        const Broker* broker = known(id);
        proposal.isr.push_back({id, broker ? broker->epoch : -1});
    }
    return proposal;
}

void Replica::propose(Leader& leader, const std::vector<BrokerId>& isr, Effects& e, InstantMs now) {
    for (auto& peer : leader.peers)
        if (std::ranges::find(isr, peer.id) != isr.end() && !peer.in_isr) peer.proposed = true;
    e.propose = proposal_of(isr);
    leader.pending = Pending{.proposal = *e.propose, .sent_at = now};
}

void Replica::send_again(Leader& leader, Effects& e, InstantMs now) {
    if (gives_up() || !leader.pending || now - leader.pending->sent_at < options_.retry_ms) return;
    leader.pending->sent_at = now;
    e.propose = leader.pending->proposal;
}

/// It can't do its part, but the row has it lead: asks that another one does, until the row says
/// so. What was proposed before may be taken yet, so the maximal ISR stays as it is.
void Replica::resign(Effects& e, InstantMs now) {
    if (!gives_up() || row_.leader != self_.id || row_.replicas.size() < 2 ||
        !is_process(self_.id, self_.epoch))
        return;
    if (resigned_ && resigned_->first == row_.version &&
        now - resigned_->second < options_.retry_ms)
        return;
    resigned_ = {row_.version, now};
    auto others = row_.isr;
    std::erase(others, self_.id);
    e.propose = proposal_of(others);
}

Effects Replica::answered(uint64_t proposal, Answer answer, InstantMs now) {
    Effects e;
    auto* leader = std::get_if<Leader>(&role_);
    if (leader == nullptr || !leader->pending || leader->pending->proposal.number != proposal)
        return e;
    // Whatever else the answer is: as long as the row stays, what was proposed may have been taken.
    if (answer != Answer::ineligible) return e;
    leader->pending.reset();
    leader->propose_from = now + options_.retry_ms;
    // A copy that is still on its way could be taken when all are eligible again, and nobody here
    // would know. The same ISR proposed once more makes a new row, which no copy fits.
    if (std::ranges::any_of(leader->peers, [](const Peer& p) { return p.proposed; }))
        propose(*leader, row_.isr, e, now);
    return e;
}

}  // namespace replica
