#pragma once
#include <cstdint>

namespace controller {

/// Producer ids that one broker hands out: [first, first + size).
struct ProducerIdBlock {
    int64_t first = 0;
    int32_t size = 0;

    bool operator==(const ProducerIdBlock&) const = default;
};

}  // namespace controller
