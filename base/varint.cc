#include "base/varint.h"

namespace base {

void put_varint(Bytes& out, uint64_t v) {
    for (; v >= 0x80; v >>= 7) out.push_back(static_cast<std::byte>(v | 0x80));
    out.push_back(static_cast<std::byte>(v));
}

std::optional<uint64_t> take_varint(View& in, size_t max_bytes) {
    uint64_t v = 0;
    for (size_t i = 0; i < max_bytes && i < in.size(); ++i) {
        const auto b = static_cast<uint64_t>(in[i]);
        const unsigned shift = static_cast<unsigned>(7 * i);
        if (shift == 63 && b > 1) return std::nullopt;
        v |= (b & 0x7f) << shift;
        if ((b & 0x80) != 0) continue;
        if (max_bytes == 5 && v > 0xffffffffu) return std::nullopt;
        in = in.subspan(i + 1);
        return v;
    }
    return std::nullopt;
}

std::optional<int32_t> take_zigzag32(View& in) {
    const auto v = take_varint(in, 5);
    if (!v) return std::nullopt;
    return static_cast<int32_t>(unzigzag(*v));
}

std::optional<int64_t> take_zigzag64(View& in) {
    const auto v = take_varint(in, 10);
    if (!v) return std::nullopt;
    return unzigzag(*v);
}

}  // namespace base
