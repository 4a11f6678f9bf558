#include "base/uuid.h"

#include <array>
#include <cstring>

#include "absl/strings/escaping.h"
#include "base/endian.h"

namespace base {

std::string Uuid::to_string() const {
    std::array<std::byte, 16> raw;
    store_be(raw.data(), hi);
    store_be(raw.data() + 8, lo);
    std::string out;
    absl::WebSafeBase64Escape({reinterpret_cast<const char*>(raw.data()), raw.size()}, &out);
    while (!out.empty() && out.back() == '=') out.pop_back();
    return out;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
    std::string raw;
    if (text.size() != 22 || !absl::WebSafeBase64Unescape({text.data(), text.size()}, &raw) ||
        raw.size() != 16)
        return std::nullopt;
    const auto* bytes = reinterpret_cast<const std::byte*>(raw.data());
    return Uuid{load_be<uint64_t>(bytes), load_be<uint64_t>(bytes + 8)};
}

Uuid Uuid::from_random(uint64_t hi, uint64_t lo) {
    return {(hi & ~0xf000ull) | 0x4000ull, (lo & ~(3ull << 62)) | (2ull << 62)};
}

}  // namespace base
