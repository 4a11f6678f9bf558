#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/status.h"
#include "storage/lineage.h"
#include "storage/log.h"
#include "storage/scan.h"
#include "storage/segment.h"

namespace storage {

/// What a batch of a closed segment must be, beyond its own checksum: that covers neither offset
/// nor leader epoch, and the two together name what was written.
class BatchRules {
  public:
    /// `epochs`: of the log. Those of batches before `start` are not known any more.
    BatchRules(std::vector<Lineage::Entry> epochs, base::Offset start)
        : epochs_(std::move(epochs)), start_(start) {}

    /// Why the batch is not the one that `next` begins; empty: it is.
    std::string fault(const kafka::BatchView& header, base::Offset next) const;

  private:
    std::vector<Lineage::Entry> epochs_;
    base::Offset start_;
};

/// Reads a closed segment through: framing, checksums, offsets, leader epochs, and where it ends.
/// Holds no more than a piece of it. On any thread, as the file stays whatever becomes of the log.
class SegmentCheck {
  public:
    SegmentCheck(ClosedSegment, BatchRules);

    /// Reads on until `most_bytes` are passed, or more if a batch is larger; true: there is more.
    /// kDataLoss: damaged, and where. Other errors are the disk's. Blocks.
    base::Result<bool> step(uint64_t most_bytes);
    /// Passed so far.
    uint64_t bytes() const { return scan_.end(); }
    const ClosedSegment& segment() const { return segment_; }

  private:
    const ClosedSegment segment_;
    const BatchRules rules_;
    Scan scan_;
    base::Offset next_;
};

/// A new copy of a damaged segment, made of what another replica has of its range. On one thread at
/// a time, which may block. Its file stays when this goes: the next start removes it.
class SegmentCopy {
  public:
    /// `fresh`: from Segment::copy_of, empty.
    SegmentCopy(ClosedSegment damaged, BatchRules, std::unique_ptr<Segment> fresh,
                base::TimestampMs written_at);
    /// The offset that is wanted next.
    base::Offset next() const { return fresh_->end(); }
    bool complete() const { return next() == damaged_.end; }
    /// Takes whole batches from `next()` on, as far as the segment goes; what stands behind that is
    /// left. kDataLoss for what can't have been there; what came before it stays.
    base::Status take(base::View batches);
    /// It is not wanted any more: removes its file.
    void discard() { fresh_->discard_copy(); }
    /// Brings it to the disk.
    base::Status sync() { return fresh_->file()->sync(); }
    uint64_t bytes() const { return fresh_->bytes(); }
    const ClosedSegment& damaged() const { return damaged_; }

  private:
    friend class PartitionLog;
    const ClosedSegment damaged_;
    const BatchRules rules_;
    const base::TimestampMs written_at_;
    std::unique_ptr<Segment> fresh_;  // null: it has taken its place
};

}  // namespace storage
