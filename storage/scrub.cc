#include "storage/scrub.h"

#include <algorithm>
#include <utility>

namespace storage {

std::string BatchRules::fault(const kafka::BatchView& header, base::Offset next) const {
    const auto offset = header.base_offset();
    if (offset != next)
        return "offset " + std::to_string(offset) + " where " + std::to_string(next) + " is next";
    if (header.last_offset_delta() < 0) return "impossible offsets";
    if (offset < start_ || epochs_.empty()) return {};
    const auto after = std::ranges::upper_bound(epochs_, offset, {}, &Lineage::Entry::start);
    if (after == epochs_.begin() || std::prev(after)->epoch == header.leader_epoch()) return {};
    return "leader epoch " + std::to_string(header.leader_epoch()) + " at offset " +
           std::to_string(offset) + ", which " + std::to_string(std::prev(after)->epoch) +
           " has written";
}

SegmentCheck::SegmentCheck(ClosedSegment segment, BatchRules rules)
    : segment_(std::move(segment)),
      rules_(std::move(rules)),
      scan_(*segment_.file, 0, segment_.bytes, Scan::Depth::whole),
      next_(segment_.base) {}

base::Result<bool> SegmentCheck::step(uint64_t most_bytes) {
    const auto damage = [&](const std::string& why) {
        return base::data_loss(segment_.file->path() + " at byte " +
                               std::to_string(scan_.position()) + ": " + why);
    };
    const uint64_t goal = scan_.end() + most_bytes;
    while (scan_.end() < goal) {
        ASSIGN_OR_RETURN(const bool more, scan_.next());
        if (!more) {
            if (next_ == segment_.end) return false;
            return damage("it ends before offset " + std::to_string(segment_.end));
        }
        const std::string fault = rules_.fault(scan_.header(), next_);
        if (!fault.empty()) return damage(fault);
        next_ = scan_.header().next_offset();
    }
    return true;
}

SegmentCopy::SegmentCopy(ClosedSegment damaged, BatchRules rules, std::unique_ptr<Segment> fresh,
                         base::TimestampMs written_at)
    : damaged_(std::move(damaged)),
      rules_(std::move(rules)),
      written_at_(written_at),
      fresh_(std::move(fresh)) {}

base::Status SegmentCopy::take(base::View batches) {
    while (!complete() && !batches.empty()) {
        const base::View before = batches;
        const auto batch = kafka::take_batch(batches);
        if (!batch) return base::data_loss("not a whole record batch");
        if (!batch->crc_ok()) return base::data_loss("a batch with a wrong checksum");
        const std::string fault = rules_.fault(*batch, next());
        if (!fault.empty()) return base::data_loss(fault);
        if (batch->next_offset() > damaged_.end)
            return base::data_loss("a batch past offset " + std::to_string(damaged_.end));
        RETURN_IF_ERROR(fresh_->append(before.first(batch->size())));
        fresh_->note(*batch, batch->size(), written_at_);
    }
    return base::ok();
}

}  // namespace storage
