#pragma once
#include <cstdint>

namespace base {

/// Milliseconds since 1970-01-01 UTC, as record timestamps count; -1: none.
using TimestampMs = int64_t;
/// Milliseconds of a clock that never goes back, from an arbitrary start. For time-outs.
using InstantMs = int64_t;

}  // namespace base
