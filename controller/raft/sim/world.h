#pragma once
#include <algorithm>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "base/function.h"

namespace raft::sim {

/// Time in milliseconds, chance and order of one run; the same seed gives the same run.
class World {
  public:
    World(uint64_t seed, bool trace) : random_(seed), trace_(trace) {}

    uint64_t draw() { return random_(); }
    int64_t below(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n)); }
    bool chance(int64_t percent) { return below(100) < percent; }

    int64_t now() const { return now_; }
    void after(int64_t delay, base::Function<void()> run) {
        events_.push_back({now_ + delay, ++sequence_, std::move(run)});
        std::push_heap(events_.begin(), events_.end(), later);
    }
    /// Runs the next event if it comes by `until`; otherwise moves the clock there.
    bool step(int64_t until) {
        if (events_.empty() || events_.front().at > until) {
            now_ = until;
            return false;
        }
        std::pop_heap(events_.begin(), events_.end(), later);
        auto event = std::move(events_.back());
        events_.pop_back();
        now_ = event.at;
        event.run();
        return true;
    }
    bool tracing() const { return trace_; }
    [[gnu::format(printf, 2, 3)]] void trace(const char* format, ...) const {
        if (!trace_) return;
        std::printf("%8lld ", static_cast<long long>(now_));
        va_list args;
        va_start(args, format);
        std::vprintf(format, args);
        va_end(args);
        std::printf("\n");
    }

  private:
    struct Event {
        int64_t at = 0;
        uint64_t sequence = 0;
        base::Function<void()> run;
    };
    static bool later(const Event& a, const Event& b) {
        return std::tie(a.at, a.sequence) > std::tie(b.at, b.sequence);
    }

    std::mt19937_64 random_;
    bool trace_;
    int64_t now_ = 0;
    uint64_t sequence_ = 0;
    std::vector<Event> events_;
};

}  // namespace raft::sim
