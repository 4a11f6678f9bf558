// What clients ask for, and what waits for the high watermark.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "replication/partition.h"

namespace replication {

using base::Offset;
using kafka::Error;
using kafka::ErrorCode;
using std::chrono::milliseconds;

namespace {

Error not_leading() { return {ErrorCode::not_leader_or_follower, "this broker does not lead it"}; }
Error failed(const base::Status& why) {
    return {ErrorCode::kafka_storage_error, base::message(why)};
}

}  // namespace

void Partition::append(base::MutableView batch, Acks acks, milliseconds timeout, AppendDone done) {
    CHECK(shard_.here());
    auto appended = append_to_log(batch, acks);
    if (!appended.ok()) return done(appended.error());
    if (!appended->duplicate) grew(batch.size());
    if (acks != Acks::all || appended->last < high_watermark()) {
        done(*std::move(appended));
    } else {
        wait(*appended, timeout, std::move(done));
    }
}

kafka::Outcome<storage::Appended> Partition::append_to_log(base::MutableView batch, Acks acks) {
    if (const auto status = health(); !status.ok()) return failed(status);
    if (!serving()) return not_leading();
    if (acks == Acks::all && !replica_.enough_in_sync()) {
        return Error{ErrorCode::not_enough_replicas, "too few replicas are in sync"};
    }
    if (const auto status = take_room(batch.size()); !status.ok()) return failed(status);
    auto appended = log_->append(batch, leader_epoch(), io::wall_clock());
    if (!appended.ok()) note(log_->health());
    return appended;
}

base::Status Partition::take_room(uint64_t bytes) {
    if (!dir_) return base::ok();
    if (dir_->fenced()) return dir_->health();
    if (options_.uses_reserve || dir_->take(bytes, io::monotonic_clock())) return base::ok();
    return absl::ResourceExhaustedError(absl::StrCat(
        "log directory ", dir_->path(), " has no more than storage.reserve.bytes free"));
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
    if (!serving() && !(from.from_follower && replica_.following())) return not_leading();
    if (from.current_epoch >= 0 && from.current_epoch != leader_epoch()) {
        return from.current_epoch < leader_epoch()
                   ? Error{ErrorCode::fenced_leader_epoch, "the request's leader epoch is older"}
                   : Error{ErrorCode::unknown_leader_epoch, "the request's leader epoch is newer"};
    }
    const Error out_of_range = not_in_log(from.offset);
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
    auto records = read_log(from.offset, high_watermark(), from.max_bytes, from.at_least_one);
    if (!records) return records.error();
    read.records = *std::move(records);
    return read;
}

kafka::Outcome<storage::LogRead> Partition::held(Offset from, uint32_t max_bytes) const {
    CHECK(shard_.here());
    if (const auto status = health(); !status.ok()) return failed(status);
    if (from < log_->start() || from >= log_->end()) return not_in_log(from);
    return read_log(from, log_->end(), max_bytes, true);
}

Error Partition::not_in_log(Offset offset) const {
    return {ErrorCode::offset_out_of_range,
            absl::StrCat("offset ", offset, " is not in ", log_->start(), "..", log_->end())};
}

kafka::Outcome<storage::LogRead> Partition::read_log(Offset from, Offset limit, uint32_t max_bytes,
                                                     bool at_least_one) const {
    auto records = log_->read(from, limit, max_bytes, at_least_one);
    if (absl::IsDataLoss(records.status())) {
        suspect(from);
        return Error{ErrorCode::corrupt_message, base::message(records.status())};
    }
    if (!records.ok()) return failed(records.status());
    return *std::move(records);
}

uint64_t Partition::watch(Offset offset, base::Function<void()> wake) {
    if (served()) return await(offset, std::move(wake));
    wake();
    return 0;
}

uint64_t Partition::await(Offset offset, base::Function<void()> wake) {
    CHECK(shard_.here());
    if (offset < high_watermark() || !health().ok()) {
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

kafka::Outcome<Offset> Partition::delete_records(Offset offset) {
    CHECK(shard_.here());
    if (const auto status = health(); !status.ok()) return failed(status);
    if (!serving()) return not_leading();
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
    start_moved();
    return log_->start();
}

void Partition::free_up_to(Offset high_watermark, Ready& ready) {
    while (!waiting_.empty() && waiting_.begin()->first < high_watermark) {
        ready.safe.insert(ready.safe.end(), waiting_.extract(waiting_.begin()));
    }
    while (!watchers_.empty() && watchers_.begin()->first < high_watermark) {
        watcher_of_.erase(watchers_.begin()->second.key);
        ready.woken.insert(ready.woken.end(), watchers_.extract(watchers_.begin()));
    }
}

void Partition::fail_all(ErrorCode code, const std::string& why, Ready& ready) {
    ready.failed.merge(waiting_);
    ready.why = {code, why};
    wake_all(ready);
}

void Partition::wake_all(Ready& ready) {
    watcher_of_.clear();
    ready.woken.merge(watchers_);
}

void Partition::Ready::run() {
    // None of them is to fire once its produce is answered.
    for (auto* waitings : {&safe, &failed})
        for (auto& [last, waiting] : *waitings) waiting.timer.reset();
    for (auto& [last, waiting] : safe) waiting.done(waiting.appended);
    for (auto& [last, waiting] : failed) waiting.done(why);
    for (auto& [offset, watcher] : woken) watcher.wake();
}

}  // namespace replication
