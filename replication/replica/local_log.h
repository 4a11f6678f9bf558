#pragma once
#include "replication/replica/types.h"

namespace replica {

/// Where a leader epoch ends in a log (KIP-101).
struct EpochEnd {
    LeaderEpoch epoch = -1;  // -1: unknown
    Offset end = -1;

    bool operator==(const EpochEnd&) const = default;
};

/// What the core asks of the partition's log on this broker. Answered at once, from memory.
class LocalLog {
  public:
    virtual ~LocalLog() = default;

    virtual Offset start() const = 0;
    virtual Offset end() const = 0;
    /// Up to here everything survives the loss of power; at most end().
    virtual Offset synced() const = 0;
    /// The newest epoch of its lineage; -1: none.
    virtual LeaderEpoch last_epoch() const = 0;
    /// Where `epoch` ends here: for the newest one end(); for one that the log has not, the largest
    /// smaller one that it has, and where the next begins; below all, the epoch itself and where
    /// the first begins; unknown above all.
    virtual EpochEnd end_of_epoch(LeaderEpoch) const = 0;
};

}  // namespace replica
