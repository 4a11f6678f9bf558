#pragma once
#include <cstdint>

namespace broker {

/// Tells when freed memory is worth giving back to the system: once after a burst of large
/// requests, when they have stopped coming. Asked about once a second.
class IdleHeap {
  public:
    /// Bytes of large requests since the last time that make a burst, and that end the rest.
    static constexpr uint64_t kBurstBytes = 16u << 20;
    static constexpr uint64_t kRestBytes = 1u << 20;

    /// `taken`: bytes that large requests have taken since the start.
    bool should_return(uint64_t taken) {
        const bool resting = taken - last_ < kRestBytes;
        last_ = taken;
        if (!resting || taken - returned_ < kBurstBytes) return false;
        returned_ = taken;
        return true;
    }

  private:
    uint64_t last_ = 0;
    uint64_t returned_ = 0;
};

}  // namespace broker
