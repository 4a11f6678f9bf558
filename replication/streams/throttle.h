#pragma once
#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace replication::streams {

/// Bytes that may go in a time: a bucket that holds what a second allows. Time is told.
class Throttle {
  public:
    /// 0: nothing is held back.
    explicit Throttle(int64_t bytes_per_s = 0) : rate_(std::min(bytes_per_s, kMostRate)) {}

    void set_rate(int64_t bytes_per_s, base::InstantMs now) {
        fill(now);
        rate_ = std::min(bytes_per_s, kMostRate);
        left_ = std::min(left_, rate_);
    }
    int64_t rate() const { return rate_; }

    /// What has gone; it may be more than was left, and is made up for by waiting.
    void spend(int64_t bytes, base::InstantMs now) {
        if (rate_ <= 0) return;
        fill(now);
        left_ -= bytes;
    }
    /// How long until something may go again, in ms; 0: now.
    int64_t wait_ms(base::InstantMs now) {
        if (rate_ <= 0) return 0;
        fill(now);
        if (left_ > 0) return 0;
        return (1 - left_) * 1000 / rate_ + 1;
    }

  private:
    void fill(base::InstantMs now) {
        const auto passed = std::clamp<int64_t>(now - at_, 0, kMostPassedMs);
        const int64_t gained = rate_ / 1000 * passed + rate_ % 1000 * passed / 1000;
        // A slow rate gains nothing in a short time: that time is not lost for it.
        if (gained == 0) return;
        at_ = now;
        left_ = std::min(left_ + gained, rate_);
    }

    // No product of these overflows.
    static constexpr int64_t kMostPassedMs = 3'600'000;
    static constexpr int64_t kMostRate = int64_t{1} << 40;

    int64_t rate_;
    int64_t left_ = 0;
    base::InstantMs at_ = 0;
};

}  // namespace replication::streams
