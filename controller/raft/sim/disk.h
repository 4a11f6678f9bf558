#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controller/raft/storage.h"

namespace raft::sim {

/// The state that entries are applied to: nothing but a hash of them, in order.
struct State {
    Index applied = 0;
    uint64_t hash = 0;

    void apply(const Entry&);
    bool operator==(const State&) const = default;
};
uint64_t mix(uint64_t a, uint64_t b);
uint64_t hash_of(const Entry&);

/// One member's disk: only what is durable. It outlives the member's processes.
class Disk final : public Storage {
  public:
    /// `founding`: the configuration of a cluster's first members, or an empty one.
    Disk(Member self, Configuration founding, int parts);

    base::Result<std::vector<Entry>> entries(Index from, Index end,
                                             size_t most_bytes) const override;
    base::Result<Chunk> snapshot_chunk(Index snapshot, uint32_t number) const override;

    /// Makes the write durable. `compacted`: the state that a snapshot in it is of. Says what is
    /// wrong with it, if anything.
    std::optional<std::string> write(const Write&, const State& compacted);
    /// The state as applied so far, kept together with its index.
    void keep(const State& state) { state_ = state; }

    Stored stored() const { return {hard_, snapshot_, last(), state_.applied}; }
    Member self() const { return self_; }
    const HardState& hard() const { return hard_; }
    const State& state() const { return state_; }
    const SnapshotInfo& snapshot() const { return snapshot_; }
    Index last() const { return first() + static_cast<Index>(entries_.size()) - 1; }
    Index first() const { return snapshot_.position.index + 1; }
    /// Nothing if there is no entry with that index.
    const Entry* entry(Index i) const {
        return i < first() || i > last() ? nullptr : &entries_[static_cast<size_t>(i - first())];
    }
    /// The newest configuration that it holds.
    Configuration configuration() const;

    bool unreadable = false;  // entries fail their checksums

  private:
    std::vector<Chunk> parts_of(const State&) const;
    std::optional<std::string> install(const SnapshotInfo&);

    Member self_;
    int parts_;
    HardState hard_;
    SnapshotInfo snapshot_;
    std::vector<Chunk> snapshot_parts_;
    State state_;
    std::vector<Entry> entries_;  // after the snapshot
    std::vector<ReceivedChunk> received_;
};

}  // namespace raft::sim
