// The follower's part: finding where its log parts from the leader's, and keeping up with it.
#include <algorithm>

#include "replication/replica/replica.h"

namespace replica {

void Replica::ask(Follower& follower, Effects& e, InstantMs now) {
    follower.state = Follower::asking;
    follower.session = ++sessions_;
    follower.asked_at = now;
    e.send.push_back({row_.leader, attach_in(follower.session)});
}

Attach Replica::attach_in(uint64_t session) const {
    return {.from = self_.id,
            .broker_epoch = self_.epoch,
            .epoch = row_.epoch,
            .session = session,
            .end = log_.end(),
            .synced = log_.synced(),
            .last_epoch = log_.last_epoch()};
}

/// Tells the leader that it has one follower less.
void Replica::leave(Effects& e) {
    auto attach = attach_in(++sessions_);
    attach.leaves = true;
    e.send.push_back({row_.leader, attach});
}

Effects Replica::attach_answered(const AttachReply& reply, InstantMs now) {
    Effects e;
    auto* follower = std::get_if<Follower>(&role_);
    if (follower == nullptr || follower->state != Follower::asking ||
        reply.session != follower->session || reply.epoch != row_.epoch)
        return e;
    if (const auto* accepted = std::get_if<Accepted>(&reply.outcome)) {
        follower->state = Follower::following;
        follower->told_held = follower->told_synced = -1;
        start_at(accepted->start, e);
        follower->reported = accepted->high_watermark;
        keep_up(*follower, e);
    } else if (const auto* parted = std::get_if<Diverged>(&reply.outcome)) {
        // Where this log has not the leader's epoch either, it goes back to where the largest below
        // ends, and asks again.
        const EpochEnd own = log_.end_of_epoch(parted->known.epoch);
        Offset to = std::min(parted->known.end, log_.end());
        if (own.epoch >= 0) to = std::min(to, own.end);
        cut(*follower, {.to = std::max(to, log_.start())}, e);
    } else if (const auto* anew = std::get_if<Restart>(&reply.outcome)) {
        cut(*follower, {.to = anew->at, .restart = true}, e);
    } else {
        follower->asked_at = now;  // so long to wait
    }
    return e;
}

void Replica::start_at(Offset start, Effects& e) {
    if (start <= log_.start()) return;
    e.start = start;
    high_watermark_ = std::max(high_watermark_, start);
}

void Replica::cut(Follower& follower, Cut cut, Effects& e) {
    follower.state = Follower::cutting;
    e.cut = cut;
}

Effects Replica::cut_done(InstantMs now) {
    Effects e;
    high_watermark_ = std::clamp(high_watermark_, log_.start(), log_.end());
    auto* follower = std::get_if<Follower>(&role_);
    if (follower != nullptr && follower->state == Follower::cutting) ask(*follower, e, now);
    return e;
}

Effects Replica::offered(const Offer& offer, InstantMs now) {
    Effects e;
    auto* follower = std::get_if<Follower>(&role_);
    if (follower == nullptr || follower->state != Follower::following ||
        offer.epoch != row_.epoch || offer.session != follower->session)
        return e;
    if (offer.from == log_.end()) {
        start_at(std::min(offer.start, log_.end()), e);
        e.append = true;
    } else if (offer.from > log_.end()) {
        ask(*follower, e, now);  // something in between was lost
    }
    return e;
}

Effects Replica::taken(const Offer& offer) {
    Effects e;
    auto* follower = std::get_if<Follower>(&role_);
    if (follower == nullptr || offer.epoch != row_.epoch || offer.session != follower->session)
        return e;
    follower->reported = std::max(follower->reported, offer.high_watermark);
    keep_up(*follower, e);
    return e;
}

/// After its log or the leader's high watermark moved. Its own is no further than its safe end.
void Replica::keep_up(Follower& follower, Effects& e) {
    if (follower.state != Follower::following) return;
    const Offset committed = std::min(follower.reported, own_safe_end());
    if (committed > high_watermark_) {
        high_watermark_ = committed;
        e.high_watermark = committed;
    }
    const Offset held = log_.end();
    const Offset synced = std::min(log_.synced(), held);
    if (held == follower.told_held && synced == follower.told_synced) return;
    follower.told_held = held;
    follower.told_synced = synced;
    e.send.push_back({row_.leader, Acknowledgement{.from = self_.id,
                                                   .broker_epoch = self_.epoch,
                                                   .epoch = row_.epoch,
                                                   .session = follower.session,
                                                   .held = held,
                                                   .synced = synced}});
}

Effects Replica::leader_lost(InstantMs now) {
    Effects e;
    auto* follower = std::get_if<Follower>(&role_);
    if (follower != nullptr && follower->state != Follower::cutting) ask(*follower, e, now);
    return e;
}

}  // namespace replica
