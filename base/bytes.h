#pragma once
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace base {

using Bytes = std::vector<std::byte>;
using View = std::span<const std::byte>;
using MutableView = std::span<std::byte>;

inline View as_bytes(std::string_view s) { return std::as_bytes(std::span(s.data(), s.size())); }
inline std::string_view as_text(View b) {
    return {reinterpret_cast<const char*>(b.data()), b.size()};
}
inline bool equal(View a, View b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

/// A view of bytes that keeps them alive: a copy shares, it does not copy the bytes.
class Slice {
  public:
    Slice() = default;
    Slice(std::shared_ptr<const void> owner, View bytes)
        : owner_(std::move(owner)), bytes_(bytes) {}
    /// Takes the bytes over.
    explicit Slice(Bytes bytes) {
        auto owner = std::make_shared<const Bytes>(std::move(bytes));
        bytes_ = *owner;
        owner_ = std::move(owner);
    }

    View bytes() const { return bytes_; }
    size_t size() const { return bytes_.size(); }
    bool empty() const { return bytes_.empty(); }
    /// [from, from + size) of this slice; the range must lie inside.
    Slice part(size_t from, size_t size) const { return {owner_, bytes_.subspan(from, size)}; }

  private:
    std::shared_ptr<const void> owner_;
    View bytes_;
};

}  // namespace base
