#include "storage/recovery.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "storage/claims.h"

namespace storage {

Recovery::Recovery(const Log::Place& place, const LogConfig& config, base::TimestampMs now)
    : place_(place), config_(config), now_(now) {}

base::Result<Recovered> Recovery::run() {
    RETURN_IF_ERROR(read_rows());
    if (!row_ && out_.snapshots.empty() && !place_.disk->exists(place_.directory)) return planned();
    RETURN_IF_ERROR(list_segments());
    if (!row_) {
        if (!bases_.empty()) adopt_without_checkpoint();
    } else if (row_->restarting) {
        RETURN_IF_ERROR(finish_restart());
    }
    RETURN_IF_ERROR(drop_below_start());
    RETURN_IF_ERROR(open_segments());
    RETURN_IF_ERROR(rebuild_state());
    RETURN_IF_ERROR(skip_to_start());
    RETURN_IF_ERROR(store());
    out_.is_new = !changed_ && maybe_new();
    return std::move(out_);
}

base::Status Recovery::read_rows() {
    ASSIGN_OR_RETURN(const auto text, place_.store->get(checkpoint_key(place_.id)));
    if (text) {
        auto row = Checkpoint::parse(*text);
        if (!row.ok()) {
            return base::data_loss(place_.directory + ": " + base::message(row.status()));
        }
        row_ = *std::move(row);
        was_ = *row_;
        lineage_known_to_ = was_.recovery.offset;
        changed_ = was_.distrusted;
    }
    return place_.store->scan(snapshot_prefix(place_.id),
                              [&](std::string_view key, std::string_view) {
                                  const auto offset = parse_snapshot_key(place_.id, key);
                                  if (offset) out_.snapshots.insert(*offset);
                                  // It may tell of records that the next ones will replace.
                                  if (offset > was_.recovery.offset) changed_ = true;
                                  return true;
                              });
}

Recovered Recovery::planned() {
    auto segment = Segment::planned(*place_.disk, place_.directory, 0, now_);
    segment->set_index_interval(config_.index_interval_bytes);
    out_.segments.push_back(std::move(segment));
    return std::move(out_);
}

/// Foreign files are left alone; what retention had marked for removal goes now, as do copies that
/// came not to be.
base::Status Recovery::list_segments() {
    if (!place_.disk->exists(place_.directory)) {
        RETURN_IF_ERROR(place_.disk->make_directories(place_.directory));
        changed_ = true;
    }
    ASSIGN_OR_RETURN(const auto names, place_.disk->list(place_.directory));
    for (std::string_view name : names) {
        if (const auto base = parse_segment_name(name)) bases_.push_back(*base);
        const auto suffix = name.ends_with(copy_suffix) ? copy_suffix : deleted_suffix;
        if (!name.ends_with(suffix)) continue;
        if (!parse_segment_name(name.substr(0, name.size() - suffix.size()))) continue;
        RETURN_IF_ERROR(place_.disk->remove(place_.directory + "/" + std::string(name)));
    }
    return base::ok();
}

/// The records are all there is to go by. Those of closed segments were synced at some time; only
/// the last file may end in a torn batch.
void Recovery::adopt_without_checkpoint() {
    spdlog::warn("{}: no checkpoint is stored; reading all records", place_.directory);
    was_.start = bases_.front();
    was_.recovery = {bases_.back(), bases_.back(), 0, -1};
    lineage_known_to_ = bases_.front();
    changed_ = true;
}

/// A restart of the log had been decided and stored, and then not carried out to its end.
base::Status Recovery::finish_restart() {
    for (const auto base : bases_) RETURN_IF_ERROR(remove_files(base));
    bases_.clear();
    was_.restarting = false;
    changed_ = true;
    return base::ok();
}

/// Segments wholly below the stored start were given up before; whether the removal of their files
/// survived does not matter. The one that holds the start must be there. One below it is still read
/// if its producers are in no snapshot yet.
base::Status Recovery::drop_below_start() {
    const auto above = std::upper_bound(bases_.begin(), bases_.end(), was_.start);
    if (above != bases_.begin()) {
        const auto newer = out_.snapshots.upper_bound(newest_usable_snapshot());
        const auto known_to = newer == out_.snapshots.begin() ? 0 : *std::prev(newer);
        auto keep = std::upper_bound(bases_.begin(), above, known_to);
        if (keep != bases_.begin()) --keep;
        // What stays must outlast what goes, even if this recovery is interrupted.
        if (keep != bases_.begin()) {
            RETURN_IF_ERROR(place_.disk->sync_directory(place_.directory));
            RETURN_IF_ERROR(place_.store->write({}, Store::Durability::synced));
        }
        for (auto it = bases_.begin(); it != keep; ++it) RETURN_IF_ERROR(remove_files(*it));
        bases_.erase(bases_.begin(), keep);
        return base::ok();
    }
    if (bases_.empty() && was_.recovery.offset <= was_.start) {
        RETURN_IF_ERROR(add_empty_segment(was_.start));
        bases_.push_back(was_.start);
        return base::ok();
    }
    return base::data_loss(place_.directory + ": no segment holds offset " +
                           std::to_string(was_.start) + ", where the log starts");
}

base::Status Recovery::add_empty_segment(base::Offset base) {
    ASSIGN_OR_RETURN(auto segment, Segment::create(*place_.disk, place_.directory, base, now_));
    segment->set_index_interval(config_.index_interval_bytes);
    out_.segments.push_back(std::move(segment));
    changed_ = true;
    return base::ok();
}

base::Status Recovery::remove_files(base::Offset segment_base) {
    const std::string prefix = place_.directory + "/";
    RETURN_IF_ERROR(place_.disk->remove(prefix + segment_name(segment_base)));
    const std::string index = prefix + index_name(segment_base);
    return place_.disk->exists(index) ? place_.disk->remove(index) : base::ok();
}

base::Status Recovery::open_segments() {
    if (!out_.segments.empty()) return base::ok();
    for (const auto& e : was_.lineage) {
        if (e.start < lineage_known_to_) last_epoch_ = e.epoch;
    }
    for (size_t i = 0; i < bases_.size(); ++i) {
        ASSIGN_OR_RETURN(auto opened,
                         Segment::open(*place_.disk, place_.directory, bases_[i], now_));
        Segment& segment = *out_.segments.emplace_back(std::move(opened));
        segment.set_index_interval(config_.index_interval_bytes);
        const auto next = i + 1 < bases_.size() ? std::optional(bases_[i + 1]) : std::nullopt;
        if (next && *next <= was_.recovery.offset) {
            RETURN_IF_ERROR(open_below(segment, *next));
            continue;
        }
        ASSIGN_OR_RETURN(const bool goes_on, open_tail(segment, next));
        if (!goes_on) break;
    }
    if (missing_records(*out_.segments.back())) {
        return base::data_loss(
            place_.directory + " ends at offset " + std::to_string(out_.segments.back()->end()) +
            ", before the recovery point " + std::to_string(was_.recovery.offset));
    }
    out_.segments.back()->make_active();
    return base::ok();
}

/// Whether records that may be read, and had reached the disk, would lie past the end of `last`.
bool Recovery::missing_records(const Segment& last) const {
    return last.end() < was_.recovery.offset && was_.start < was_.recovery.offset;
}

base::Status Recovery::open_below(Segment& segment, base::Offset next_base) {
    ASSIGN_OR_RETURN(const bool indexed, segment.load_summary(next_base));
    if (indexed) return base::ok();
    base::LeaderEpoch epoch = -1;
    if (auto whole = segment.take_in_rest(epoch); absl::IsDataLoss(whole)) {
        spdlog::error("{}; the segment's records are refused until it is mended",
                      base::message(whole));
        ++out_.report.damaged_segments;
        return segment.mark_damaged(next_base);
    } else if (!whole.ok()) {
        return whole;
    }
    if (segment.end() != next_base) {
        return base::data_loss(segment.file()->path() + " ends at offset " +
                               std::to_string(segment.end()) + ", the next segment begins at " +
                               std::to_string(next_base));
    }
    ++out_.report.rebuilt_indexes;
    if (auto saved = segment.save_index(); !saved.ok()) {
        spdlog::warn("{}: index not written: {}", segment.file()->path(),
                     base::message(saved.status()));
    }
    return base::ok();
}

base::Result<bool> Recovery::open_tail(Segment& segment, std::optional<base::Offset> next_base) {
    const SyncedMark& mark = was_.recovery;
    SegmentCut known{0, segment.base(), -1};
    if (segment.base() == mark.segment) known = {mark.position, mark.offset, mark.newest};
    if (!next_base && known.end == mark.offset && known.bytes == segment.file()->size()) {
        ASSIGN_OR_RETURN(const bool indexed, segment.load_summary(mark.offset));
        if (indexed) return true;
    }
    closed_cleanly_ = false;
    RETURN_IF_ERROR(segment.resume_at(known));
    // One before the segment of the recovery point lies below it, though that file may be lost.
    const bool suspect = was_.distrusted && segment.base() >= mark.segment;
    base::Status rest = suspect ? distrusted(segment) : segment.take_in_rest(last_epoch_);
    if (!rest.ok() && !absl::IsDataLoss(rest)) return rest;
    if (segment.bytes() > known.bytes) changed_ = true;
    out_.report.checked_bytes += segment.bytes() - known.bytes;
    if (rest.ok() && next_base && segment.end() != *next_base) {
        rest = base::data_loss(segment.file()->path() + " ends at offset " +
                               std::to_string(segment.end()) + ", the next segment begins at " +
                               std::to_string(*next_base));
    }
    if (rest.ok()) return true;
    if (missing_records(segment)) return rest;
    RETURN_IF_ERROR(cut(segment, rest));
    return false;
}

/// After a failed sync the page cache may hold what the disk does not.
base::Status Recovery::distrusted(const Segment& segment) const {
    if (segment.file()->size() == segment.bytes()) return base::ok();
    return base::data_loss("a sync had failed before the last stop");
}

/// Ends the log at the end of `segment`: what follows was never acknowledged as on disk.
base::Status Recovery::cut(Segment& segment, const base::Status& why) {
    changed_ = true;
    uint64_t bytes = segment.file()->size() - segment.bytes();
    for (auto it = bases_.rbegin(); it != bases_.rend() && *it > segment.base(); ++it) {
        ASSIGN_OR_RETURN(auto later, Segment::open(*place_.disk, place_.directory, *it, now_));
        bytes += later->file()->size();
        RETURN_IF_ERROR(remove_files(*it));
        ++out_.report.dropped_segments;
    }
    RETURN_IF_ERROR(segment.cut_back(segment.all()));
    out_.report.cut_bytes += bytes;
    spdlog::warn("{}: cut {} bytes off the unsynced end, at offset {}: {}", place_.directory, bytes,
                 segment.end(), base::message(why));
    return base::ok();
}

/// Producer state and lineage: what was stored, and then the headers of what came after.
base::Status Recovery::rebuild_state() {
    std::vector<Lineage::Entry> known = was_.lineage;
    std::erase_if(known, [&](const auto& e) { return e.start >= lineage_known_to_; });
    out_.lineage = Lineage(std::move(known));

    size_t segment = 0;
    uint64_t position = 0;
    for (auto it = out_.snapshots.upper_bound(newest_usable_snapshot());
         it != out_.snapshots.begin();) {
        if (take_snapshot(*--it, segment, position)) break;
    }
    RETURN_IF_ERROR(replay(segment, position));
    out_.start = was_.start;
    out_.producers.touch(now_);
    return base::ok();
}

/// One past the recovery point is of this log as well, as truncation and recovery remove those that
/// are not; it may be all that is left of segments that retention took.
base::Offset Recovery::newest_usable_snapshot() const {
    return std::max(std::min(lineage_known_to_, was_.recovery.offset), was_.start);
}

/// Whether the snapshot is whole and names a place in the segments that are there.
bool Recovery::take_snapshot(base::Offset at, size_t& segment, uint64_t& position) {
    const auto text = place_.store->get(snapshot_key(place_.id, at));
    if (!text.ok() || !*text) return false;
    auto snapshot = ProducerSnapshot::parse(**text);
    if (!snapshot.ok()) {
        spdlog::warn("{}: producer snapshot at offset {} is damaged; going on without it",
                     place_.directory, at);
        return false;
    }
    const auto& segments = out_.segments;
    const auto it = std::find_if(segments.begin(), segments.end(),
                                 [&](const auto& s) { return s->base() == snapshot->segment; });
    if (it == segments.end() && at > segments.front()->base()) {
        // Its segment is gone, and with it all that came after.
        if (at < segments.back()->end()) return false;
        segment = segments.size();
    }
    if (it != segments.end()) {
        const Segment& holder = **it;
        Scan scan(*holder.file(), snapshot->position, holder.bytes(), Scan::Depth::headers);
        const auto more = scan.next();
        const auto found = more.ok() && *more ? scan.header().base_offset() : holder.end();
        // Past the end: what it tells of lies below the start, and was lost after it was given up.
        const bool lost = snapshot->position > holder.bytes() && at <= was_.start;
        if (!lost && (!more.ok() || found != at)) return false;
        segment = static_cast<size_t>(it - segments.begin());
        position = std::min(snapshot->position, holder.bytes());
    }
    out_.producers = std::move(snapshot->producers);
    return true;
}

/// Every segment's beginning has a snapshot: it is what is left of the producers once retention
/// has taken the segments before.
void Recovery::keep_snapshot(base::Offset segment_base) {
    changed_ = true;
    kept_[segment_base] = ProducerSnapshot{segment_base, 0, out_.producers}.serialize();
}

base::Status Recovery::replay(size_t segment, uint64_t position) {
    for (; segment < out_.segments.size(); ++segment, position = 0) {
        const Segment& s = *out_.segments[segment];
        const bool stale = s.base() > was_.recovery.offset || !out_.snapshots.contains(s.base());
        if (position == 0 && stale) keep_snapshot(s.base());
        Scan scan(*s.file(), position, s.bytes(), Scan::Depth::headers);
        while (true) {
            ASSIGN_OR_RETURN(const bool more, scan.next());
            if (!more) break;
            const auto& header = scan.header();
            record_producer(out_.producers, header, now_);
            if (header.next_offset() > lineage_known_to_) {
                out_.lineage.assign(header.leader_epoch(), header.base_offset());
            }
        }
    }
    return base::ok();
}

/// The start may have been moved past records that then did not survive: they were to go anyway.
/// That they are to go, and what they said of their producers, is stored before they do.
base::Status Recovery::skip_to_start() {
    const auto end = out_.segments.back()->end();
    if (out_.start > end) {
        kept_.clear();
        spdlog::warn("{}: starts anew at offset {}; records end at {}", place_.directory,
                     out_.start, end);
        out_.lineage.clear();
        was_.recovery = {out_.start, out_.start, 0, -1};
        RETURN_IF_ERROR(store_rows(was_.recovery, true));
        for (auto it = out_.segments.rbegin(); it != out_.segments.rend(); ++it) {
            RETURN_IF_ERROR((*it)->remove());
        }
        out_.segments.clear();
        RETURN_IF_ERROR(add_empty_segment(out_.start));
    }
    const Segment& active = *out_.segments.back();
    out_.lineage.cut_front(out_.start);
    out_.lineage.cut_back(active.end());
    out_.mark = {active.end(), active.base(), active.bytes(), active.newest()};
    out_.high_watermark = std::min(was_.high_watermark, active.end());
    return base::ok();
}

/// Makes what was found the stored truth, so that no later crash can lose any of it.
base::Status Recovery::store() {
    // An empty segment after the recovery point: the point moves there, so its file must stay.
    if (out_.mark.segment != was_.recovery.segment) changed_ = true;
    // What it said of records that are lost must not be said of those that take their place.
    if (out_.high_watermark < was_.high_watermark) changed_ = true;
    if (!changed_ && closed_cleanly_) return base::ok();
    // The file may have been cut back without a sync; what was cut must not come back.
    if (!changed_) return out_.segments.back()->file()->sync();
    RETURN_IF_ERROR(sync_found());
    return store_rows(out_.mark, false);
}

base::Status Recovery::sync_found() {
    for (size_t i = 0; i < out_.segments.size(); ++i) {
        Segment& s = *out_.segments[i];
        if (s.end() < was_.recovery.offset) continue;
        RETURN_IF_ERROR(s.file()->sync());
        if (i + 1 == out_.segments.size()) continue;
        ASSIGN_OR_RETURN(const auto index, s.save_index());
        RETURN_IF_ERROR(index->sync());
    }
    if (maybe_new()) RETURN_IF_ERROR(place_.disk->sync_directory(parent_of(place_.directory)));
    return place_.disk->sync_directory(place_.directory);
}

/// The row may be older than the first sync, which makes the directory as such durable.
bool Recovery::maybe_new() const { return !row_ || row_->recovery.offset == 0 || row_->restarting; }

/// Snapshots past the old recovery point may speak of records that are gone. What was found has one
/// of its own: those that it was made from may lie in segments that go next.
base::Status Recovery::store_rows(const SyncedMark& mark, bool restarting) {
    WriteBatch batch;
    for (auto it = out_.snapshots.upper_bound(was_.recovery.offset); it != out_.snapshots.end();) {
        batch.remove(snapshot_key(place_.id, *it));
        it = out_.snapshots.erase(it);
    }
    for (auto& [at, text] : kept_) {
        batch.put(snapshot_key(place_.id, at), std::move(text));
        out_.snapshots.insert(at);
    }
    batch.put(snapshot_key(place_.id, mark.offset),
              ProducerSnapshot{mark.segment, mark.position, out_.producers}.serialize());
    out_.snapshots.insert(mark.offset);
    const Checkpoint row{.recovery = mark,
                         .start = out_.start,
                         .high_watermark = out_.high_watermark,
                         .restarting = restarting,
                         .lineage = out_.lineage.entries()};
    batch.put(checkpoint_key(place_.id), row.serialize());
    return place_.store->write(batch, Store::Durability::synced);
}

}  // namespace storage
