// What takes records away: truncation, a new beginning, a moved start, and retention.
#include <algorithm>

#include "storage/claims.h"
#include "storage/partition_log.h"
#include "storage/retention.h"

namespace storage {

namespace {

constexpr base::TimestampMs at_once = 0;

}  // namespace

base::Status PartitionLog::truncate_to(base::Offset offset) {
    RETURN_IF_ERROR(health_);
    if (offset >= end()) {
        // An epoch that this replica began and never wrote in is not the leader's to know.
        lineage_.cut_back(end());
        return base::ok();
    }
    if (offset < start_) return restart_at(offset);
    size_t segment = 0;
    ASSIGN_OR_RETURN(const SegmentCut cut, cut_place(offset, segment));

    // Were the stored recovery point past the new end after a crash, records would seem lost.
    const bool below_mark = cut.end < mark_.offset;
    // And past the new end the stored high watermark would speak of records that are yet to come.
    const bool below_committed = cut.end < high_watermark_;
    if (below_committed) high_watermark_ = cut.end;
    if (below_mark) mark_ = {cut.end, segments_[segment]->base(), cut.bytes, cut.newest};
    lineage_.cut_back(cut.end);
    WriteBatch batch;
    drop_snapshots_past(batch, cut.end);
    const bool first = below_mark || below_committed;
    if (first) batch.put(checkpoint_key(place_.id), row().serialize());
    if (!batch.empty()) {
        const auto durability = first ? Store::Durability::synced : Store::Durability::buffered;
        RETURN_IF_ERROR(store(std::move(batch), durability));
    }
    stored_row_.clear();
    ++truncations_;
    if (auto done = cut_segments(segment, cut); !done.ok()) return distrust(done);
    if (!in_flight_) mark_ = end_mark();
    if (auto done = restore_producers(end(), at_once); !done.ok()) return fence(done);
    // A batch that holds the start goes whole, too.
    return end() < start_ ? begin_anew(start_, std::move(producers_)) : base::ok();
}

/// The batches that stay when everything from `offset` on goes: a batch that holds it goes whole.
base::Result<SegmentCut> PartitionLog::cut_place(base::Offset offset, size_t& segment) const {
    segment = segment_of(offset);
    return segments_[segment]->prefix(offset);
}

/// Everything that stays is on disk afterwards, and no crash brings back what went: bytes of an
/// older leader must not show up behind those that a newer one appends.
base::Status PartitionLog::cut_segments(size_t segment, const SegmentCut& cut) {
    std::vector<std::shared_ptr<io::File>> unsynced = std::exchange(dirty_, {});
    if (in_flight_) {
        unsynced.insert(unsynced.end(), in_flight_->files.begin(), in_flight_->files.end());
    }
    while (segments_.size() > segment + 1) {
        RETURN_IF_ERROR(active().remove());
        std::erase(unsynced, active().file());
        segments_.pop_back();
    }
    RETURN_IF_ERROR(active().cut_back(cut));
    std::erase(unsynced, active().file());
    unsynced.push_back(active().file());
    for (const auto& file : unsynced) RETURN_IF_ERROR(file->sync());
    // A disk reports a failed write-back once: if to the sync that is out, this one can't vouch for
    // anything. The next will, should that one have gone well.
    if (in_flight_) dirty_ = std::move(unsynced);
    return sync_place();
}

/// From the newest snapshot at or below `end`, and the headers of what was appended after it.
base::Status PartitionLog::restore_producers(base::Offset end, base::TimestampMs now) {
    const base::TimestampMs seen = now;
    Producers from;
    base::Offset at = segments_.front()->base();
    for (auto it = snapshots_.upper_bound(end); it != snapshots_.begin();) {
        auto text = place_.store->get(snapshot_key(place_.id, *--it));
        if (!text.ok()) return fence(text.status());
        auto snapshot = *text ? ProducerSnapshot::parse(**text) : base::not_found("");
        if (!snapshot.ok()) continue;
        from = std::move(snapshot->producers);
        at = std::max(at, *it);
        break;
    }
    for (size_t i = at < end ? segment_of(at) : segments_.size(); i < segments_.size(); ++i) {
        const Segment& s = *segments_[i];
        SegmentCut begin{0, s.base(), -1};
        if (at > s.base()) {
            ASSIGN_OR_RETURN(begin, s.prefix(at));
        }
        Scan scan(*s.file(), begin.bytes, s.bytes(), Scan::Depth::headers);
        while (true) {
            ASSIGN_OR_RETURN(const bool more, scan.next());
            if (!more) break;
            record_producer(from, scan.header(), seen);
        }
    }
    for (const auto& [id, state] : producers_.states()) from.touch(id, state.seen);
    producers_ = std::move(from);
    return base::ok();
}

base::Status PartitionLog::restart_at(base::Offset offset) {
    RETURN_IF_ERROR(health_);
    if (offset < 0) return base::invalid("offset " + std::to_string(offset));
    return begin_anew(offset, Producers());
}

base::Status PartitionLog::begin_anew(base::Offset offset, Producers producers) {
    // The intent is stored first: whatever a crash leaves of the files, the next start ends it.
    start_ = offset;
    high_watermark_ = std::min(high_watermark_, offset);
    mark_ = {offset, offset, 0, -1};
    lineage_.clear();
    producers_ = std::move(producers);
    WriteBatch batch;
    drop_snapshots_past(batch, -1);
    batch.put(snapshot_key(place_.id, offset), ProducerSnapshot{offset, 0, producers_}.serialize());
    snapshots_.insert(offset);
    bytes_since_snapshot_ = 0;
    restarting_ = true;
    batch.put(checkpoint_key(place_.id), row().serialize());
    ++truncations_;
    dirty_.clear();
    directory_dirty_ = false;
    RETURN_IF_ERROR(store(std::move(batch), Store::Durability::synced));
    if (auto done = replace_segments(offset); !done.ok()) return fence(done);
    restarting_ = false;
    WriteBatch finished;
    finished.put(checkpoint_key(place_.id), row().serialize());
    return store(std::move(finished), Store::Durability::synced);
}

base::Status PartitionLog::replace_segments(base::Offset base) {
    const auto created_at = active().created_at();
    if (active().has_file()) {
        for (auto it = segments_.rbegin(); it != segments_.rend(); ++it) {
            RETURN_IF_ERROR((*it)->remove());
        }
    } else {
        RETURN_IF_ERROR(place_.disk->make_directories(place_.directory));
        new_ = true;
    }
    ASSIGN_OR_RETURN(auto fresh, Segment::create(*place_.disk, place_.directory, base, created_at));
    fresh->set_index_interval(config_.index_interval_bytes);
    segments_.clear();
    segments_.push_back(std::move(fresh));
    return sync_place();
}

base::Status PartitionLog::advance_start(base::Offset offset) {
    RETURN_IF_ERROR(health_);
    if (offset > end()) {
        return base::invalid("start " + std::to_string(offset) + " past the end " +
                             std::to_string(end()));
    }
    if (offset <= start_) return base::ok();
    start_ = offset;
    lineage_.cut_front(start_);
    WriteBatch batch;
    batch.put(checkpoint_key(place_.id), row().serialize());
    return store(std::move(batch), Store::Durability::synced);
}

base::Result<size_t> PartitionLog::apply_retention(base::Offset limit, base::TimestampMs now) {
    RETURN_IF_ERROR(health_);
    std::vector<SegmentFacts> facts;
    facts.reserve(segments_.size());
    for (const auto& s : segments_) facts.push_back({s->end(), s->bytes(), s->age_mark()});
    const Retention decided = decide_retention(facts, start_, limit, config_, now);
    if (decided.remove == 0) return 0;
    if (decided.roll_first) RETURN_IF_ERROR(roll(now));
    // The segment that holds the start from now on must not be lost.
    if (auto done = sync_place(); !done.ok()) return fence(done);
    RETURN_IF_ERROR(remove_segments(decided.remove, now));
    return decided.remove;
}

/// The new start is stored before a file goes: else the next start would find records missing.
base::Status PartitionLog::remove_segments(size_t count, base::TimestampMs now) {
    const base::Offset first = segments_[count]->base();
    start_ = std::max(start_, first);
    lineage_.cut_front(start_);
    WriteBatch batch;
    batch.put(checkpoint_key(place_.id), row().serialize());
    for (auto it = snapshots_.begin(); it != snapshots_.end() && *it < first;) {
        batch.remove(snapshot_key(place_.id, *it));
        it = snapshots_.erase(it);
    }
    RETURN_IF_ERROR(store(std::move(batch), Store::Durability::synced));
    for (size_t i = 0; i < count; ++i) {
        auto path = segments_[i]->mark_deleted();
        if (!path.ok()) return fence(path.status());
        deletions_.push_back({*std::move(path), now + config_.file_delete_delay_ms});
    }
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<ptrdiff_t>(count));
    return base::ok();
}

base::Status PartitionLog::maintain(base::TimestampMs now) {
    RETURN_IF_ERROR(health_);
    producers_.expire(now, config_.producer_id_expiration_ms);
    for (auto it = deletions_.begin(); it != deletions_.end();) {
        if (it->due > now) {
            ++it;
            continue;
        }
        if (auto gone = place_.disk->remove(it->path); !gone.ok() && !absl::IsNotFound(gone)) {
            return fence(gone);
        }
        it = deletions_.erase(it);
    }
    // Records may be far older than the file: a segment is not rolled sooner for that.
    const Segment& s = active();
    const auto since = std::max(s.first_timestamp(), s.created_at());
    if (s.bytes() > 0 && now - since > segment_ms()) {
        if (auto rolled = roll(now); !rolled.ok() && !absl::IsResourceExhausted(rolled)) {
            return rolled;
        }
    }
    return base::ok();
}

}  // namespace storage
