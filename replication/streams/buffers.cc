#include "replication/streams/buffers.h"

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

namespace replication::streams {

namespace {

// Up to here a copy costs less than another piece.
constexpr size_t kCopyBytes = 512;

grpc::Slice to_slice(const base::Slice& piece) {
    const auto bytes = piece.bytes();
    if (bytes.size() <= kCopyBytes) return {bytes.data(), bytes.size()};
    auto* const kept = new base::Slice(piece);
    return {const_cast<std::byte*>(bytes.data()), bytes.size(),
            [](void* owner) { delete static_cast<base::Slice*>(owner); }, kept};
}

}  // namespace

grpc::ByteBuffer to_buffer(const std::vector<base::Slice>& pieces) {
    std::vector<grpc::Slice> slices;
    slices.reserve(pieces.size());
    for (const auto& piece : pieces) slices.push_back(to_slice(piece));
    return {slices.data(), slices.size()};
}

Received::Received() = default;
Received::~Received() = default;
Received::Received(Received&&) noexcept = default;
Received& Received::operator=(Received&&) noexcept = default;

base::Status Received::take(grpc::ByteBuffer& buffer) {
    clear();
    if (!buffer.Dump(&slices_).ok()) return base::invalid("a message that can't be read");
    buffer.Clear();
    pieces_.reserve(slices_.size());
    for (const auto& slice : slices_)
        pieces_.emplace_back(reinterpret_cast<const std::byte*>(slice.begin()), slice.size());
    return base::ok();
}

base::View Received::whole() {
    if (pieces_.empty()) return {};
    if (pieces_.size() == 1) return pieces_.front();
    joined_.clear();
    for (const auto& piece : pieces_) joined_.insert(joined_.end(), piece.begin(), piece.end());
    return joined_;
}

void Received::clear() {
    pieces_.clear();
    slices_.clear();
    joined_ = {};
}

}  // namespace replication::streams
