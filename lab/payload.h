#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "lab/history.h"

namespace lab {

/// What the bytes of a message say of themselves.
struct Payload {
    uint64_t run = 0;
    Value value;
    int32_t partition = 0;
    std::string topic;
};

/// The bytes of a message of at least `size`, filled up with a pattern of its own.
base::Bytes encode_payload(const Payload&, size_t size);

/// What a reader of `run` found in a partition.
struct Received {
    Value value;
    uint8_t flags = 0;  // of lab::flag; 0: `value` is what it should be
};
Received receive_payload(base::View bytes, uint64_t run, std::string_view topic, int32_t partition);

}  // namespace lab
