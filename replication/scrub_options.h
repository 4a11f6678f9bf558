#pragma once
#include <chrono>
#include <cstdint>

namespace replication {

struct ScrubOptions {
    int64_t bytes_per_s = 10 << 20;  // of the whole broker; 0: only what reads come upon
    std::chrono::milliseconds interval{std::chrono::hours(7 * 24)};
};

}  // namespace replication
