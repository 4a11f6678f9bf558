#include "base/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace base {

uint32_t crc32c(View bytes) { return crc32c_extend(0, bytes); }

uint32_t crc32c_extend(uint32_t crc, View bytes) {
    constexpr size_t most = size_t{1} << 30;  // the library counts in int
    while (!bytes.empty()) {
        const auto part = bytes.first(std::min(bytes.size(), most));
        auto* p = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(part.data()));
        crc = ~crc32_iscsi(p, static_cast<int>(part.size()), ~crc);
        bytes = bytes.subspan(part.size());
    }
    return crc;
}

}  // namespace base
