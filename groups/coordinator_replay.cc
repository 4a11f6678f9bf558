// How it comes to know what the log says, as a follower and as the leader.
#include <limits>

#include "groups/coordinator.h"
#include "spdlog/spdlog.h"

namespace groups {

using kafka::ErrorCode;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds retry_after{5'000};
/// A replica that stopped is not told what becomes of it.
constexpr milliseconds look_again_after{500};
/// A follower need not have each record at once: it takes what comes meanwhile along.
constexpr milliseconds gather_for{50};
/// Wakes only when the role or the health of the partition changes.
constexpr base::Offset never_there = std::numeric_limits<base::Offset>::max();

}  // namespace

void Coordinator::start() { begin_anew(ErrorCode::not_coordinator); }

void Coordinator::lead(base::LeaderEpoch epoch) {
    if (state_ == State::stopped) return;
    told_to_lead_ = epoch;
    damaged_ = false;
    if (state_ == State::unreadable) state_ = State::following;
    take_role();
    step();
}

void Coordinator::follow() {
    if (state_ == State::stopped) return;
    told_to_lead_.reset();
    if (state_ == State::serving) return step_down();
    state_ = State::following;
    step();
}

bool Coordinator::leads() const {
    return told_to_lead_ && journal_->leading() && journal_->epoch() <= *told_to_lead_;
}

/// The log's end is taken when it becomes the leader: records there that are not committed yet are
/// waited for, as they may become so.
void Coordinator::take_role() {
    if (state_ == State::loading && !leads()) {
        state_ = State::following;
        compared_with_topics_ = false;
    }
    if (state_ != State::following && state_ != State::loading) return;
    if (!leads()) return;
    if (state_ == State::following) {
        damaged_ = false;
        load_began_ = environment_.now().instant;
    } else if (journal_->epoch() == load_epoch_) {
        return;
    }
    state_ = State::loading;
    load_epoch_ = journal_->epoch();
    load_end_ = journal_->end();
}

void Coordinator::begin_anew(ErrorCode why) {
    const auto life = ++life_;
    state_ = State::following;
    auto refused = groups_->end(environment_.now(), why);
    groups_ = std::make_unique<Groups>(config_);
    unflushed_.clear();
    overdue_.clear();
    timer_.reset();
    timer_at_ = Group::never;
    pause_.reset();
    if (watch_ != 0) journal_->unwatch(std::exchange(watch_, 0));
    replayed_ = {};
    replayed_.from = replayed_.next = journal_->start();
    reading_ = damaged_ = false;
    take_role();
    carry_out(std::move(refused));
    // Not from inside the call of the partition that brought this about.
    if (life == life_) step_soon();
}

void Coordinator::step_down() {
    compared_with_topics_ = false;
    begin_anew(ErrorCode::not_coordinator);
}

/// Goes on with what is next in the role that it has now.
void Coordinator::step() {
    if (state_ == State::stopped || state_ == State::unreadable || reading_) return;
    pause_.reset();
    if (watch_ != 0) journal_->unwatch(std::exchange(watch_, 0));
    if (state_ == State::serving) return journal_->leading() ? watch(never_there) : step_down();
    take_role();
    const auto start = journal_->start();
    // It goes back when an unclean election has cut off what was committed.
    const bool cut_off =
        replayed_.next > replayed_.from && journal_->high_watermark() < replayed_.next;
    if (cut_off || start > replayed_.next || start < replayed_.from)
        return begin_anew(ErrorCode::not_coordinator);
    if (damaged_) return watch(never_there);
    if (state_ == State::loading && replayed_.next >= load_end_) return serve();
    read_on();
}

void Coordinator::step_soon() {
    shard_.post([self = weak_from_this(), life = life_] {
        if (auto c = self.lock(); c && c->life_ == life) c->step();
    });
}

void Coordinator::pause(milliseconds delay) {
    pause_ = shard_.after(delay, [self = weak_from_this()] {
        auto c = self.lock();
        if (!c) return;
        if (c->state_ == State::unreadable) c->state_ = State::following;
        c->step();
    });
}

void Coordinator::watch(base::Offset offset) {
    watch_ = journal_->watch(offset, [self = weak_from_this(), life = life_] {
        auto c = self.lock();
        if (!c || c->life_ != life || std::exchange(c->watch_, 0) == 0) return;
        c->woken();
    });
    if (watch_ == 0) pause(look_again_after);
}

/// Inside the call that moved the watermark or the role.
void Coordinator::woken() {
    if (state_ == State::serving && !journal_->leading()) return step_down();
    if (state_ == State::following) return pause(gather_for);
    step_soon();
}

/// A bounded chunk at a time.
void Coordinator::read_on() {
    auto read = journal_->read(replayed_.next, replayed_.epoch,
                               static_cast<uint32_t>(config_.load_buffer_bytes));
    if (!read) {
        if (read.error().code == ErrorCode::not_leader_or_follower) return watch(never_there);
        if (read.error().code == ErrorCode::offset_out_of_range)
            return begin_anew(ErrorCode::not_coordinator);
        return failed(std::string(kafka::name(read.error().code)) + " " + read.error().message,
                      false);
    }
    if (read->slices.empty()) return watch(replayed_.next);
    if (read->next <= replayed_.next) return failed("a read that gives nothing", false);
    reading_ = true;
    shards_.block([self = weak_from_this(), life = life_, epoch = journal_->epoch(),
                   read = *std::move(read), &shard = shard_] {
        auto loaded = load(read);
        shard.post([self, life, epoch, loaded = std::move(loaded), next = read.next]() mutable {
            if (auto c = self.lock(); c && c->life_ == life)
                c->take(std::move(loaded), epoch, next);
        });
    });
}

void Coordinator::take(base::Result<Loaded> loaded, base::LeaderEpoch read_in, base::Offset next) {
    reading_ = false;
    // A log that has taken another leader or start meanwhile may have cut off what was being read,
    // and put other records in its place.
    if (journal_->epoch() != read_in || journal_->start() > replayed_.next) return step();
    if (!loaded.ok()) return failed(std::string(loaded.status().message()), true);
    const auto now = environment_.now();
    for (auto& record : loaded->records) groups_->replay(std::move(record), now);
    replayed_.next = next;
    replayed_.epoch = loaded->epoch;
    replayed_.bytes += loaded->bytes;
    replayed_.foreign += loaded->foreign;
    failing_ = false;
    step();
}

void Coordinator::failed(const std::string& why, bool damaged) {
    if (!std::exchange(failing_, true) || told_to_lead_)
        spdlog::error(
            "groups: partition {} can't be loaded at offset {}: {}; its groups are not served",
            index_, replayed_.next, why);
    if (told_to_lead_) state_ = State::unreadable;
    damaged_ = damaged;
    if (!damaged) return pause(retry_after);
    if (!told_to_lead_) watch(never_there);
}

void Coordinator::serve() {
    state_ = State::serving;
    const auto now = environment_.now();
    const auto life = life_;
    expire_at_ = now.instant + config_.retention_check_ms;
    spdlog::debug("groups: partition {} is served: {} groups, {} bytes, after {} ms", index_,
                  groups_->size(), replayed_.bytes, now.instant - load_began_);
    if (replayed_.foreign > 0)
        spdlog::warn("groups: partition {} holds {} records of kinds of groups that are not served",
                     index_, replayed_.foreign);
    watch(never_there);
    carry_out(groups_->loaded(now));
    // A crash may have come between the deletion of a topic and the tombstones. When the log is
    // read anew after a failed append this waits for the timer: it may be what failed.
    if (life == life_ && !std::exchange(compared_with_topics_, true)) drop_outlived(now);
}

}  // namespace groups
