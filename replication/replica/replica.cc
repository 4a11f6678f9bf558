#include "replication/replica/replica.h"

#include <algorithm>

#include "base/check.h"

namespace replica {

namespace {

bool contains(const std::vector<BrokerId>& ids, BrokerId id) {
    return std::ranges::find(ids, id) != ids.end();
}

}  // namespace

Replica::Replica(Self self, Options options, const LocalLog& log, Offset high_watermark)
    : self_(self),
      options_(options),
      log_(log),
      high_watermark_(std::clamp(high_watermark, log.start(), log.end())) {}

const Broker* Replica::known(BrokerId id) const {
    const auto found = brokers_.find(id);
    return found == brokers_.end() ? nullptr : &found->second;
}

bool Replica::is_process(BrokerId id, int64_t epoch) const {
    const Broker* broker = known(id);
    return broker != nullptr && broker->epoch == epoch;
}

Effects Replica::assign(const Assignment& to, InstantMs now) {
    Effects e;
    if (to.row.version < row_.version) return e;
    const auto me = to.brokers.find(self_.id);
    const bool known_as_it_is = me != to.brokers.end() && me->second.epoch == self_.epoch;
    if (!known_as_it_is) {
        // An image from before its registration may name it the leader in the life before, in which
        // it had records that are gone. After a later one of the same id it has no say any more.
        if (me == to.brokers.end() || me->second.epoch > self_.epoch) step_aside(e);
        return e;
    }
    const bool enough_before = enough_in_sync();
    const bool changed = to.row.version > row_.version;
    const bool new_epoch = to.row.epoch > row_.epoch;
    row_ = to.row;
    min_isr_ = to.min_isr;
    brokers_ = to.brokers;
    if (new_epoch || std::holds_alternative<Idle>(role_)) {
        take_role(e, now);
    } else if (auto* leader = std::get_if<Leader>(&role_)) {
        follow_row(*leader, changed, e);
    } else if (auto& follower = std::get<Follower>(role_); follower.state == Follower::asking) {
        ask(follower, e, now);
    }
    e.too_few_in_sync = !e.role_changed && enough_before && !enough_in_sync();
    if (auto* leader = std::get_if<Leader>(&role_)) {
        advance(*leader, e, now);
        review(*leader, e, now);
    }
    for (const auto& a : std::exchange(early_, {})) take(a, e, now);
    return e;
}

void Replica::take_role(Effects& e, InstantMs now) {
    const bool had_none = std::holds_alternative<Idle>(role_);
    step_aside(e);
    if (row_.leader == kNobody || !contains(row_.replicas, self_.id)) {
        e.role_changed = !had_none;
        return;
    }
    if (row_.leader == self_.id) {
        if (failed_) return resign(e, now);
        e.role_changed = true;
        return lead(now);
    }
    if (!may_follow()) return leave(e);
    e.role_changed = true;
    role_ = Follower{};
    ask(std::get<Follower>(role_), e, now);
}

void Replica::step_aside(Effects& e) {
    if (std::holds_alternative<Idle>(role_)) return;
    if (auto* leader = std::get_if<Leader>(&role_))
        for (auto& peer : leader->peers) detach(peer, e);
    role_ = Idle{};
    e.role_changed = true;
}

Effects Replica::registered(int64_t epoch) {
    Effects e;
    if (epoch == self_.epoch) return e;  // the same, told again
    self_.epoch = epoch;
    step_aside(e);
    return e;
}

Effects Replica::set_options(const Options& options, InstantMs now) {
    Effects e;
    options_ = options;
    if (auto* leader = std::get_if<Leader>(&role_)) advance(*leader, e, now);
    return e;
}

Effects Replica::log_moved(InstantMs now) {
    Effects e;
    high_watermark_ = std::max(high_watermark_, log_.start());
    if (auto* leader = std::get_if<Leader>(&role_)) {
        const Offset end = log_.end();
        if (end > leader->end) {
            for (auto& peer : leader->peers)
                if (safe_end(peer) >= leader->end) peer.caught_up = now;  // it had all until now
            leader->end = end;
        }
        advance(*leader, e, now);
    } else if (auto* follower = std::get_if<Follower>(&role_)) {
        keep_up(*follower, e);
    }
    return e;
}

Effects Replica::log_failed(InstantMs now) {
    Effects e;
    failed_ = true;
    const bool followed = std::holds_alternative<Follower>(role_);
    step_aside(e);
    if (followed) leave(e);
    else resign(e, now);
    return e;
}

Effects Replica::set_fit(bool fit, InstantMs now) {
    Effects e;
    if (std::exchange(fit_, fit) != fit) fitness_changed(e, now);
    return e;
}

Effects Replica::set_full(bool full, InstantMs now) {
    Effects e;
    if (std::exchange(full_, full) != full) fitness_changed(e, now);
    return e;
}

void Replica::fitness_changed(Effects& e, InstantMs now) {
    if (auto* leader = std::get_if<Leader>(&role_)) {
        review(*leader, e, now);
    } else if (std::holds_alternative<Follower>(role_)) {
        if (may_follow()) return;
        step_aside(e);
        leave(e);
    } else if (may_follow() && is_process(self_.id, self_.epoch)) {
        take_role(e, now);
    }
}

Effects Replica::tick(InstantMs now) {
    Effects e;
    if (auto* leader = std::get_if<Leader>(&role_)) {
        advance(*leader, e, now);
        send_again(*leader, e, now);
        review(*leader, e, now);
    } else if (auto* follower = std::get_if<Follower>(&role_)) {
        if (follower->state == Follower::asking && now - follower->asked_at >= options_.retry_ms)
            ask(*follower, e, now);
    } else {
        resign(e, now);
    }
    return e;
}

size_t Replica::least_in_sync() const {
    return std::clamp<size_t>(static_cast<size_t>(std::max(min_isr_, 1)), 1,
                              std::max<size_t>(row_.replicas.size(), 1));
}

bool Replica::enough_in_sync() const { return leading() && row_.isr.size() >= least_in_sync(); }

bool Replica::following() const {
    const auto* follower = std::get_if<Follower>(&role_);
    return follower != nullptr && follower->state == Follower::following;
}

Offset Replica::lag() const {
    const auto* follower = std::get_if<Follower>(&role_);
    return follower ? std::max<Offset>(follower->reported - log_.end(), 0) : 0;
}

bool Replica::knows_committed() const {
    const auto* leader = std::get_if<Leader>(&role_);
    return leader != nullptr && high_watermark_ >= leader->epoch_start;
}

}  // namespace replica
