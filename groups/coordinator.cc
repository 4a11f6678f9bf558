#include "groups/coordinator.h"

#include <algorithm>

#include "base/check.h"
#include "kafka/records/builder.h"
#include "spdlog/spdlog.h"

namespace groups {

using kafka::ErrorCode;

namespace {

constexpr std::chrono::seconds retry_load_after{5};
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
        case State::stopped:
            return ErrorCode::not_coordinator;
        case State::serving:
            break;
    }
    return journal_->leading() ? ErrorCode::none : ErrorCode::not_coordinator;
}

// ------------------------------------------------------------------------------------- loading

void Coordinator::start() { reload(); }

void Coordinator::reload() {
    ++life_;
    state_ = State::loading;
    // What waits can't know whether its records are in the log: retriable, and to be asked anew.
    auto refused = groups_->end(environment_.now(), ErrorCode::coordinator_not_available);
    groups_ = std::make_unique<Groups>(config_);
    unflushed_.clear();
    overdue_.clear();
    timer_.reset();
    timer_at_ = Group::never;
    load_next_ = journal_->start();
    load_end_ = journal_->end();
    load_began_ = environment_.now().instant;
    load_bytes_ = load_foreign_ = 0;
    carry_out(std::move(refused));
    load_next();
}

/// Reads on, a bounded chunk at a time. The end is where the log ended when loading began: records
/// there that are not durable yet are waited for, as they may become so.
void Coordinator::load_next() {
    if (state_ != State::loading) return;
    if (load_next_ >= load_end_) {
        state_ = State::serving;
        const auto now = environment_.now();
        expire_at_ = now.instant + config_.retention_check_ms;
        spdlog::debug("groups: partition {} loaded: {} groups, {} bytes in {} ms", index_,
                      groups_->size(), load_bytes_, now.instant - load_began_);
        if (load_foreign_ > 0)
            spdlog::warn(
                "groups: partition {} holds {} records of kinds of groups that are not served",
                index_, load_foreign_);
        carry_out(groups_->loaded(now));
        // A crash may have come between the deletion of a topic and the tombstones. When the log is
        // read anew after a failed append this waits for the timer: it may be what failed.
        if (!std::exchange(loaded_once_, true)) drop_outlived(now);
        return;
    }
    auto read = journal_->read(load_next_, static_cast<uint32_t>(config_.load_buffer_bytes));
    if (!read)
        return load_failed(std::string(kafka::name(read.error().code)) + " " + read.error().message,
                           true);
    if (read->slices.empty()) return wait_for_more();
    if (read->next <= load_next_) return load_failed("a read that gives nothing", true);
    shards_.block(
        [self = weak_from_this(), life = life_, read = *std::move(read), &shard = shard_] {
            auto loaded = load(read);
            shard.post([self, life, loaded = std::move(loaded), next = read.next]() mutable {
                if (auto c = self.lock(); c && c->life_ == life) c->take(std::move(loaded), next);
            });
        });
}

void Coordinator::wait_for_more() {
    const auto key = journal_->watch(load_next_, [self = weak_from_this(), life = life_] {
        auto c = self.lock();
        if (!c || c->life_ != life) return;
        c->watch_ = 0;
        // Not from inside the call that moved the watermark.
        c->shard_.post([self, life] {
            if (auto d = self.lock(); d && d->life_ == life) d->load_next();
        });
    });
    watch_ = key;
}

void Coordinator::take(base::Result<Loaded> loaded, base::Offset next) {
    if (state_ != State::loading) return;
    if (!loaded.ok()) return load_failed(std::string(loaded.status().message()), false);
    const auto now = environment_.now();
    for (auto& record : loaded->records) groups_->replay(std::move(record), now);
    load_bytes_ += loaded->bytes;
    load_foreign_ += loaded->foreign;
    load_next_ = next;
    load_next();
}

void Coordinator::load_failed(const std::string& why, bool try_again) {
    state_ = State::unreadable;
    spdlog::error(
        "groups: partition {} can't be loaded at offset {}: {}; its groups are not served", index_,
        load_next_, why);
    if (!try_again) return;
    load_again_ = shard_.after(retry_load_after, [self = weak_from_this()] {
        if (auto c = self.lock(); c && c->state_ == State::unreadable) c->reload();
    });
}

