#include "lab/outcome.h"

#include <algorithm>
#include <array>

namespace lab {

Phase failed_send(int code, bool never_written) {
    // corrupt message, unknown topic or partition, leader not available, message too large, record
    // list too large, not enough replicas, invalid required acks, topic authorization failed,
    // unsupported version, policy violation, out of order sequence, invalid producer epoch, fenced
    // leader epoch, invalid record, producer fenced. Not 20 (not enough replicas after append), and
    // not 13, 7, 56.
    static constexpr std::array definite{2, 3, 5, 10, 18, 19, 21, 29, 35, 44, 45, 47, 74, 87, 90};
    return never_written && std::ranges::binary_search(definite, code) ? Phase::fail : Phase::info;
}

}  // namespace lab
