#include "broker/stalls.h"

#include <algorithm>

namespace broker {

namespace {

/// A stall within this many times the calm after the last one belongs to the same trouble.
constexpr base::InstantMs kSoon = 10;

}  // namespace

bool Stalls::look(std::optional<base::InstantMs> since, base::InstantMs now) {
    const auto passed = std::clamp<base::InstantMs>(now - last_look_, 0, options_.longest_gap_ms);
    last_look_ = now;
    looked_ += passed;
    if (!since) waited_ = 0;
    else if (since != since_) waited_ = std::clamp<base::InstantMs>(now - *since, 0, passed);
    else waited_ += passed;
    since_ = since;

    if (waited_ >= options_.timeout_ms) {
        if (!stalled_) begin();
        calm_ = 0;
    } else if (stalled_) {
        calm_ = waited_ < options_.timeout_ms / 2 ? calm_ + passed : 0;
        if (calm_ >= calm_needed_) {
            stalled_ = false;
            over_at_ = looked_;
        }
    }
    return stalled_;
}

void Stalls::begin() {
    stalled_ = true;
    const bool soon = over_at_ && looked_ - *over_at_ < kSoon * calm_needed_;
    calm_needed_ =
        soon ? std::min(2 * calm_needed_, options_.longest_calm_ms) : options_.timeout_ms;
}

}  // namespace broker
