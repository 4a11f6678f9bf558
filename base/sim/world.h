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
#include "base/time.h"

namespace base::sim {

/// Time, chance and order of one simulated run; the same seed gives the same run.
class World {
  public:
    World(uint64_t seed, bool trace) : random_(seed), trace_(trace) {}

    uint64_t draw() { return random_(); }
    int64_t below(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n)); }
    bool chance(int64_t percent) { return below(100) < percent; }

    InstantMs now() const { return now_; }
    /// What is due at the same time runs in the order in which it was asked for.
    void after(int64_t delay_ms, Function<void()> run) {
        events_.push_back({now_ + delay_ms, ++sequence_, std::move(run)});
        std::push_heap(events_.begin(), events_.end(), later);
    }
    /// Runs the next event if it comes by `until`; otherwise moves the clock there.
    bool step(InstantMs until) {
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
        InstantMs at = 0;
        uint64_t sequence = 0;
        Function<void()> run;
    };
    static bool later(const Event& a, const Event& b) {
        return std::tie(a.at, a.sequence) > std::tie(b.at, b.sequence);
    }

    std::mt19937_64 random_;
    const bool trace_;
    InstantMs now_ = 0;
    uint64_t sequence_ = 0;
    std::vector<Event> events_;
};

}  // namespace base::sim
