#pragma once
#include <atomic>

namespace replication::streams {

/// gRPC takes one write at a time, and tells its end on a thread of its own. The shard is woken for
/// that only if something waits for it: most messages are alone.
class WriteTurn {
  public:
    /// On the shard: whether a write is out. If so, the shard is told when it ends.
    bool taken() {
        auto state = out;
        return state_.compare_exchange_strong(state, awaited) || state == awaited;
    }
    void begin() { state_ = out; }
    /// On gRPC's thread: whether the shard is to be told, which then calls told().
    bool end() {
        auto state = out;
        return !state_.compare_exchange_strong(state, none);
    }
    void told() { state_ = none; }

  private:
    enum State { none, out, awaited };
    std::atomic<State> state_{none};
};

}  // namespace replication::streams
