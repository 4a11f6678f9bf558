#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace base {

/// 128 bits, big-endian on the wire. Text is Kafka's: base64url of the 16 bytes without padding
/// (22 characters).
struct Uuid {
    uint64_t hi = 0;
    uint64_t lo = 0;

    bool is_zero() const { return hi == 0 && lo == 0; }
    std::string to_string() const;
    static std::optional<Uuid> parse(std::string_view text);
    /// A version-4 UUID from 128 random bits that the caller drew.
    static Uuid from_random(uint64_t hi, uint64_t lo);

    auto operator<=>(const Uuid&) const = default;
    template <class H>
    friend H AbslHashValue(H h, const Uuid& u) {
        return H::combine(std::move(h), u.hi, u.lo);
    }
};

}  // namespace base
