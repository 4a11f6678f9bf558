#include "kafka/utf8.h"

#include <cstdint>
#include <cstring>

namespace kafka {
namespace {

/// Bytes of the character that starts at `p` with a byte above 0x7f; 0 if it is malformed.
size_t character_size(const unsigned char* p, size_t left) {
    const unsigned lead = p[0];
    const size_t size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (size == 0 || size > left) return 0;
    for (size_t i = 1; i < size; ++i)
        if ((p[i] & 0xc0) != 0x80) return 0;
    const unsigned second = p[1];
    const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
    const bool surrogate = lead == 0xed && second >= 0xa0;
    const bool too_large = lead == 0xf4 && second >= 0x90;
    return overlong || surrogate || too_large ? 0 : size;
}

}  // namespace

bool valid_utf8(std::string_view text) {
    const auto* p = reinterpret_cast<const unsigned char*>(text.data());
    size_t left = text.size();
    while (left > 0) {
        if (uint64_t eight; left >= sizeof eight) {
            std::memcpy(&eight, p, sizeof eight);
            if ((eight & 0x8080808080808080u) == 0) {
                p += sizeof eight;
                left -= sizeof eight;
                continue;
            }
        }
        const size_t size = *p < 0x80 ? 1 : character_size(p, left);
        if (size == 0) return false;
        p += size;
        left -= size;
    }
    return true;
}

}  // namespace kafka
