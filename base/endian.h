#pragma once
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace base {

namespace detail {
template <std::unsigned_integral U>
constexpr U swapped(U v) {
    if constexpr (sizeof(U) == 1) return v;
    else if constexpr (sizeof(U) == 2) return __builtin_bswap16(v);
    else if constexpr (sizeof(U) == 4) return __builtin_bswap32(v);
    else return __builtin_bswap64(v);
}
}  // namespace detail

/// Reads a big-endian integer; `from` must have sizeof(I) bytes.
template <std::integral I>
I load_be(const std::byte* from) {
    std::make_unsigned_t<I> v;
    std::memcpy(&v, from, sizeof v);
    if constexpr (std::endian::native == std::endian::little) v = detail::swapped(v);
    return static_cast<I>(v);
}

/// Writes a big-endian integer; `to` must have room for sizeof(I) bytes.
template <std::integral I>
void store_be(std::byte* to, I value) {
    auto v = static_cast<std::make_unsigned_t<I>>(value);
    if constexpr (std::endian::native == std::endian::little) v = detail::swapped(v);
    std::memcpy(to, &v, sizeof v);
}

}  // namespace base
