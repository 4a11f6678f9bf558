// Its life, and what follows from the metadata and from what its peers say.
#include "replication/partition.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <variant>

#include "base/check.h"
#include "spdlog/spdlog.h"

namespace replication {

using base::BrokerId;
using base::Offset;
using kafka::Error;
using kafka::ErrorCode;

namespace {

constexpr int64_t checkpoint_interval_ms = 5000;
constexpr base::InstantMs take_again_after_ms = 1000;

}  // namespace

Partition::Partition(std::unique_ptr<storage::Log> log, io::Shards& shards, io::Shard& shard,
                     const Identity& identity, const Options& options, Exchange& exchange,
                     Proposals& proposals, std::shared_ptr<LogDir> dir)
    : id_(identity.id),
      log_(std::move(log)),
      view_(*log_),
      shards_(shards),
      shard_(shard),
      options_(options),
      exchange_(exchange),
      proposals_(proposals),
      dir_(std::move(dir)),
      replica_(identity.self, replica_options(options), view_, log_->stored_high_watermark()),
      alive_(std::make_shared<Partition*>(this)) {
    if (log_->damaged()) (void)replica_.set_fit(false, shard_.now());  // it has no role yet
}

Partition::~Partition() = default;

replica::Options Partition::replica_options(const Options& options) {
    return {.durable = !options.write_caching, .lag_max_ms = options.lag_max_ms};
}

void Partition::assign(const replica::Assignment& to) {
    CHECK(shard_.here());
    carry_out(replica_.assign(to, shard_.now()));
}

void Partition::registered(int64_t broker_epoch) {
    CHECK(shard_.here());
    carry_out(replica_.registered(broker_epoch));
}

void Partition::answered(uint64_t proposal, replica::Answer answer) {
    CHECK(shard_.here());
    carry_out(replica_.answered(proposal, answer, shard_.now()));
}

void Partition::set_config(const storage::LogConfig& config, const Options& options) {
    CHECK(shard_.here());
    options_ = options;
    log_->set_config(config);
    schedule_sync();
    carry_out(replica_.set_options(replica_options(options), shard_.now()));
}

void Partition::set_in_session(bool in_session) {
    CHECK(shard_.here());
    in_session_ = in_session;
    turn_away_if_cut_off();
    wake_if_served_again();
}

bool Partition::cut_off() const {
    if (in_session_ || !leading()) return false;
    // Another that still has all may have been elected, though it is in sync no more (KIP-966).
    if (!replica_.enough_in_sync()) return true;
    const auto& isr = replica_.row().isr;
    return std::ranges::any_of(
        isr, [this](BrokerId id) { return id != replica_.row().leader && !replica_.attached(id); });
}

/// What waits may wait for ever, and its client with it.
void Partition::turn_away_if_cut_off() {
    if (!cut_off()) return;
    Ready ready;
    fail_all(ErrorCode::not_leader_or_follower, "this broker is cut off", ready);
    ready.run();
}

/// A change of the role wakes whoever waits for it; this, what follows later: a leader accepts it.
void Partition::wake_if_served_again() {
    if (std::exchange(was_served_, served()) || !was_served_) return;
    Ready ready;
    wake_all(ready);
    ready.run();
}

void Partition::receive(const replica::Message& message) {
    CHECK(shard_.here());
    const auto now = shard_.now();
    carry_out(std::visit(
        [&](const auto& m) {
            using Kind = std::decay_t<decltype(m)>;
            if constexpr (std::is_same_v<Kind, replica::Attach>) return replica_.attach(m, now);
            else if constexpr (std::is_same_v<Kind, replica::AttachReply>)
                return replica_.attach_answered(m, now);
            else return replica_.acknowledged(m, now);
        },
        message));
}

void Partition::receive(const replica::Offer& offer, base::View batches) {
    CHECK(shard_.here());
    if (take_again_at_) return;
    const auto effects = replica_.offered(offer, shard_.now());
    carry_out(effects);
    if (!effects.append || !health().ok()) return;
    if (!batches.empty()) {
        base::Status done = take_room(batches.size());
        if (done.ok()) done = log_->append_replicated(batches, offer.epoch, io::wall_clock());
        if (!done.ok()) {
            if (!log_->health().ok()) return note(log_->health());
            spdlog::error(
                "partition {} of topic {}: records of the leader from offset {} on can't "
                "be taken: {}",
                id_.index, id_.topic.to_string(), offer.from, base::message(done));
            take_again_at_ = shard_.now() + take_again_after_ms;
            return;
        }
        unsynced_bytes_ += batches.size();
    }
    carry_out(replica_.taken(offer));
    schedule_sync();
}

void Partition::follower_lost(BrokerId id) {
    CHECK(shard_.here());
    carry_out(replica_.follower_lost(id));
}

void Partition::leader_lost() {
    CHECK(shard_.here());
    carry_out(replica_.leader_lost(shard_.now()));
}

void Partition::tick() {
    CHECK(shard_.here());
    if (take_again_at_ && *take_again_at_ <= shard_.now()) {
        take_again_at_.reset();
        leader_lost();
    }
    look_if_fit();
    if (dir_ && !options_.uses_reserve) carry_out(replica_.set_full(dir_->full(), shard_.now()));
    carry_out(replica_.tick(shard_.now()));
    turn_away_if_cut_off();
    wake_if_served_again();
}

void Partition::suspect(Offset offset) const {
    if (suspect_) suspect_(offset);
}

/// What it has may be read, or most of it, so it leads on where nobody else can.
void Partition::look_if_fit() {
    CHECK(shard_.here());
    const bool fit = !(dir_ && dir_->fenced()) && !log_->damaged();
    carry_out(replica_.set_fit(fit, shard_.now()));
}

void Partition::carry_out(const replica::Effects& e) {
    if (!failure_.ok()) return tell(e);
    Ready ready;
    if (e.role_changed) change_role(ready);
    if (e.too_few_in_sync)
        fail_all(ErrorCode::not_enough_replicas_after_append, "too few replicas are in sync",
                 ready);
    if (e.cut) cut(*e.cut);
    if (e.start) {
        note(log_->advance_start(*e.start));
        start_moved();
    }
    if (!health().ok()) return ready.run();
    if (e.high_watermark) {
        free_up_to(*e.high_watermark, ready);
        if (has_followers()) exchange_.grown(id_);
    }
    tell(e);
    if (e.cut) carry_out(replica_.cut_done(shard_.now()));
    ready.run();
    wake_if_served_again();
}

/// What others are to know.
void Partition::tell(const replica::Effects& e) {
    if (e.propose) proposals_.propose(id_, *e.propose);
    for (const BrokerId follower : e.detached) exchange_.detach(id_, follower);
    for (const auto& out : e.send) exchange_.send(id_, out.to, out.message);
}

void Partition::change_role(Ready& ready) {
    take_again_at_.reset();
    if (leading()) {
        note(log_->begin_epoch(leader_epoch()));
        wake_all(ready);
    } else {
        fail_all(ErrorCode::not_leader_or_follower, "another broker leads it now", ready);
    }
    start_sync();  // recovery may have left a tail that nothing has synced
}

void Partition::cut(const replica::Cut& to) {
    spdlog::info("partition {} of topic {} parts from its leader: {} {} (it had {} to {})",
                 id_.index, id_.topic.to_string(), to.restart ? "begins anew at" : "goes back to",
                 to.to, log_->start(), log_->end());
    note(to.restart ? log_->restart_at(to.to) : log_->truncate_to(to.to));
}

/// Retention, a client or the leader has moved the start of the log.
void Partition::start_moved() {
    if (!health().ok()) return;
    carry_out(replica_.log_moved(shard_.now()));
    if (has_followers()) exchange_.grown(id_);
}

base::Status Partition::health() const { return failure_.ok() ? log_->health() : failure_; }

void Partition::note(const base::Status& status) {
    if (status.ok() || !failure_.ok()) return;
    failure_ = status;
    spdlog::error("partition {} of topic {} stops: {}", id_.index, id_.topic.to_string(),
                  base::message(status));
    Ready ready;
    fail_all(ErrorCode::kafka_storage_error, base::message(status), ready);
    tell(replica_.log_failed(shard_.now()));
    ready.run();
}

void Partition::maintain(base::TimestampMs now) {
    CHECK(shard_.here());
    // In a fenced directory the next write may well fail, and then not even reading goes on.
    if (!health().ok() || (dir_ && dir_->fenced())) return;
    const Offset start = log_->start();
    const auto removed = log_->apply_retention(high_watermark(), now);
    for (const auto& status : {removed.status(), log_->maintain(now)}) {
        if (!status.ok()) spdlog::warn("partition maintenance: {}", base::message(status));
    }
    if (!log_->health().ok()) return note(log_->health());
    if (log_->start() != start) start_moved();
    checkpoint(now);
}

void Partition::checkpoint(base::TimestampMs now) {
    // Backwards too: the wall clock may be set.
    if (stored_.at >= 0 && std::abs(now - stored_.at) < checkpoint_interval_ms) return;
    const Checkpoint next{now, log_->start(), log_->synced(), high_watermark()};
    if (next.start == stored_.start && next.synced == stored_.synced &&
        next.high_watermark == stored_.high_watermark) {
        return;
    }
    const auto status = log_->checkpoint(next.high_watermark);
    if (!status.ok()) return note(status);
    stored_ = next;
}

base::Status Partition::close() {
    let_go();
    return log_->close(high_watermark());
}

void Partition::abandon() { let_go(); }

void Partition::let_go() {
    CHECK(shard_.here());
    alive_.reset();
    flush_timer_.reset();
    Ready ready;
    fail_all(ErrorCode::not_leader_or_follower, "the partition is closing", ready);
    ready.run();
}

}  // namespace replication
