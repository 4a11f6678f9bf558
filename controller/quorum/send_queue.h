#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "controller/raft/message.h"

namespace quorum {

/// What waits to be sent to one peer, bounded in bytes (wire_bytes). When a message finds no place,
/// the oldest appends and heartbeats go, then the oldest of whatever there is: Raft sends anew what
/// matters, and what is newer says more.
class SendQueue {
  public:
    explicit SendQueue(size_t most_bytes) : most_bytes_(most_bytes) {}

    /// The message alone must not exceed the bound.
    void push(raft::Message);
    /// From the front, up to `most_bytes` and what one batch may hold, but at least one if there is
    /// any.
    std::vector<raft::Message> take(size_t most_bytes);
    /// Nobody is there to send it to.
    void clear();

    bool empty() const { return waiting_.empty(); }
    size_t bytes() const { return bytes_; }
    /// Messages that found no place, and those that clear() threw away.
    uint64_t dropped() const { return dropped_; }

  private:
    struct Waiting {
        raft::Message message;
        size_t bytes;
    };
    using Position = std::deque<Waiting>::iterator;

    void make_room(size_t bytes);
    void drop(Position);

    size_t most_bytes_;
    std::deque<Waiting> waiting_;
    size_t bytes_ = 0;
    uint64_t dropped_ = 0;
};

}  // namespace quorum
