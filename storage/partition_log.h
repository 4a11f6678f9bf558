#pragma once
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/checkpoint.h"
#include "storage/log.h"
#include "storage/recovery.h"
#include "storage/segment.h"

namespace storage {

/// The Log of a directory of segment files. Lineage and producer state follow every append; what
/// was synced is known up to `mark_`, which checkpoints store and recovery trusts.
class PartitionLog final : public Log {
  public:
    PartitionLog(Place, const LogConfig&, Recovered);

    kafka::Outcome<Appended> append(base::MutableView batch, base::LeaderEpoch,
                                    base::TimestampMs now) override;
    base::Status append_replicated(base::View batches, base::LeaderEpoch at_most,
                                   base::TimestampMs now) override;
    base::Result<LogRead> read(base::Offset from, base::Offset limit, uint32_t max_bytes,
                               bool at_least_one) const override;

    base::Offset start() const override { return start_; }
    base::Offset end() const override { return active().end(); }
    base::Offset synced() const override;
    base::LeaderEpoch last_epoch() const override { return lineage_.last_epoch(); }
    uint64_t size_bytes() const override;

    std::optional<Sync> take_sync() override;
    void synced(const Sync&, const base::Status&) override;
    const base::Status& health() const override { return health_; }

    base::Status truncate_to(base::Offset offset) override;
    base::Status restart_at(base::Offset offset) override;
    base::Status advance_start(base::Offset offset) override;
    base::Status begin_epoch(base::LeaderEpoch) override;
    EpochEnd end_of_epoch(base::LeaderEpoch) const override;

    base::Result<std::optional<TimestampOffset>> find_timestamp(base::TimestampMs target,
                                                                base::Offset limit) const override;
    base::Result<std::optional<TimestampOffset>> max_timestamp(base::Offset limit) const override;

    base::Result<size_t> apply_retention(base::Offset limit, base::TimestampMs now) override;
    base::Status maintain(base::TimestampMs now) override;
    base::Status checkpoint(base::Offset high_watermark) override;
    base::Offset stored_high_watermark() const override { return high_watermark_; }
    void set_config(const LogConfig&) override;
    const Producers& producers() const override { return producers_; }

    std::optional<ClosedSegment> closed_segment(base::Offset from,
                                                base::Offset limit) const override;
    std::unique_ptr<SegmentCheck> check(const ClosedSegment&) const override;
    bool mark_damaged(const ClosedSegment&) override;
    std::optional<ClosedSegment> damaged() const override;
    base::Result<std::unique_ptr<SegmentCopy>> begin_copy(const ClosedSegment&) const override;
    base::Status mend(std::unique_ptr<SegmentCopy>) override;

    base::Status close(base::Offset high_watermark) override;

  private:
    /// A sync that is being carried out elsewhere.
    struct InFlight {
        SyncedMark mark;
        std::vector<std::shared_ptr<io::File>> files;
    };
    struct Deletion {
        std::string path;
        base::TimestampMs due = 0;
    };
    using Segments = std::vector<std::unique_ptr<Segment>>;

    Segment& active() { return *segments_.back(); }
    const Segment& active() const { return *segments_.back(); }
    SyncedMark end_mark() const;
    /// Index of the segment that holds `offset`, in [first base, end).
    size_t segment_of(base::Offset offset) const;
    /// The closed segment that begins there, if it does; null: none.
    std::unique_ptr<Segment>* closed_at(base::Offset base);

    bool must_roll_for(const kafka::BatchView&, uint64_t size, uint64_t pending,
                       base::TimestampMs now) const;
    int64_t segment_ms() const;
    base::Status roll(base::TimestampMs now);
    base::Status write(base::View batches, base::TimestampMs now);
    base::Result<bool> check_replicated(const kafka::BatchView&, base::Offset expected,
                                        base::LeaderEpoch last, base::LeaderEpoch at_most) const;
    void mark_dirty(const std::shared_ptr<io::File>&);
    /// The directory, the first file and the row of a log that was only planned until now.
    base::Status make_place();
    /// Makes the entries of the directory durable, and, of a new log, that it is there at all.
    base::Status sync_place();
    /// Keeps the first reason for which nothing more is accepted; gives it back.
    base::Status fence(const base::Status& why);
    /// Fences after a failed sync, and stores that the unsynced end is not to be trusted: it can be
    /// read now, and would seem synced by the next process, but may never have reached the disk.
    base::Status distrust(const base::Status& why);
    /// A full disk passes; any other failure fences.
    base::Status fence_unless_full(const base::Status& why);

    Checkpoint row() const;
    base::Status store(WriteBatch, Store::Durability);
    void put_snapshot(WriteBatch&, base::Offset at);
    void drop_snapshots_past(WriteBatch&, base::Offset end);
    /// Chooses which producer snapshots to add and which nobody needs any more.
    void plan_snapshots(WriteBatch&);
    base::Status sync_all();

    base::Result<SegmentCut> cut_place(base::Offset offset, size_t& segment) const;
    base::Status cut_segments(size_t segment, const SegmentCut&);
    /// Drops all records; `producers` is what stays known of theirs.
    base::Status begin_anew(base::Offset, Producers producers);
    base::Status replace_segments(base::Offset base);
    base::Status restore_producers(base::Offset end, base::TimestampMs now);
    base::Status remove_segments(size_t count, base::TimestampMs now);

    base::Result<std::optional<TimestampOffset>> find_in(const Segment&, base::TimestampMs target,
                                                         base::Offset limit) const;
    base::Result<base::TimestampMs> newest_in(const Segment&, base::Offset limit) const;
    base::Result<base::TimestampMs> newest_in_part(const Segment&, base::Offset limit) const;

    Place place_;
    LogConfig config_;
    Segments segments_;  // never empty; the last takes appends
    base::Offset start_ = 0;
    SyncedMark mark_;
    std::optional<InFlight> in_flight_;
    std::vector<std::shared_ptr<io::File>> dirty_;  // appended to since the last sync was taken
    bool directory_dirty_ = true;  // the last process may have died before it synced it
    bool new_;                     // its row, and its directory as such, may be lost yet
    bool restarting_ = false;      // until every old segment is gone
    uint64_t truncations_ = 0;
    base::Status health_;

    Lineage lineage_;
    Producers producers_;
    std::set<base::Offset> snapshots_;  // stored, by offset
    uint64_t bytes_since_snapshot_ = 0;
    base::Offset high_watermark_ = 0;
    std::string stored_row_;
    std::vector<Deletion> deletions_;
};

}  // namespace storage
