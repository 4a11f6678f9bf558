// Damage in closed segments, and how it is mended.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "storage/partition_log.h"
#include "storage/scrub.h"

namespace storage {

namespace {

ClosedSegment told(const Segment& s) {
    return {s.base(), s.end(), s.bytes(), s.file(), s.damaged()};
}

}  // namespace

std::unique_ptr<Segment>* PartitionLog::closed_at(base::Offset base) {
    for (size_t i = 0; i + 1 < segments_.size(); ++i)
        if (segments_[i]->base() == base) return &segments_[i];
    return nullptr;
}

std::optional<ClosedSegment> PartitionLog::closed_segment(base::Offset from,
                                                          base::Offset limit) const {
    const size_t i = from < segments_.front()->base() ? 0 : segment_of(from);
    const Segment& s = *segments_[i];
    if (i + 1 == segments_.size() || s.end() > std::min(limit, synced())) return std::nullopt;
    return told(s);
}

std::unique_ptr<SegmentCheck> PartitionLog::check(const ClosedSegment& segment) const {
    return std::make_unique<SegmentCheck>(segment, BatchRules(lineage_.entries(), start_));
}

bool PartitionLog::mark_damaged(const ClosedSegment& segment) {
    auto* at = closed_at(segment.base);
    if (at == nullptr || (*at)->file() != segment.file) return false;
    // With an older recovery point the next start would take it for a torn tail.
    WriteBatch batch;
    batch.put(checkpoint_key(place_.id), row().serialize());
    if (auto done = store(std::move(batch), Store::Durability::synced); !done.ok())
        spdlog::warn("{}: {}", segment.file->path(), base::message(done));
    // Without its index file it is read at the next start. If that can't be removed, the next scrub
    // finds the damage again.
    if (auto done = (*at)->mark_damaged(segment.end); !done.ok())
        spdlog::warn("{}: {}", segment.file->path(), base::message(done));
    return true;
}

std::optional<ClosedSegment> PartitionLog::damaged() const {
    const auto found = std::ranges::find_if(segments_, [](const auto& s) { return s->damaged(); });
    return found == segments_.end() ? std::nullopt : std::optional(told(**found));
}

base::Result<std::unique_ptr<SegmentCopy>> PartitionLog::begin_copy(
    const ClosedSegment& segment) const {
    const Segment& old = *segments_[segment_of(segment.base)];
    const auto written_at = old.age_mark();
    ASSIGN_OR_RETURN(auto fresh,
                     Segment::copy_of(*place_.disk, place_.directory, segment.base, written_at));
    fresh->set_index_interval(config_.index_interval_bytes);
    return std::make_unique<SegmentCopy>(segment, BatchRules(lineage_.entries(), start_),
                                         std::move(fresh), written_at);
}

base::Status PartitionLog::mend(std::unique_ptr<SegmentCopy> copy) {
    RETURN_IF_ERROR(health_);
    auto* at = closed_at(copy->damaged().base);
    if (at == nullptr || !(*at)->damaged() || (*at)->end() != copy->next() || !copy->complete()) {
        copy->discard();
        return base::precondition("the segment is not there any more");
    }
    RETURN_IF_ERROR(copy->fresh_->take_place());
    *at = std::move(copy->fresh_);
    if (auto done = sync_place(); !done.ok()) return fence(done);
    // Only now: were the old file to come back, nothing may speak for it. If it can't be written
    // the segment is read once more at the next start.
    if (auto index = (*at)->save_index(); index.ok()) mark_dirty(*index);
    return base::ok();
}

}  // namespace storage
