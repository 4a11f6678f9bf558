#include "groups/coordinator.h"

#include <algorithm>

#include "base/check.h"
#include "kafka/records/builder.h"
#include "spdlog/spdlog.h"

namespace groups {

using kafka::ErrorCode;

namespace {

/// A record's own lengths, timestamp and offset, at most.
constexpr size_t record_overhead = 40;

size_t size_of(const Write& write) {
    size_t bytes = 0;
    for (const auto& r : write.records)
        bytes += r.key.size() + (r.value ? r.value->size() : 0) + record_overhead;
    return bytes;
}

/// Whether the log says for certain that nothing was written. In all other cases the records may
/// still become durable, and only the log itself can tell.
bool certainly_not_written(ErrorCode error) {
    switch (error) {
        case ErrorCode::not_enough_replicas:
        case ErrorCode::message_too_large:
        case ErrorCode::record_list_too_large:
        case ErrorCode::invalid_record:
        case ErrorCode::corrupt_message:
        case ErrorCode::invalid_timestamp:
            return true;
        default:
            return false;
    }
}

}  // namespace

Coordinator::Coordinator(int32_t index, std::unique_ptr<Journal> journal, io::Shards& shards,
                         const Config& config, const Topics& topics, Environment& environment)
    : index_(index),
      journal_(std::move(journal)),
      shard_(journal_->shard()),
      shards_(shards),
      config_(config),
      topics_(topics),
      environment_(environment),
      groups_(std::make_unique<Groups>(config)) {}

Coordinator::~Coordinator() { CHECK(state_ == State::stopped) << "stop() lets the journal go"; }

ErrorCode Coordinator::serving() const {
    switch (state_) {
        case State::loading:
            return ErrorCode::coordinator_load_in_progress;
        case State::unreadable:
            return ErrorCode::coordinator_not_available;
        case State::following:
        case State::stopped:
            return ErrorCode::not_coordinator;
        case State::serving:
            break;
    }
    return journal_->leading() ? ErrorCode::none : ErrorCode::not_coordinator;
}

void Coordinator::stop() {
    if (state_ == State::stopped) return;
    state_ = State::stopped;
    ++life_;
    if (watch_ != 0) journal_->unwatch(std::exchange(watch_, 0));
    timer_.reset();
    pause_.reset();
    unflushed_.clear();
    overdue_.clear();
    auto refused = groups_->end(environment_.now(), ErrorCode::not_coordinator);
    groups_ = std::make_unique<Groups>(config_);
    carry_out(std::move(refused));
}

// ------------------------------------------------------------------------------------- effects

void Coordinator::carry_out(Effects effects) {
    for (auto& write : effects.writes) unflushed_.push_back(std::move(write));
    if (!unflushed_.empty() && !flush_posted_) {
        // What this turn of the loop brings goes to the log in one batch.
        flush_posted_ = true;
        shard_.post([self = weak_from_this()] {
            if (auto c = self.lock()) c->flush();
        });
    }
    arm();
    for (auto& answer : effects.answers) {
        auto node = waiting_.extract(answer.to);
        if (!node.empty()) node.mapped()(std::move(answer.body));
    }
}

void Coordinator::flush() {
    flush_posted_ = false;
    if (state_ != State::serving) return;
    auto writes = std::exchange(unflushed_, {});
    const auto now = environment_.now();
    const auto life = life_;
    for (size_t i = 0; i < writes.size() && life == life_;) {
        kafka::BatchBuilder builder;
        std::vector<WriteId> ids;
        const auto room = static_cast<size_t>(config_.max_batch_bytes);
        for (; i < writes.size(); ++i) {
            if (!ids.empty() && builder.size() + size_of(writes[i]) > room) break;
            for (const auto& r : writes[i].records)
                builder.add(
                    {.timestamp = now.wall,
                     .key = r.key,
                     .value = r.value ? std::optional<base::View>(*r.value) : std::nullopt});
            ids.push_back(writes[i].id);
            overdue_.emplace_back(now.instant + config_.commit_timeout_ms, writes[i].id);
        }
        append(std::move(builder).build(), std::move(ids));
    }
    if (life == life_) arm();
}

void Coordinator::append(base::Bytes batch, std::vector<WriteId> ids) {
    journal_->append(batch, [self = weak_from_this(), life = life_,
                             ids = std::move(ids)](kafka::Outcome<storage::Appended> outcome) {
        if (auto c = self.lock())
            c->appended(life, ids, outcome ? ErrorCode::none : outcome.error().code);
    });
}

void Coordinator::appended(uint64_t life, const std::vector<WriteId>& ids, ErrorCode error) {
    if (life != life_ || state_ != State::serving) return;
    if (error == ErrorCode::not_leader_or_follower) return step_down();
    if (error != ErrorCode::none && !certainly_not_written(error)) {
        spdlog::warn("groups: partition {}: an append ended with {}: reading the log anew", index_,
                     kafka::name(error));
        // What waits can't know whether its records are in the log: retriable, to be asked anew.
        return begin_anew(ErrorCode::coordinator_not_available);
    }
    for (const auto id : ids) {
        carry_out(groups_->persisted(environment_.now(), id, error));
        if (life != life_) return;
    }
}

// -------------------------------------------------------------------------------------- timing

void Coordinator::arm() {
    if (state_ != State::serving) return;
    auto at = std::min(groups_->alarm(), expire_at_);
    if (!overdue_.empty()) at = std::min(at, overdue_.front().first);
    if (timer_ && timer_at_ <= at) return;
    timer_at_ = at;
    const auto delay = std::max<base::InstantMs>(at - environment_.now().instant, 0);
    timer_ = shard_.after(std::chrono::milliseconds(delay), [self = weak_from_this()] {
        if (auto c = self.lock()) c->on_timer();
    });
}

void Coordinator::on_timer() {
    timer_at_ = Group::never;
    if (state_ != State::serving) return;
    const auto now = environment_.now();
    const auto life = life_;
    carry_out(groups_->tick(now));
    if (life == life_ && now.instant >= expire_at_) {
        expire_at_ = now.instant + config_.retention_check_ms;
        carry_out(groups_->expire(now));
        if (life == life_) drop_outlived(now);
    }
    if (life == life_) give_up_on_overdue(now);
    if (life == life_) arm();
}

void Coordinator::give_up_on_overdue(Now now) {
    const auto life = life_;
    while (life == life_ && !overdue_.empty() && overdue_.front().first <= now.instant) {
        const auto id = overdue_.front().second;
        overdue_.pop_front();
        carry_out(groups_->overdue(now, id));
    }
}

// -------------------------------------------------------------------------------------- topics

bool Coordinator::outlived(const OffsetKey& key, const OffsetCommitValue& value) const {
    const auto there = topics_.id_of(shard_, key.topic);
    // Values of before version 4 don't say which topic they mean: they go by the name.
    return !there || (!value.topic_id.is_zero() && value.topic_id != *there);
}

void Coordinator::drop_outlived(Now now) {
    carry_out(groups_->drop(
        now, [this](const auto& key, const auto& value) { return outlived(key, value); }));
}

}  // namespace groups
