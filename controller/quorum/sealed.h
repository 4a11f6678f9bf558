#pragma once
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/endian.h"
#include "base/status.h"

namespace quorum {

/// What a row of the metadata log is made of, whichever row: big-endian integers, and before them a
/// CRC-32C of the key and of all that follows.
std::string seal(std::string_view key, std::string_view body);
/// The body; nothing if the checksum is wrong. It lies in `row`.
std::optional<std::string_view> unseal(std::string_view key, std::string_view row);

/// kDataLoss: what is damaged, and what the operator can do about it.
base::Status damaged(const std::string& what);

template <std::integral I>
void put(std::string& out, I value) {
    std::byte bytes[sizeof(I)];
    base::store_be(bytes, value);
    out.append(reinterpret_cast<const char*>(bytes), sizeof(I));
}

/// Takes integers off the front of a body. Reading past its end gives zeros, and is remembered.
class Reader {
  public:
    explicit Reader(std::string_view body) : rest_(body) {}

    template <std::integral I>
    I take() {
        if (rest_.size() < sizeof(I)) {
            complete_ = false;
            rest_ = {};
            return {};
        }
        const I value = base::load_be<I>(reinterpret_cast<const std::byte*>(rest_.data()));
        rest_.remove_prefix(sizeof(I));
        return value;
    }
    std::string_view rest() const { return rest_; }
    /// Everything that was asked for was there.
    bool complete() const { return complete_; }
    /// And nothing more.
    bool exhausted() const { return complete_ && rest_.empty(); }

  private:
    std::string_view rest_;
    bool complete_ = true;
};

}  // namespace quorum
