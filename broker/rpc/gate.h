#pragma once
#include <atomic>
#include <cstddef>

namespace broker::rpc {

/// Counts the calls in work, lets none in while it is closed, and waits for the last to leave.
/// gRPC calls from threads of its own, before the broker serves and after it has stopped. From any
/// thread.
class Gate {
  public:
    enum class Entry { in, closed, full };

    explicit Gate(size_t most) : most_(most) {}

    Entry enter() {
        const size_t inside = inside_.fetch_add(1) + 1;
        const auto entry = !open_ ? Entry::closed : inside > most_ ? Entry::full : Entry::in;
        if (entry != Entry::in) leave();
        return entry;
    }
    void leave() {
        if (inside_.fetch_sub(1) == 1) inside_.notify_all();
    }
    void open() { open_ = true; }
    /// Nobody comes in any more.
    void close() { open_ = false; }
    /// After close(). Blocks until all have left.
    void wait() {
        for (size_t inside = inside_; inside != 0; inside = inside_) inside_.wait(inside);
    }

  private:
    const size_t most_;
    std::atomic<bool> open_{false};
    std::atomic<size_t> inside_{0};
};

}  // namespace broker::rpc
