#include "replication/partition.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "spdlog/spdlog.h"

namespace replication {

using base::Offset;
using kafka::Error;
using kafka::ErrorCode;
using std::chrono::milliseconds;

namespace {

// With write.caching: what a power loss may take, and what recovery has to look through.
constexpr milliseconds flush_interval{1000};
constexpr uint64_t unsynced_bytes_most = uint64_t{64} << 20;

constexpr int64_t checkpoint_interval_ms = 5000;

Error not_leading() { return {ErrorCode::not_leader_or_follower, "this broker does not lead it"}; }
Error failed(const base::Status& why) {
    return {ErrorCode::kafka_storage_error, base::message(why)};
}

}  // namespace

Partition::Partition(std::unique_ptr<storage::Log> log, io::Shards& shards, io::Shard& shard,
                     Options options, std::shared_ptr<LogDir> dir)
    : log_(std::move(log)),
      shards_(shards),
      shard_(shard),
      options_(options),
      dir_(std::move(dir)),
      replica_(options.self, options.min_isr,
               std::clamp(log_->stored_high_watermark(), log_->start(), log_->end())),
      alive_(std::make_shared<Partition*>(this)) {}

Partition::~Partition() = default;

void Partition::append(base::MutableView batch, Acks acks, milliseconds timeout, AppendDone done) {
    CHECK(shard_.here());
    auto appended = append_to_log(batch, acks);
    if (!appended.ok()) return done(appended.error());
    if (!appended->duplicate) unsynced_bytes_ += batch.size();
    schedule_sync();
    carry_out(replica_.progressed(safe_end()));
    if (acks != Acks::all || appended->last < high_watermark()) {
        done(*std::move(appended));
    } else {
        wait(*appended, timeout, std::move(done));
    }
}

kafka::Outcome<storage::Appended> Partition::append_to_log(base::MutableView batch, Acks acks) {
    if (const auto status = health(); !status.ok()) return failed(status);
    if (!leading()) return not_leading();
    if (acks == Acks::all && !replica_.enough_in_sync()) {
        return Error{ErrorCode::not_enough_replicas, "too few replicas are in sync"};
    }
    if (dir_) {
        if (dir_->fenced()) return failed(dir_->health());
        if (!options_.uses_reserve && !dir_->take(batch.size(), io::monotonic_clock())) {
            return Error{ErrorCode::kafka_storage_error,
                         absl::StrCat("log directory ", dir_->path(),
                                      " has no more than storage.reserve.bytes free")};
        }
    }
    auto appended = log_->append(batch, leader_epoch(), io::wall_clock());
    if (!appended.ok()) note(log_->health());
    return appended;
}

void Partition::wait(const storage::Appended& appended, milliseconds timeout, AppendDone done) {
    const auto waiting =
        waiting_.emplace(appended.last, Waiting{appended, std::move(done), nullptr});
    waiting->second.timer =
        shard_.after(std::max(timeout, milliseconds(0)), [this, waiting] { time_out(waiting); });
}

void Partition::time_out(Waitings::iterator waiting) {
    const auto expired = waiting_.extract(waiting);
    // The records stay: they may still become safe. The client must not take this for a refusal.
    expired.mapped().done(
        Error{ErrorCode::request_timed_out, "not all in-sync replicas have it yet"});
}

kafka::Outcome<Partition::Read> Partition::read(const ReadFrom& from) const {
    if (const auto status = health(); !status.ok()) return failed(status);
    if (!leading()) return not_leading();
    if (from.current_epoch >= 0 && from.current_epoch != leader_epoch()) {
        return from.current_epoch < leader_epoch()
                   ? Error{ErrorCode::fenced_leader_epoch, "the request's leader epoch is older"}
                   : Error{ErrorCode::unknown_leader_epoch, "the request's leader epoch is newer"};
    }
    const Error out_of_range{
        ErrorCode::offset_out_of_range,
        absl::StrCat("offset ", from.offset, " is not in ", log_->start(), "..", log_->end())};
    if (from.offset < log_->start()) return out_of_range;
    Read read{.records = {},
              .high_watermark = high_watermark(),
              .last_stable_offset = high_watermark(),
              .log_start = log_->start(),
              .diverging = std::nullopt};
    read.records.next = from.offset;
    if (from.last_fetched_epoch >= 0) {
        const auto known = log_->end_of_epoch(from.last_fetched_epoch);
        if (known.epoch < 0 || known.end < 0) return out_of_range;
        if (known.epoch < from.last_fetched_epoch || known.end < from.offset) {
            read.diverging = known;
            return read;
        }
    }
    if (from.offset > log_->end()) return out_of_range;
    if (from.offset >= high_watermark()) return read;
    auto records = log_->read(from.offset, high_watermark(), from.max_bytes, from.at_least_one);
    if (!records.ok()) return failed(records.status());
    read.records = *std::move(records);
    return read;
}

uint64_t Partition::watch(Offset offset, base::Function<void()> wake) {
    CHECK(shard_.here());
    if (offset < high_watermark() || !leading() || !health().ok()) {
        wake();
        return 0;
    }
    const uint64_t key = ++last_key_;
    watcher_of_.emplace(key, watchers_.emplace(offset, Watcher{key, std::move(wake)}));
    return key;
}

void Partition::unwatch(uint64_t key) {
    CHECK(shard_.here());
    const auto found = watcher_of_.find(key);
    if (found == watcher_of_.end()) return;
    watchers_.erase(found->second);
    watcher_of_.erase(found);
}

void Partition::assign(const Assignment& row) {
    CHECK(shard_.here());
    const auto effects = replica_.assign(row, log_->end(), safe_end());
    if (effects.role_changed && leading()) {
        note(log_->begin_epoch(row.epoch));
        start_sync();  // recovery may have left a tail that nothing has synced
    }
    carry_out(effects);
}

void Partition::set_config(const storage::LogConfig& config, Options options) {
    CHECK(shard_.here());
    options_ = options;
    log_->set_config(config);
    schedule_sync();
    carry_out(replica_.set_min_isr(options.min_isr));
    carry_out(replica_.progressed(safe_end()));
}

base::Status Partition::health() const { return failure_.ok() ? log_->health() : failure_; }

kafka::Outcome<Offset> Partition::delete_records(Offset offset) {
    CHECK(shard_.here());
    if (const auto status = health(); !status.ok()) return failed(status);
    if (!leading()) return not_leading();
    if (offset == -1) offset = high_watermark();
    if (offset < 0 || offset > high_watermark()) {
        return Error{ErrorCode::offset_out_of_range,
                     absl::StrCat("only records below ", high_watermark(), " can be deleted")};
    }
    if (offset <= log_->start()) return log_->start();
    if (const auto status = log_->advance_start(offset); !status.ok()) {
        note(status);
        return failed(status);
    }
    return log_->start();
}

void Partition::maintain(base::TimestampMs now) {
    CHECK(shard_.here());
    // In a fenced directory the next write may well fail, and then not even reading goes on.
    if (!health().ok() || (dir_ && dir_->fenced())) return;
    const auto removed = log_->apply_retention(high_watermark(), now);
    for (const auto& status : {removed.status(), log_->maintain(now)}) {
        if (!status.ok()) spdlog::warn("partition maintenance: {}", base::message(status));
    }
    if (!log_->health().ok()) return note(log_->health());
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
    fail_all(ErrorCode::not_leader_or_follower, "the partition is closing");
}

void Partition::carry_out(const Effects& effects) {
    if (effects.role_changed) {
        if (leading()) wake_all();
        else fail_all(ErrorCode::not_leader_or_follower, "another broker leads it now");
    }
    if (effects.high_watermark) complete_up_to(*effects.high_watermark);
}

void Partition::complete_up_to(Offset high_watermark) {
    // Taken out first: what runs may append or watch anew.
    Waitings safe;
    while (!waiting_.empty() && waiting_.begin()->first < high_watermark) {
        safe.insert(safe.end(), waiting_.extract(waiting_.begin()));
    }
    Watchers readable;
    while (!watchers_.empty() && watchers_.begin()->first < high_watermark) {
        watcher_of_.erase(watchers_.begin()->second.key);
        readable.insert(readable.end(), watchers_.extract(watchers_.begin()));
    }
    for (auto& [last, waiting] : safe) {
        waiting.timer.reset();
        waiting.done(waiting.appended);
    }
    for (auto& [offset, watcher] : readable) watcher.wake();
}

void Partition::fail_all(ErrorCode code, const std::string& why) {
    auto failing = std::exchange(waiting_, {});
    for (auto& [last, waiting] : failing) {
        waiting.timer.reset();
        waiting.done(Error{code, why});
    }
    wake_all();
}

void Partition::wake_all() {
    watcher_of_.clear();
    auto waking = std::exchange(watchers_, {});
    for (auto& [offset, watcher] : waking) watcher.wake();
}

void Partition::schedule_sync() {
    if (syncing_ || unsynced_bytes_ == 0) return;
    if (!options_.write_caching || unsynced_bytes_ >= unsynced_bytes_most) return start_sync();
    if (flush_timer_) return;
    flush_timer_ = shard_.after(flush_interval, [this] {
        const auto spent = std::move(flush_timer_);
        start_sync();
    });
}

void Partition::start_sync() {
    if (syncing_ || !health().ok()) return;
    auto sync = log_->take_sync();
    if (!sync) return;
    syncing_ = true;
    unsynced_bytes_ = 0;
    shards_.block([weak = std::weak_ptr(alive_), &shard = shard_,
                   sync = *std::move(sync)]() mutable {
        auto status = sync.run();
        shard.post([weak = std::move(weak), sync = std::move(sync), status = std::move(status)] {
            if (const auto alive = weak.lock()) (*alive)->finish_sync(sync, status);
        });
    });
}

void Partition::finish_sync(const storage::Sync& sync, const base::Status& status) {
    syncing_ = false;
    log_->synced(sync, status);
    if (!status.ok()) return note(status);
    schedule_sync();  // what came meanwhile goes together, while the answers leave
    carry_out(replica_.progressed(safe_end()));
}

void Partition::note(const base::Status& status) {
    if (status.ok() || !failure_.ok()) return;
    failure_ = status;
    spdlog::error("a partition stops: {}", base::message(status));
    fail_all(ErrorCode::kafka_storage_error, base::message(status));
}

}  // namespace replication
