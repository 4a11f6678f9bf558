#include "storage/partition_log.h"

#include <absl/hash/hash.h>

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "storage/claims.h"

namespace storage {

namespace {

kafka::Error storage_error(const base::Status& why) {
    return {kafka::ErrorCode::kafka_storage_error, base::message(why)};
}

kafka::Error too_large(kafka::ErrorCode code, size_t size, uint64_t most) {
    return {code, "a batch of " + std::to_string(size) + " bytes; at most " + std::to_string(most)};
}

/// Whether the first batch begins below `offset` and ends past it.
bool holds_in_its_middle(base::View batches, base::Offset offset) {
    const auto first = kafka::take_batch(batches);
    return first && first->base_offset() >= 0 && first->base_offset() < offset &&
           first->next_offset() > offset && first->crc_ok();
}

}  // namespace

base::Result<std::unique_ptr<Log>> Log::open(Place place, const LogConfig& config,
                                             base::TimestampMs now) {
    ASSIGN_OR_RETURN(auto recovered, Recovery(place, config, now).run());
    return std::make_unique<PartitionLog>(std::move(place), config, std::move(recovered));
}

base::Status Log::destroy(const Place& place) {
    RETURN_IF_ERROR(place.disk->remove_all(place.directory));
    WriteBatch batch;
    RETURN_IF_ERROR(
        place.store->scan(row_prefix(place.id), [&](std::string_view key, std::string_view) {
            batch.remove(std::string(key));
            return true;
        }));
    return batch.empty() ? base::ok() : place.store->write(batch, Store::Durability::synced);
}

base::Status Sync::run() {
    for (const auto& file : files_) RETURN_IF_ERROR(file->sync());
    for (const auto& directory : directories_) RETURN_IF_ERROR(disk_->sync_directory(directory));
    return store_ ? store_->write({}, Store::Durability::synced) : base::ok();
}

PartitionLog::PartitionLog(Place place, const LogConfig& config, Recovered r)
    : place_(std::move(place)),
      config_(config),
      segments_(std::move(r.segments)),
      start_(r.start),
      mark_(r.mark),
      new_(r.is_new),
      lineage_(std::move(r.lineage)),
      producers_(std::move(r.producers)),
      snapshots_(std::move(r.snapshots)),
      high_watermark_(r.high_watermark) {
    recovery_ = r.report;
}

base::Offset PartitionLog::synced() const {
    return std::min(std::max(mark_.offset, start_), end());
}

uint64_t PartitionLog::size_bytes() const {
    uint64_t sum = 0;
    for (const auto& s : segments_) sum += s->bytes();
    return sum;
}

SyncedMark PartitionLog::end_mark() const {
    return {active().end(), active().base(), active().bytes(), active().newest()};
}

base::Status PartitionLog::fence(const base::Status& why) {
    if (health_.ok()) health_ = base::unavailable(place_.directory + ": " + base::message(why));
    return health_;
}

base::Status PartitionLog::distrust(const base::Status& why) {
    const base::Status fenced = fence(why);
    Checkpoint suspect = row();
    suspect.distrusted = true;
    WriteBatch batch;
    batch.put(checkpoint_key(place_.id), suspect.serialize());
    // If the store fails as well, there is no more to be done.
    place_.store->write(batch, Store::Durability::synced).IgnoreError();
    return fenced;
}

base::Status PartitionLog::fence_unless_full(const base::Status& why) {
    return absl::IsResourceExhausted(why) ? why : fence(why);
}

kafka::Outcome<Appended> PartitionLog::append(base::MutableView bytes, base::LeaderEpoch epoch,
                                              base::TimestampMs now) {
    if (!health_.ok()) return storage_error(health_);
    kafka::BatchEditor editor(bytes);
    const kafka::BatchView batch = editor.view();
    if (bytes.size() > config_.max_message_bytes) {
        return too_large(kafka::ErrorCode::message_too_large, bytes.size(),
                         config_.max_message_bytes);
    }
    if (bytes.size() > config_.segment_bytes) {
        return too_large(kafka::ErrorCode::record_list_too_large, bytes.size(),
                         config_.segment_bytes);
    }
    if (epoch < last_epoch()) {
        return kafka::Error{kafka::ErrorCode::fenced_leader_epoch,
                            "the log has records of epoch " + std::to_string(last_epoch())};
    }
    const bool by_append = batch.timestamp_type() == kafka::TimestampType::log_append_time;
    if (batch.has_producer()) {
        auto earlier = producers_.check(claim_of(batch));
        if (!earlier.ok()) return earlier.error();
        if (const auto& retry = *earlier) {
            return Appended{.first = retry->first_offset,
                            .last = retry->last_offset,
                            .log_append_time = by_append ? retry->timestamp : -1,
                            .duplicate = true};
        }
    }
    editor.set_base_offset(end());
    editor.set_leader_epoch(epoch);
    const Appended appended{.first = batch.base_offset(),
                            .last = batch.last_offset(),
                            .log_append_time = by_append ? batch.max_timestamp() : -1};
    if (must_roll_for(batch, bytes.size(), 0, now)) {
        if (auto rolled = roll(now); !rolled.ok()) return storage_error(rolled);
    }
    if (auto written = write(bytes, now); !written.ok()) return storage_error(written);
    return appended;
}

base::Status PartitionLog::append_replicated(base::View batches, base::LeaderEpoch at_most,
                                             base::TimestampMs now) {
    RETURN_IF_ERROR(health_);
    // A log that began anew at an offset within a batch of its leader's takes that batch whole.
    const base::Offset begin = start_;
    if (begin == end() && holds_in_its_middle(batches, begin)) {
        RETURN_IF_ERROR(restart_at(kafka::BatchView(batches).base_offset()));
        RETURN_IF_ERROR(append_replicated(batches, at_most, now));
        return end() > begin ? advance_start(begin) : base::ok();
    }
    base::View rest = batches;
    base::Offset next = end();
    base::LeaderEpoch epoch = last_epoch();
    size_t pending = 0;  // bytes before `rest` that are checked and fit into the active segment
    base::Status bad;
    while (!rest.empty()) {
        const base::View before = rest;
        const auto batch = kafka::take_batch(rest);
        if (!batch) {
            bad = base::invalid("not a whole record batch");
            break;
        }
        const auto wanted = check_replicated(*batch, next, epoch, at_most);
        if (!wanted.ok()) bad = wanted.status();
        if (!wanted.ok() || !*wanted) break;
        if (must_roll_for(*batch, batch->size(), pending, now)) {
            if (pending > 0) RETURN_IF_ERROR(write(batches.first(pending), now));
            RETURN_IF_ERROR(roll(now));
            pending = 0;
            batches = before;
        }
        pending += batch->size();
        next = batch->next_offset();
        epoch = batch->leader_epoch();
    }
    if (pending > 0) RETURN_IF_ERROR(write(batches.first(pending), now));
    return bad;
}

/// Whether the batch is to be appended; false: it comes from a leader that the fetch did not know.
base::Result<bool> PartitionLog::check_replicated(const kafka::BatchView& batch,
                                                  base::Offset expected, base::LeaderEpoch last,
                                                  base::LeaderEpoch at_most) const {
    if (batch.leader_epoch() > at_most) return false;
    if (batch.base_offset() != expected || batch.last_offset_delta() < 0) {
        return base::invalid("a batch at offset " + std::to_string(batch.base_offset()) +
                             " where " + std::to_string(expected) + " is next");
    }
    if (batch.leader_epoch() < last) {
        return base::invalid("a batch of epoch " + std::to_string(batch.leader_epoch()) +
                             " after one of " + std::to_string(last));
    }
    if (!batch.crc_ok()) return base::invalid("a batch with a wrong checksum");
    return true;
}

/// Kafka's rules: by size, by the time between the first record of the segment and this batch, by
/// size of the index, and by offsets that no longer fit an index entry.
bool PartitionLog::must_roll_for(const kafka::BatchView& batch, uint64_t size, uint64_t pending,
                                 base::TimestampMs now) const {
    const Segment& s = active();
    const uint64_t held = s.bytes() + pending;
    if (held == 0) return false;
    if (held + size > config_.segment_bytes) return true;
    const bool timed = s.first_timestamp() >= 0 && batch.max_timestamp() >= 0;
    const int64_t age = timed ? batch.max_timestamp() - s.first_timestamp() : now - s.created_at();
    if (s.bytes() > 0 && age > segment_ms()) return true;
    if (s.index_bytes() + SparseIndex::entry_bytes > config_.segment_index_bytes) return true;
    return batch.last_offset() - s.base() > std::numeric_limits<int32_t>::max();
}

/// Spread by the segment's place, so that many partitions do not roll at once.
int64_t PartitionLog::segment_ms() const {
    if (config_.segment_jitter_ms <= 0) return config_.segment_ms;
    const auto spread = absl::HashOf(place_.id, active().base());
    const auto jitter = static_cast<uint64_t>(config_.segment_jitter_ms);
    return config_.segment_ms - static_cast<int64_t>(spread % jitter);
}

base::Status PartitionLog::make_place() {
    if (active().has_file()) return base::ok();
    if (auto made = place_.disk->make_directories(place_.directory); !made.ok())
        return fence_unless_full(made);
    if (auto made = active().make_file(); !made.ok()) return fence_unless_full(made);
    directory_dirty_ = true;
    new_ = true;
    WriteBatch batch;
    put_snapshot(batch, end());
    batch.put(checkpoint_key(place_.id), row().serialize());
    return store(std::move(batch), Store::Durability::buffered);
}

base::Status PartitionLog::sync_place() {
    directory_dirty_ = false;
    RETURN_IF_ERROR(place_.disk->sync_directory(place_.directory));
    if (!new_) return base::ok();
    RETURN_IF_ERROR(place_.disk->sync_directory(parent_of(place_.directory)));
    RETURN_IF_ERROR(place_.store->write({}, Store::Durability::synced));
    new_ = false;
    return base::ok();
}

base::Status PartitionLog::roll(base::TimestampMs now) {
    if (active().bytes() == 0) return base::ok();
    // Without its row, and with more than one segment, nobody could tell what was synced.
    if (new_) {
        if (auto done = sync_place(); !done.ok()) return distrust(done);
    }
    auto fresh = Segment::create(*place_.disk, place_.directory, end(), now);
    if (!fresh.ok()) return fence_unless_full(fresh.status());
    (*fresh)->set_index_interval(config_.index_interval_bytes);
    // Without its index file the segment is read once more at the next start, that is all.
    if (auto index = active().save_index(); index.ok()) {
        mark_dirty(*index);
    } else if (absl::IsUnavailable(index.status())) {
        return fence(index.status());
    }
    WriteBatch batch;
    segments_.push_back(*std::move(fresh));
    directory_dirty_ = true;
    put_snapshot(batch, end());
    return store(std::move(batch), Store::Durability::buffered);
}

base::Status PartitionLog::write(base::View batches, base::TimestampMs now) {
    RETURN_IF_ERROR(make_place());
    Segment& s = active();
    if (auto written = s.append(batches); !written.ok()) {
        if (!absl::IsResourceExhausted(written)) return fence(written);
        // What was cut off again must not come back after a power loss, behind later records.
        if (auto done = s.file()->sync(); !done.ok()) return distrust(done);
        return written;
    }
    mark_dirty(s.file());
    bytes_since_snapshot_ += batches.size();
    while (const auto batch = kafka::take_batch(batches)) {
        s.note(*batch, batch->size(), now);
        lineage_.assign(batch->leader_epoch(), batch->base_offset());
        record_producer(producers_, *batch, now);
    }
    return base::ok();
}

void PartitionLog::mark_dirty(const std::shared_ptr<io::File>& file) {
    if (std::find(dirty_.begin(), dirty_.end(), file) == dirty_.end()) dirty_.push_back(file);
}

std::optional<Sync> PartitionLog::take_sync() {
    if (!health_.ok() || in_flight_ || mark_.offset >= end()) return std::nullopt;
    Sync sync;
    sync.files_ = dirty_;
    if (directory_dirty_) sync.directories_.push_back(place_.directory);
    if (new_) {
        sync.directories_.push_back(parent_of(place_.directory));
        sync.store_ = place_.store;
    }
    sync.disk_ = place_.disk;
    sync.end_ = end();
    sync.truncations_ = truncations_;
    in_flight_ = InFlight{end_mark(), std::exchange(dirty_, {})};
    directory_dirty_ = false;
    return sync;
}

void PartitionLog::synced(const Sync& sync, const base::Status& outcome) {
    const auto flight = std::exchange(in_flight_, std::nullopt);
    if (!outcome.ok()) {
        distrust(outcome).IgnoreError();
        return;
    }
    if (sync.store_) new_ = false;
    if (!flight || sync.truncations_ != truncations_) return;
    mark_ = flight->mark;
}

base::Status PartitionLog::begin_epoch(base::LeaderEpoch epoch) {
    RETURN_IF_ERROR(health_);
    if (epoch < last_epoch()) {
        return base::precondition("epoch " + std::to_string(epoch) + " after " +
                                  std::to_string(last_epoch()));
    }
    lineage_.assign(epoch, end());
    return base::ok();
}

EpochEnd PartitionLog::end_of_epoch(base::LeaderEpoch epoch) const {
    return lineage_.end_of(epoch, end());
}

void PartitionLog::set_config(const LogConfig& config) {
    config_ = config;
    for (auto& s : segments_) s->set_index_interval(config.index_interval_bytes);
}

}  // namespace storage
