#pragma once
#include <deque>
#include <optional>
#include <vector>

#include "base/status.h"
#include "controller/raft/configuration.h"
#include "controller/raft/message.h"
#include "controller/raft/storage.h"
#include "controller/raft/types.h"

namespace raft {

/// The log as this member has it, durable or not: what follows the snapshot. In memory are the
/// newest entries, where each term begins, and the configurations; older entries are in Storage.
class Log {
  public:
    Log(const Storage& storage, SnapshotInfo snapshot, size_t most_bytes_in_memory);

    /// Reads what Storage has, up to `last`, of which `committed` is known to be so. Once, at the
    /// start; any error is final.
    base::Status load(Index last, Index committed);

    Index first() const { return snapshot_.index + 1; }
    Index last() const { return last_; }
    Position last_position() const { return {last_, terms_.back().term}; }
    const Position& snapshot() const { return snapshot_; }

    /// Nothing for what is before the snapshot or after the last entry. 0 at index 0.
    std::optional<Term> term_at(Index) const;
    /// The newest position at or before `index` whose term is not above `term`; the snapshot's, if
    /// there is none after it.
    Position newest_of_term(Index index, Term term) const;
    /// Entries from `from` on, before `end`: as many as fit the bounds, but one at least if there
    /// is one. `from` is not before first(). Fails as Storage does.
    base::Result<std::vector<Entry>> entries(Index from, Index end, size_t most_entries,
                                             size_t most_bytes) const;
    /// The bytes of entries that are in memory.
    size_t bytes(Index from, Index end) const;

    void append(Entry);
    /// Removes the entries at and after `from`.
    void truncate(Index from);
    /// The entries up to `index`, which is committed, go; what they said is in a snapshot now.
    SnapshotInfo compact(Index index);
    /// Only a snapshot is left.
    void reset(const SnapshotInfo&);
    /// Entries up to `index` are durable and committed: from the oldest on they may leave the
    /// memory, while it holds more than its bound.
    void evict(Index index);
    size_t bytes_in_memory() const { return tail_bytes_; }

    /// The one in force: the newest, committed or not.
    const Configuration& configuration() const { return configurations_.back().configuration; }
    /// Whether it is a voter in that one, or in an older one that may yet be in force, as the newer
    /// are not committed.
    bool may_vote(const Member&, Index committed) const;
    const Configuration& configuration_at_snapshot() const {
        return configurations_.front().configuration;
    }
    /// The entry that holds it; the snapshot's index if that does.
    Index configuration_index() const { return configurations_.back().index; }

  private:
    struct Run {  // of entries with one term
        Index first;
        Term term;
    };
    struct InForce {
        Index index;
        Configuration configuration;
    };
    Index tail_first() const { return last_ + 1 - static_cast<Index>(tail_.size()); }
    const Entry& in_memory(Index i) const { return tail_[static_cast<size_t>(i - tail_first())]; }

    const Storage& storage_;
    const size_t most_bytes_in_memory_;
    Position snapshot_;
    Index last_;
    std::deque<Entry> tail_;  // the newest entries, up to last_
    size_t tail_bytes_ = 0;
    std::deque<Run> terms_;                // never empty; the first holds the snapshot's position
    std::vector<InForce> configurations_;  // never empty
};

}  // namespace raft
