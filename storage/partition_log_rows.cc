// What the log keeps in the store: its checkpoint and its producer snapshots.
#include <algorithm>

#include "storage/partition_log.h"

namespace storage {

namespace {

/// A restart reads the headers of about as many bytes at most to know the producers again.
constexpr uint64_t snapshot_spacing_bytes = uint64_t{4} << 20;

}  // namespace

Checkpoint PartitionLog::row() const {
    return {.recovery = mark_,
            .start = start_,
            .high_watermark = high_watermark_,
            .restarting = restarting_,
            .lineage = lineage_.entries()};
}

base::Status PartitionLog::store(WriteBatch batch, Store::Durability durability) {
    if (auto written = place_.store->write(batch, durability); !written.ok()) return fence(written);
    return base::ok();
}

void PartitionLog::put_snapshot(WriteBatch& batch, base::Offset at) {
    const SyncedMark mark = end_mark();
    batch.put(snapshot_key(place_.id, at),
              ProducerSnapshot{mark.segment, mark.position, producers_}.serialize());
    snapshots_.insert(at);
    bytes_since_snapshot_ = 0;
}

void PartitionLog::drop_snapshots_past(WriteBatch& batch, base::Offset end) {
    for (auto it = snapshots_.upper_bound(end); it != snapshots_.end();) {
        batch.remove(snapshot_key(place_.id, *it));
        it = snapshots_.erase(it);
    }
}

/// Those at the beginning of a segment stay as long as it does, for truncation; of the others the
/// newest that recovery may use, and one ahead of the recovery point that it may use soon.
void PartitionLog::plan_snapshots(WriteBatch& batch) {
    const bool ahead = !snapshots_.empty() && *snapshots_.rbegin() > mark_.offset;
    if (!ahead && bytes_since_snapshot_ >= snapshot_spacing_bytes) put_snapshot(batch, end());

    auto usable = snapshots_.upper_bound(mark_.offset);
    if (usable == snapshots_.begin()) return;
    --usable;
    for (auto it = snapshots_.begin(); it != usable;) {
        const auto& holder = segments_[segment_of(std::max(*it, segments_.front()->base()))];
        if (holder->base() == *it) {
            ++it;
            continue;
        }
        batch.remove(snapshot_key(place_.id, *it));
        it = snapshots_.erase(it);
    }
}

base::Status PartitionLog::checkpoint(base::Offset high_watermark) {
    RETURN_IF_ERROR(health_);
    high_watermark_ = high_watermark;
    if (!active().has_file()) return base::ok();
    std::string text = row().serialize();
    if (text == stored_row_) return base::ok();
    WriteBatch batch;
    plan_snapshots(batch);
    batch.put(checkpoint_key(place_.id), text);
    RETURN_IF_ERROR(store(std::move(batch), Store::Durability::buffered));
    stored_row_ = std::move(text);
    return base::ok();
}

base::Status PartitionLog::sync_all() {
    std::vector<std::shared_ptr<io::File>> files = std::exchange(dirty_, {});
    if (in_flight_) {
        files.insert(files.end(), in_flight_->files.begin(), in_flight_->files.end());
    }
    for (const auto& file : files) RETURN_IF_ERROR(file->sync());
    return mark_ == end_mark() ? base::ok() : sync_place();
}

base::Status PartitionLog::close(base::Offset high_watermark) {
    RETURN_IF_ERROR(health_);
    const base::Status closed = base::unavailable(place_.directory + " is closed");
    if (!active().has_file()) {
        health_ = closed;
        return base::ok();
    }
    // Not synced, as the next start can do without; and a full disk has no room for it.
    if (!active().index_saved()) active().save_index().IgnoreError();
    if (auto done = sync_all(); !done.ok()) return distrust(done);
    ++truncations_;  // whatever sync is still out has nothing more to say
    // A sync that is still out may have failed, and then this one went well for nothing.
    if (!in_flight_) mark_ = end_mark();
    high_watermark_ = high_watermark;
    WriteBatch batch;
    put_snapshot(batch, end());
    batch.put(checkpoint_key(place_.id), row().serialize());
    RETURN_IF_ERROR(store(std::move(batch), Store::Durability::buffered));
    health_ = closed;
    return base::ok();
}

}  // namespace storage
