#include "storage/scan.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/crc32c.h"

namespace storage {

namespace {

constexpr size_t header_piece = 4096;
constexpr size_t whole_piece = size_t{256} << 10;

}  // namespace

Scan::Scan(const io::File& file, uint64_t from, uint64_t to, Depth depth)
    : file_(file), to_(to), depth_(depth), position_(from) {}

base::Result<base::View> Scan::bytes(uint64_t at, size_t size) {
    size = static_cast<size_t>(std::min<uint64_t>(size, to_ - at));
    if (at < buffer_at_ || at + size > buffer_at_ + buffered_) {
        if (buffer_.empty()) buffer_.resize(depth_ == Depth::whole ? whole_piece : header_piece);
        const auto want = static_cast<size_t>(std::min<uint64_t>(buffer_.size(), to_ - at));
        ASSIGN_OR_RETURN(buffered_, file_.read_at(at, base::MutableView(buffer_).first(want)));
        buffer_at_ = at;
        if (buffered_ < size) return damage("the file ends early");
    }
    return base::View(buffer_).subspan(at - buffer_at_, size);
}

base::Result<bool> Scan::next() {
    position_ += size_;
    size_ = 0;
    if (position_ >= to_) return false;
    ASSIGN_OR_RETURN(const base::View head, bytes(position_, kafka::batch_header_size));
    const auto peek = kafka::peek_batch(head);
    if (peek.found == kafka::BatchPeek::Found::bad_size) return damage("impossible batch size");
    if (peek.found == kafka::BatchPeek::Found::bad_magic) return damage("unknown batch format");
    if (head.size() < kafka::batch_header_size || peek.size > to_ - position_) {
        return damage("the batch is cut short");
    }
    std::memcpy(header_bytes_.data(), head.data(), head.size());
    constexpr auto last = std::numeric_limits<base::Offset>::max();
    if (header_.base_offset() < 0 || header_.last_offset_delta() < 0 ||
        header_.base_offset() >= last - header_.last_offset_delta()) {
        return damage("impossible offsets");
    }
    if (expected_ >= 0 && header_.base_offset() != expected_) {
        return damage("offset " + std::to_string(header_.base_offset()) + " where " +
                      std::to_string(expected_) + " is next");
    }
    expected_ = header_.next_offset();
    size_ = static_cast<uint32_t>(peek.size);
    if (depth_ == Depth::whole) {
        ASSIGN_OR_RETURN(const bool fine, checksum_ok());
        if (!fine) return damage("wrong checksum");
    }
    return true;
}

base::Result<bool> Scan::checksum_ok() {
    uint32_t crc = 0;
    for (uint64_t at = position_ + kafka::batch_field::attributes; at < end();) {
        const auto piece = static_cast<size_t>(std::min<uint64_t>(end() - at, whole_piece));
        ASSIGN_OR_RETURN(const base::View part, bytes(at, piece));
        crc = base::crc32c_extend(crc, part);
        at += part.size();
    }
    return crc == header_.crc();
}

base::Status Scan::damage(const std::string& why) const {
    return base::data_loss(file_.path() + " at byte " + std::to_string(position_) + ": " + why);
}

base::Result<base::Bytes> read_batch(const io::File& file, uint64_t position, uint32_t size) {
    base::Bytes bytes(size);
    ASSIGN_OR_RETURN(const size_t count, file.read_at(position, bytes));
    if (count < size || size < kafka::batch_header_size || !kafka::BatchView(bytes).crc_ok()) {
        return base::data_loss(file.path() + " at byte " + std::to_string(position) +
                               ": wrong checksum");
    }
    return bytes;
}

}  // namespace storage
