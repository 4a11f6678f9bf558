#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "base/function.h"
#include "base/time.h"

namespace boost::asio {
class io_context;
}

namespace io {

/// A timer of a shard, cancelled when destroyed. Used on its shard only.
class Timer {
  public:
    virtual ~Timer() = default;
};

/// One thread with one event loop. What lives on a shard is touched on its thread only, so nothing
/// above io/ locks; crossing shards is a post.
class Shard {
  public:
    virtual ~Shard() = default;

    virtual size_t index() const = 0;
    /// Runs `work` on this shard's thread, later. From any thread; keeps the order of one poster.
    virtual void post(base::Function<void()> work) = 0;
    /// Runs `work` now if this is the shard's thread, otherwise posts it.
    void run(base::Function<void()> work) { here() ? work() : post(std::move(work)); }
    /// Whether the caller runs on this shard's thread.
    virtual bool here() const = 0;
    /// The clock of its timers.
    virtual base::InstantMs now() const = 0;
    /// Calls `work` once after `delay`, unless the timer is destroyed first. On this shard only.
    [[nodiscard]] virtual std::unique_ptr<Timer> after(std::chrono::milliseconds delay,
                                                       base::Function<void()> work) = 0;
    /// The event loop beneath, for io/ itself.
    virtual boost::asio::io_context& context() = 0;
};

/// The shards of a process and the small pool for work that blocks (syncs, opening files, RocksDB).
class Shards {
  public:
    /// `shards` event loops and `blocking` pool threads, started.
    static std::unique_ptr<Shards> start(size_t shards, size_t blocking);
    virtual ~Shards() = default;

    virtual size_t count() const = 0;
    virtual Shard& at(size_t index) = 0;
    /// Runs `work` on a pool thread. From any thread.
    virtual void block(base::Function<void()> work) = 0;
    /// Ends the loops after what is posted already, and joins the threads. Not from a shard.
    virtual void stop() = 0;
};

/// The wall clock and the monotonic clock, in the shell's hands; pure cores are told the time.
base::TimestampMs wall_clock();
base::InstantMs monotonic_clock();

}  // namespace io
