// The leader's part: who follows how far, and what is committed by that.
#include <algorithm>

#include "base/check.h"
#include "replication/replica/replica.h"

namespace replica {

namespace {

constexpr size_t kMostEarly = 16;

auto* find(auto& peers, BrokerId id) {
    const auto found = std::ranges::find_if(peers, [&](const auto& p) { return p.id == id; });
    return found == peers.end() ? nullptr : &*found;
}

}  // namespace

void Replica::lead(InstantMs now) {
    CHECK(log_.last_epoch() < row_.epoch)
        << "leads in epoch " << row_.epoch << ", of which it has records already";
    Leader leader{.epoch_start = log_.end(), .end = log_.end()};
    for (const BrokerId id : row_.replicas) {
        if (id == self_.id) continue;
        Peer peer{.id = id, .mark = log_.end(), .marked_at = now};
        peer.in_isr = std::ranges::find(row_.isr, id) != row_.isr.end();
        if (peer.in_isr) peer.caught_up = now;  // it has lag_max to show itself
        leader.peers.push_back(peer);
    }
    role_ = std::move(leader);
}

void Replica::detach(Peer& peer, Effects& e) {
    if (peer.attached) e.detached.push_back(peer.id);
    peer.attached = false;
}

/// The same epoch goes on under another row, or with other brokers.
void Replica::follow_row(Leader& leader, bool changed, Effects& e) {
    std::erase_if(leader.peers, [&](Peer& peer) {
        const bool gone = std::ranges::find(row_.replicas, peer.id) == row_.replicas.end();
        if (gone) detach(peer, e);
        return gone;
    });
    for (const BrokerId id : row_.replicas)
        if (id != self_.id && !find(leader.peers, id))
            leader.peers.push_back({.id = id, .mark = leader.end});
    for (auto& peer : leader.peers) {
        peer.in_isr = std::ranges::find(row_.isr, peer.id) != row_.isr.end();
        // The row is what became of all proposals for the one before.
        if (changed) peer.proposed = false;
        if (peer.broker_epoch < 0 || is_process(peer.id, peer.broker_epoch)) continue;
        // Another process, whose log has to be looked at anew.
        detach(peer, e);
        peer = {.id = peer.id,
                .in_isr = peer.in_isr,
                .proposed = peer.proposed,
                .caught_up = peer.in_isr ? peer.caught_up : std::nullopt,
                .mark = leader.end};
    }
    if (changed) leader.pending.reset();
}

Replica::Verdict Replica::judge(const Attach& a) const {
    const Broker* broker = known(a.from);
    const bool leads = leading() && a.epoch == row_.epoch;
    if (a.epoch > row_.epoch || (leads && (!broker || broker->epoch < a.broker_epoch)))
        return {.early = true};
    Verdict v{.reply = {.epoch = row_.epoch, .session = a.session, .outcome = NotNow{}}};
    if (!leads || !find(std::get<Leader>(role_).peers, a.from) ||
        !is_process(a.from, a.broker_epoch) || a.last_epoch > row_.epoch)
        return v;
    const Offset start = log_.start();
    if (a.end < start) {
        v.reply.outcome = Restart{start};
    } else if (a.last_epoch < 0) {
        if (a.end > log_.end()) v.reply.outcome = Restart{start};
        else v.reply.outcome = Accepted{a.end, start, high_watermark_};
    } else {
        const EpochEnd end = log_.end_of_epoch(a.last_epoch);
        if (end.epoch < 0) return v;
        if (end.epoch < a.last_epoch || end.end < a.end) v.reply.outcome = Diverged{end};
        else v.reply.outcome = Accepted{a.end, start, high_watermark_};
    }
    return v;
}

Effects Replica::attach(const Attach& a, InstantMs now) {
    Effects e;
    take(a, e, now);
    return e;
}

void Replica::take(const Attach& a, Effects& e, InstantMs now) {
    const auto [early, reply] = judge(a);
    if (early) {
        // Of who waits already only the newest counts.
        std::erase_if(early_, [&](const Attach& other) { return other.from == a.from; });
        if (early_.size() >= kMostEarly) early_.erase(early_.begin());
        early_.push_back(a);
        return;
    }
    if (!std::holds_alternative<NotNow>(reply.outcome)) {
        auto& leader = std::get<Leader>(role_);
        Peer& peer = *find(leader.peers, a.from);
        if (a.session <= peer.session) return;  // late, or a copy
        detach(peer, e);
        peer.session = a.session;
        peer.broker_epoch = a.broker_epoch;
        peer.left = a.leaves;
        if (a.leaves) return review(leader, e, now);
        if (std::holds_alternative<Accepted>(reply.outcome)) {
            peer.attached = true;
            peer.held = a.end;
            peer.synced = std::min(a.synced, a.end);
            progressed(leader, peer, now);
        }
    }
    e.send.push_back({a.from, reply});
    if (auto* leader = std::get_if<Leader>(&role_)) {
        advance(*leader, e, now);
        review(*leader, e, now);
    }
}

Effects Replica::acknowledged(const Acknowledgement& a, InstantMs now) {
    Effects e;
    auto* leader = std::get_if<Leader>(&role_);
    if (leader == nullptr || a.epoch != row_.epoch) return e;
    Peer* peer = find(leader->peers, a.from);
    if (peer == nullptr || !peer->attached || peer->session != a.session ||
        peer->broker_epoch != a.broker_epoch || a.held > log_.end())
        return e;
    peer->held = std::max(peer->held, a.held);
    peer->synced = std::max(peer->synced, std::min(a.synced, a.held));
    progressed(*leader, *peer, now);
    advance(*leader, e, now);
    review(*leader, e, now);
    return e;
}

Effects Replica::follower_lost(BrokerId id) {
    Effects e;
    if (auto* leader = std::get_if<Leader>(&role_))
        if (Peer* peer = find(leader->peers, id)) detach(*peer, e);
    return e;
}

Offer Replica::offer(BrokerId to, Offset from) const {
    const auto& leader = std::get<Leader>(role_);
    const Peer* peer = find(leader.peers, to);
    CHECK(peer && peer->attached) << "records for broker " << to.value << ", which follows not";
    return {.epoch = row_.epoch,
            .session = peer->session,
            .from = from,
            .high_watermark = high_watermark_,
            .start = log_.start()};
}

void Replica::progressed(Leader& leader, Peer& peer, InstantMs now) {
    const Offset safe = safe_end(peer);
    if (safe >= leader.end) {
        peer.caught_up = now;
    } else if (safe >= peer.mark) {
        peer.caught_up = std::max(peer.caught_up.value_or(peer.marked_at), peer.marked_at);
    } else {
        return;
    }
    peer.mark = leader.end;
    peer.marked_at = now;
}

/// Not in sync yet, but about to be.
bool Replica::awaited(const Peer& peer, InstantMs now) const {
    const Broker* broker = known(peer.id);
    return peer.attached && broker && broker->active && peer.caught_up &&
           now - *peer.caught_up <= options_.join_wait_ms;
}

void Replica::advance(Leader& leader, Effects& e, InstantMs now) {
    if (!enough_in_sync()) return;
    Offset safe = own_safe_end();
    for (const auto& peer : leader.peers)
        if (peer.in_isr || peer.proposed || awaited(peer, now))
            safe = std::min(safe, safe_end(peer));
    if (safe <= high_watermark_) return;
    high_watermark_ = safe;
    e.high_watermark = safe;
}

std::vector<BrokerId> Replica::maximal_isr() const {
    std::vector<BrokerId> out{self_.id};
    for (const auto& peer : std::get<Leader>(role_).peers)
        if (peer.in_isr || peer.proposed) out.push_back(peer.id);
    return out;
}

bool Replica::attached(BrokerId id) const {
    const auto* leader = std::get_if<Leader>(&role_);
    const Peer* peer = leader ? find(leader->peers, id) : nullptr;
    return peer != nullptr && peer->attached;
}

std::pair<Offset, Offset> Replica::held_and_synced(BrokerId id) const {
    const auto* leader = std::get_if<Leader>(&role_);
    const Peer* peer = leader ? find(leader->peers, id) : nullptr;
    return peer ? std::pair(peer->held, peer->synced) : std::pair<Offset, Offset>(-1, -1);
}

}  // namespace replica
