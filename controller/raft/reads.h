#pragma once
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "controller/raft/types.h"

namespace raft {

/// The answer to a read() of a leader.
struct ReadResult {
    uint64_t context = 0;  // as it was asked
    /// Once the state is applied up to here, it holds everything that was committed anywhere when
    /// the read began. Nothing: this member no longer leads, ask the next leader.
    std::optional<Index> index;
};

/// Reads in rounds (Raft thesis §6.4): a round starts with all reads that came since the last one
/// started, and is over when a majority has answered a heartbeat of it, which says that there was
/// no newer leader when the reads began.
class ReadRounds {
  public:
    void add(uint64_t context) { waiting_.push_back(context); }
    size_t size() const { return waiting_.size() + asked_.size(); }

    /// Whether there are reads to start a round for, and none is under way.
    bool due() const { return asked_.empty() && !waiting_.empty(); }
    /// `commit`: the leader's, which must have committed an entry of its term.
    void start(Index commit) {
        ++round_;
        index_ = commit;
        asked_ = std::exchange(waiting_, {});
    }
    /// Counts up, for heartbeats to carry.
    uint64_t round() const { return round_; }
    /// A majority has answered this round.
    void confirm(uint64_t round, std::vector<ReadResult>& out) {
        if (round < round_) return;
        for (const auto context : std::exchange(asked_, {})) out.push_back({context, index_});
    }
    void refuse_all(std::vector<ReadResult>& out) {
        for (const auto context : std::exchange(asked_, {})) out.push_back({context, {}});
        for (const auto context : std::exchange(waiting_, {})) out.push_back({context, {}});
    }

  private:
    uint64_t round_ = 0;
    Index index_ = 0;
    std::vector<uint64_t> asked_;    // in the round that is under way
    std::vector<uint64_t> waiting_;  // for the next
};

}  // namespace raft
