#pragma once
#include <cstddef>
#include <cstdint>

namespace storage {

/// What a partition's directory and rows may hold after anything at all has happened to them. Each
/// puts the bytes in place of one file or row and opens the log: that either refuses, or every
/// batch that the log then gives has a right checksum and follows on the one before. Always 0, as
/// libFuzzer wants; a wrong answer ends the process.
int fuzz_segment(const uint8_t* data, size_t size);
int fuzz_index(const uint8_t* data, size_t size);
int fuzz_producer_snapshot(const uint8_t* data, size_t size);
int fuzz_checkpoint(const uint8_t* data, size_t size);

}  // namespace storage
