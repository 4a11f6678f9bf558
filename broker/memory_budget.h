#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace broker {

/// Bytes that large requests of all connections may hold at one time (queued.max.request.bytes).
/// Small ones are bounded by how many may be in work on a connection.
/// Shared by all shards; taking never blocks.
class MemoryBudget {
  public:
    explicit MemoryBudget(size_t bytes) : limit_(bytes) {}
    MemoryBudget(const MemoryBudget&) = delete;

    /// Whether `bytes` were taken. A request larger than the whole budget is let in when nothing
    /// else is, so that it can't wait for ever.
    bool take(size_t bytes) {
        size_t used = used_.load(std::memory_order_relaxed);
        do {
            if (used != 0 && (used >= limit_ || bytes > limit_ - used)) return false;
        } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
        taken_.fetch_add(bytes, std::memory_order_relaxed);
        return true;
    }
    void give_back(size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
    size_t used() const { return used_.load(std::memory_order_relaxed); }
    /// All that was ever taken.
    uint64_t taken() const { return taken_.load(std::memory_order_relaxed); }

  private:
    const size_t limit_;
    std::atomic<size_t> used_{0};
    std::atomic<uint64_t> taken_{0};
};

/// A share of the budget, given back when destroyed.
class MemoryHold {
  public:
    MemoryHold() = default;
    MemoryHold(MemoryBudget& budget, size_t bytes) : budget_(&budget), bytes_(bytes) {}
    MemoryHold(MemoryHold&& o) noexcept
        : budget_(std::exchange(o.budget_, nullptr)), bytes_(std::exchange(o.bytes_, 0)) {}
    MemoryHold& operator=(MemoryHold&& o) noexcept {
        std::swap(budget_, o.budget_);
        std::swap(bytes_, o.bytes_);
        return *this;
    }
    /// Holds `bytes` more, which were taken from the same budget.
    void add(MemoryBudget& budget, size_t bytes) {
        budget_ = &budget;
        bytes_ += bytes;
    }
    ~MemoryHold() {
        if (budget_ != nullptr) budget_->give_back(bytes_);
    }

  private:
    MemoryBudget* budget_ = nullptr;
    size_t bytes_ = 0;
};

}  // namespace broker
