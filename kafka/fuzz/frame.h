#pragma once
#include <cstddef>
#include <cstdint>

namespace kafka {

/// Takes a frame (without its size) as a broker would that served every known API: header, then the
/// request that the header names. What can be read must come back equal from what is written,
/// within the budget. The response of the same API and version is tried on the same bytes. Always
/// returns 0, as libFuzzer wants; a wrong answer ends the process.
int fuzz_frame(const uint8_t* data, size_t size);

}  // namespace kafka
