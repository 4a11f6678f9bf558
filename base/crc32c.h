#pragma once
#include <cstdint>

#include "base/bytes.h"

namespace base {

/// CRC-32C (Castagnoli), the checksum of record batches and of every file of ours.
uint32_t crc32c(View bytes);
/// Goes on from the checksum of what came before `bytes`.
uint32_t crc32c_extend(uint32_t crc, View bytes);

}  // namespace base
