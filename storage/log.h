#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/status.h"
#include "base/time.h"
#include "io/disk.h"
#include "kafka/errors.h"
#include "storage/config.h"
#include "storage/producers.h"
#include "storage/store/store.h"

namespace storage {

/// A range of a segment file: record batches exactly as they go to a client.
/// Holding it keeps the file readable, even if retention removes the segment meanwhile.
struct FileSlice {
    std::shared_ptr<const io::File> file;
    uint64_t position = 0;
    uint32_t size = 0;
};

struct LogRead {
    std::vector<FileSlice> slices;  // whole batches, in offset order; empty: nothing to read
    base::Offset next = 0;          // the offset after the last batch in `slices`
    uint32_t bytes = 0;
};

struct Appended {
    base::Offset first = 0;
    base::Offset last = 0;
    base::TimestampMs log_append_time = -1;  // -1 unless the batch has LogAppendTime
    bool duplicate = false;  // a retry of what is there already; nothing was written
};

/// Everything that must reach the disk before `end` may be called synced. Carried out on a thread
/// that may block, by run(); then handed back to Log::synced on the log's shard.
class Sync {
  public:
    base::Status run();
    base::Offset end() const { return end_; }

  private:
    friend class PartitionLog;
    std::vector<std::shared_ptr<io::File>> files_;
    std::vector<std::string> directories_;
    io::Disk* disk_ = nullptr;
    Store* store_ = nullptr;  // set: the row that says that the log is there is not synced yet
    base::Offset end_ = 0;
    uint64_t truncations_ = 0;  // of the log when this was taken: what was cut since is not synced
};

struct TimestampOffset {
    base::TimestampMs timestamp = -1;
    base::Offset offset = -1;
    base::LeaderEpoch epoch = -1;
};

/// Where a leader epoch ends in this log (KIP-101): see Log::end_of_epoch.
struct EpochEnd {
    base::LeaderEpoch epoch = -1;
    base::Offset end = -1;
};

/// A segment that takes no more records.
struct ClosedSegment {
    base::Offset base = 0;
    base::Offset end = 0;
    uint64_t bytes = 0;
    std::shared_ptr<const io::File> file;
    bool damaged = false;
};
class SegmentCheck;
class SegmentCopy;

/// What open() had to do beyond reading its rows.
struct RecoveryReport {
    uint64_t checked_bytes = 0;   // past the recovery point, found whole
    uint64_t cut_bytes = 0;       // past the recovery point, torn or unreadable: gone
    size_t dropped_segments = 0;  // whole files among those
    size_t rebuilt_indexes = 0;   // of segments below the recovery point
    size_t damaged_segments = 0;  // below the recovery point
};

/// One partition's records: append-only segments of Kafka record batches, byte for byte, with
/// sparse indexes by offset and by time beside each. One owner, no locks.
///
/// Errors: kDataLoss for damage below the recovery point (nothing is cut off then; what is inside
/// a closed segment is refused until mend(), for any other the partition goes offline),
/// kResourceExhausted when the disk is full, kUnavailable once a write or sync has failed: from
/// then on nothing is accepted.
class Log {
  public:
    struct Place {
        std::string directory;     // of this partition; made when the first record comes
        base::TopicPartition id;   // keys of its rows in `store`
        io::Disk* disk = nullptr;  // both outlive the log
        Store* store = nullptr;
    };
    /// Opens it, or plans a new one, which leaves nothing on disk before the first record comes.
    /// Reads only what lies past the stored recovery point: that tail is checked
    /// batch by batch and cut at the first that is torn or fails its checksum.
    static base::Result<std::unique_ptr<Log>> open(Place, const LogConfig&, base::TimestampMs now);
    /// Removes the directory and the rows of a partition that was deleted. No log may be open
    /// there.
    static base::Status destroy(const Place&);
    virtual ~Log() = default;

    /// Appends one validated batch as leader: checks the producer's sequence, writes offset and
    /// leader epoch into the header in place, and writes these bytes to the segment.
    /// Errors of the producer's: 45, 47, 48; 10 or 18 by size; 56 for the disk's.
    virtual kafka::Outcome<Appended> append(base::MutableView batch, base::LeaderEpoch,
                                            base::TimestampMs now) = 0;
    /// Appends batches that a leader has numbered, as they are. Stops before a batch whose epoch
    /// exceeds `at_most` (KAFKA-18723).
    virtual base::Status append_replicated(base::View batches, base::LeaderEpoch at_most,
                                           base::TimestampMs now) = 0;

