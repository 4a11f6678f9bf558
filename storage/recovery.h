#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/checkpoint.h"
#include "storage/log.h"
#include "storage/segment.h"

namespace storage {

/// A log as open() finds it: everything in it is on disk, and the stored checkpoint says so.
struct Recovered {
    std::vector<std::unique_ptr<Segment>> segments;  // at least one; the last takes appends
    SyncedMark mark;                                 // at the end
    base::Offset start = 0;
    base::Offset high_watermark = 0;
    Lineage lineage;
    Producers producers;
    std::set<base::Offset> snapshots;  // offsets of the stored producer snapshots
    bool is_new = false;               // that it is there at all may not be on disk yet
    RecoveryReport report;
};

/// Brings a partition's directory and its rows to agree, after whatever stopped the last process.
///
/// Below the stored recovery point nothing is ever cut: damage, a gap or a missing file there is
/// kDataLoss. Past it the records are read and checked; the first that is torn ends the log.
class Recovery {
  public:
    Recovery(const Log::Place&, const LogConfig&, base::TimestampMs now);
    base::Result<Recovered> run();

  private:
    base::Status read_rows();
    base::Status list_segments();
    /// A log that nothing was ever written to: its files are made when something is.
    Recovered planned();
    void adopt_without_checkpoint();
    base::Status finish_restart();
    base::Status drop_below_start();
    base::Status open_segments();
    bool missing_records(const Segment& last) const;
    base::Status open_below(Segment&, base::Offset next_base);
    /// Whether the log goes on in the next segment.
    base::Result<bool> open_tail(Segment&, std::optional<base::Offset> next_base);
    base::Status distrusted(const Segment&) const;
    base::Status cut(Segment&, const base::Status& why);
    base::Status remove_files(base::Offset segment_base);
    base::Status add_empty_segment(base::Offset base);
    base::Status rebuild_state();
    base::Offset newest_usable_snapshot() const;
    bool take_snapshot(base::Offset at, size_t& segment, uint64_t& position);
    void keep_snapshot(base::Offset segment_base);
    base::Status replay(size_t segment, uint64_t position);
    base::Status skip_to_start();
    base::Status store();
    base::Status sync_found();
    bool maybe_new() const;
    base::Status store_rows(const SyncedMark&, bool restarting);

    const Log::Place& place_;
    const LogConfig& config_;
    base::TimestampMs now_;
    std::optional<Checkpoint> row_;
    Checkpoint was_;                     // what row_ said, or what stands in for it
    base::Offset lineage_known_to_ = 0;  // was_.lineage covers the log up to here
    std::vector<base::Offset> bases_;    // of the segment files found, rising
    base::LeaderEpoch last_epoch_ = -1;
    std::map<base::Offset, std::string> kept_;  // producer snapshots to be stored
    bool changed_ = false;
    bool closed_cleanly_ = true;
    Recovered out_;
};

}  // namespace storage
