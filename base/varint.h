#pragma once
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace base {

/// Protocol Buffers' variable-length integers, seven bits a byte, least significant group first.
/// Kafka writes lengths and tags unsigned, and the fields of a record with zigzag.
constexpr uint64_t zigzag(int64_t v) {
    return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63);
}
constexpr int64_t unzigzag(uint64_t v) {
    return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
}

/// Bytes that `v` takes: 1 to 10.
constexpr size_t varint_size(uint64_t v) {
    size_t n = 1;
    for (; v >= 0x80; v >>= 7) ++n;
    return n;
}

void put_varint(Bytes& out, uint64_t v);

/// Takes a varint of at most `max_bytes` (5 for 32 bits, 10 for 64) from the front of `in`.
/// Nothing, and `in` unchanged, if it is cut short, too long, or does not fit the width.
std::optional<uint64_t> take_varint(View& in, size_t max_bytes);

/// Zigzag forms, with the range of the type checked.
std::optional<int32_t> take_zigzag32(View& in);
std::optional<int64_t> take_zigzag64(View& in);
inline void put_zigzag(Bytes& out, int64_t v) { put_varint(out, zigzag(v)); }

}  // namespace base