    /// Whole batches from the one that holds `from`, below `limit`, up to `max_bytes`; with
    /// `at_least_one`, the first batch comes even if it is larger.
    /// `from` must lie in [start, end]; kafka error 1 is the caller's to give.
    virtual base::Result<LogRead> read(base::Offset from, base::Offset limit, uint32_t max_bytes,
                                       bool at_least_one) const = 0;

    /// Offset of the oldest record that may be read; of the next record to be appended; and up to
    /// where everything survives power loss (start <= synced <= end but for a moment after
    /// start moves).
    virtual base::Offset start() const = 0;
    virtual base::Offset end() const = 0;
    virtual base::Offset synced() const = 0;
    virtual base::LeaderEpoch last_epoch() const = 0;  // -1: empty lineage
    virtual uint64_t size_bytes() const = 0;

    /// What it takes to sync up to end(); nothing if all is synced. One may be out at a time.
    virtual std::optional<Sync> take_sync() = 0;
    /// The outcome of run(). An error fences the log: never retried.
    virtual void synced(const Sync&, const base::Status&) = 0;
    /// Fenced by a failed write or sync, and why.
    virtual const base::Status& health() const = 0;

    /// Removes everything at and past `offset` (a follower that parted from its leader).
    virtual base::Status truncate_to(base::Offset offset) = 0;
    /// Drops everything and begins anew at `offset`.
    virtual base::Status restart_at(base::Offset offset) = 0;
    /// Moves the start (DeleteRecords); whole segments below it are removed by retention.
    virtual base::Status advance_start(base::Offset offset) = 0;
    /// Notes that this leader begins at end(), even if it never appends.
    virtual base::Status begin_epoch(base::LeaderEpoch) = 0;
    /// KIP-101. Epoch -1: unknown (above all, or no lineage).
    virtual EpochEnd end_of_epoch(base::LeaderEpoch) const = 0;

    /// First record with a timestamp at or past `target`, below `limit`.
    virtual base::Result<std::optional<TimestampOffset>> find_timestamp(
        base::TimestampMs target, base::Offset limit) const = 0;
    /// The record with the largest timestamp below `limit` (ListOffsets -3).
    virtual base::Result<std::optional<TimestampOffset>> max_timestamp(
        base::Offset limit) const = 0;

    /// Removes segments that retention by time, by size or by log start no longer wants, none at or
    /// past `limit` (the high watermark). Returns how many went.
    virtual base::Result<size_t> apply_retention(base::Offset limit, base::TimestampMs now) = 0;
    /// Rolls by time if due, and forgets expired producers. Every few seconds.
    virtual base::Status maintain(base::TimestampMs now) = 0;
    /// Stores recovery point (= synced), start and high watermark. After syncs, now and then.
    virtual base::Status checkpoint(base::Offset high_watermark) = 0;
    /// As stored last; 0 if never.
    virtual base::Offset stored_high_watermark() const = 0;
    virtual void set_config(const LogConfig&) = 0;
    virtual const Producers& producers() const = 0;

    // Damage, and how it is mended. See scrub.h.

    /// The first closed segment that ends past `from`, if it lies wholly below `limit`, and on
    /// disk.
    virtual std::optional<ClosedSegment> closed_segment(base::Offset from,
                                                        base::Offset limit) const = 0;
    /// Reads one through, against what else is known of it.
    virtual std::unique_ptr<SegmentCheck> check(const ClosedSegment&) const = 0;
    /// One that was checked is damaged: from now on reads of it fail with kDataLoss, also after a
    /// restart. False if it is not here any more.
    virtual bool mark_damaged(const ClosedSegment&) = 0;
    /// The first that is damaged.
    virtual std::optional<ClosedSegment> damaged() const = 0;
    /// Begins a new copy of a damaged segment, in a file beside it. Blocks.
    virtual base::Result<std::unique_ptr<SegmentCopy>> begin_copy(const ClosedSegment&) const = 0;
    /// Puts a copy that is complete and synced in the place of the damaged one: after a crash one
    /// or the other is there. kFailedPrecondition if that is gone; then the copy is, too.
    virtual base::Status mend(std::unique_ptr<SegmentCopy>) = 0;

    /// Clean shutdown: syncs all records, stores a producer snapshot and the recovery point. These
    /// rows survive power loss from the next synced write to the store on, whoever makes it:
    /// before, the next open() only has more to read. If a sync is still out, the next open()
    /// checks once more what came after the one before.
    virtual base::Status close(base::Offset high_watermark) = 0;

    const RecoveryReport& recovery() const { return recovery_; }

  protected:
    RecoveryReport recovery_;
};

}  // namespace storage