void Coordinator::stop() {
    if (state_ == State::stopped) return;
    state_ = State::stopped;
    ++life_;
    if (watch_ != 0) journal_->unwatch(std::exchange(watch_, 0));
    timer_.reset();
    load_again_.reset();
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
    if (error == ErrorCode::not_leader_or_follower) return stop();
    if (error != ErrorCode::none && !certainly_not_written(error)) {
        spdlog::warn("groups: partition {}: an append ended with {}: reading the log anew", index_,
                     kafka::name(error));
        return reload();
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

// ------------------------------------------------------------------------------------ requests

template <class Response>
RequestId Coordinator::expect(Reply<Response> reply) {
    const auto id = ++last_request_;
    waiting_.emplace(id, [reply = std::move(reply)](Answer::Body body) mutable {
        reply(std::get<Response>(std::move(body)));
    });
    return id;
}

void Coordinator::join(const kafka::JoinGroupRequest& request, Caller caller,
                       Reply<kafka::JoinGroupResponse> reply) {
    if (const auto e = serving(); e != ErrorCode::none) {
        kafka::JoinGroupResponse refusal;
        refusal.error_code = e;
        refusal.member_id = request.member_id;
        return reply(std::move(refusal));
    }
    caller.request = expect(std::move(reply));
    carry_out(groups_->join(environment_.now(), request, caller));
}

void Coordinator::sync(const kafka::SyncGroupRequest& request, int16_t version,
                       Reply<kafka::SyncGroupResponse> reply) {
    if (const auto e = serving(); e != ErrorCode::none) {
        kafka::SyncGroupResponse refusal;
        refusal.error_code = e;
        return reply(std::move(refusal));
    }
    const auto to = expect(std::move(reply));
    carry_out(groups_->sync(environment_.now(), request, to, version));
}

void Coordinator::heartbeat(const kafka::HeartbeatRequest& request,
                            Reply<kafka::HeartbeatResponse> reply) {
    if (const auto e = serving(); e != ErrorCode::none) {
        kafka::HeartbeatResponse refusal;
        // While loading nobody's session runs, and a member that heard otherwise would rejoin.
        if (e != ErrorCode::coordinator_load_in_progress) refusal.error_code = e;
        return reply(std::move(refusal));
    }
    const auto to = expect(std::move(reply));
    carry_out(groups_->heartbeat(environment_.now(), request, to));
}

void Coordinator::leave(const kafka::LeaveGroupRequest& request, int16_t version,
                        Reply<kafka::LeaveGroupResponse> reply) {
    if (const auto e = serving(); e != ErrorCode::none) {
        kafka::LeaveGroupResponse refusal;
        refusal.error_code = e;
        return reply(std::move(refusal));
    }
    const auto to = expect(std::move(reply));
    carry_out(groups_->leave(environment_.now(), request, to, version));
}

void Coordinator::commit(const kafka::OffsetCommitRequest& request, int16_t version,
                         Reply<kafka::OffsetCommitResponse> reply) {
    if (const auto e = serving(); e != ErrorCode::none) return reply(refuse(request, e));
    const auto to = expect(std::move(reply));
    carry_out(groups_->commit(environment_.now(), request, to, version));
}

void Coordinator::delete_offsets(const kafka::OffsetDeleteRequest& request,
                                 Reply<kafka::OffsetDeleteResponse> reply) {
    if (const auto e = serving(); e != ErrorCode::none) {
        kafka::OffsetDeleteResponse refusal;
        refusal.error_code = e;
        return reply(std::move(refusal));
    }
    const auto to = expect(std::move(reply));
    carry_out(groups_->delete_offsets(environment_.now(), request, to));
}

void Coordinator::delete_group(const std::string& id, Reply<kafka::DeleteGroupsResponse> reply) {
    if (const auto e = serving(); e != ErrorCode::none) {
        kafka::DeleteGroupsResponse refusal;
        auto& result = refusal.results.emplace_back();
        result.group_id = id;
        result.error_code = e;
        return reply(std::move(refusal));
    }
    const auto to = expect(std::move(reply));
    carry_out(groups_->delete_group(environment_.now(), id, to));
}

kafka::OffsetFetchResponse::OffsetFetchResponseGroup Coordinator::fetch(
    const kafka::OffsetFetchRequest::OffsetFetchRequestGroup& request, bool require_stable) {
    const auto e = serving();
    if (e != ErrorCode::none) return refuse(request, e);
    return groups_->fetch(request, require_stable, [this](const auto& key, const auto& value) {
        return outlived(key, value);
    });
}

kafka::DescribeGroupsResponse::DescribedGroup Coordinator::describe(const std::string& id,
                                                                    int16_t version) {
    const auto e = serving();
    if (e == ErrorCode::none) return groups_->describe(id, version);
    kafka::DescribeGroupsResponse::DescribedGroup refusal;
    refusal.group_id = id;
    refusal.error_code = e;
    return refusal;
}

ErrorCode Coordinator::list(const kafka::ListGroupsRequest& request,
                            std::vector<kafka::ListGroupsResponse::ListedGroup>& to) {
    const auto e = serving();
    if (e == ErrorCode::not_coordinator) return ErrorCode::none;
    if (e != ErrorCode::none) return e;
    auto mine = groups_->list(request);
    std::move(mine.begin(), mine.end(), std::back_inserter(to));
    return ErrorCode::none;
}

void Coordinator::topic_deleted(const std::string& topic, const base::Uuid& id) {
    if (serving() != ErrorCode::none) return;
    carry_out(groups_->drop(environment_.now(), [&](const auto& key, const auto& value) {
        return key.topic == topic && (value.topic_id == id || value.topic_id.is_zero());
    }));
}

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
