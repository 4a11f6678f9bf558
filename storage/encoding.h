#pragma once
#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/endian.h"

namespace storage {

/// Writes what this library keeps beside the records: big-endian integers, and at the end a
/// CRC-32C of all before it.
class Encoder {
  public:
    template <std::integral I>
    void put(I value) {
        std::array<std::byte, sizeof(I)> bytes;
        base::store_be<I>(bytes.data(), value);
        text_.append(base::as_text(bytes));
    }
    void put(std::string_view bytes) { text_.append(bytes); }

    const std::string& text() const { return text_; }
    std::string sealed() && {
        put<uint32_t>(base::crc32c(base::as_bytes(text_)));
        return std::move(text_);
    }

  private:
    std::string text_;
};

/// Reads it back. Past the end every integer is 0 and ok() is false.
class Decoder {
  public:
    explicit Decoder(std::string_view text) : rest_(text) {}
    /// Checks the checksum at the end, and takes it off.
    static std::optional<Decoder> unseal(std::string_view text) {
        if (text.size() < sizeof(uint32_t)) return std::nullopt;
        const auto body = text.substr(0, text.size() - sizeof(uint32_t));
        const auto crc = base::load_be<uint32_t>(base::as_bytes(text).data() + body.size());
        if (base::crc32c(base::as_bytes(body)) != crc) return std::nullopt;
        return Decoder(body);
    }

    template <std::integral I>
    I get() {
        if (rest_.size() < sizeof(I)) {
            ok_ = false;
            return 0;
        }
        const auto value = base::load_be<I>(base::as_bytes(rest_).data());
        rest_.remove_prefix(sizeof(I));
        return value;
    }
    std::string_view take_rest() { return std::exchange(rest_, {}); }

    bool ok() const { return ok_; }
    bool done() const { return rest_.empty(); }

  private:
    std::string_view rest_;
    bool ok_ = true;
};

}  // namespace storage
