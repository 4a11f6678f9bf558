#include "storage/index.h"

#include <algorithm>
#include <array>

#include "base/crc32c.h"
#include "base/endian.h"
#include "storage/encoding.h"

namespace storage {

namespace {

constexpr uint32_t magic = 0x4d494458;  // "MIDX"
constexpr uint32_t format = 1;
constexpr size_t head_bytes = 72;

IndexEntry decode(const std::byte* from) {
    return {base::load_be<uint32_t>(from), base::load_be<uint32_t>(from + 4),
            base::load_be<int64_t>(from + 8)};
}

std::string encode(const std::vector<IndexEntry>& entries) {
    Encoder out;
    for (const auto& e : entries) {
        out.put<uint32_t>(e.relative_offset);
        out.put<uint32_t>(e.position);
        out.put<int64_t>(e.newest_before);
    }
    return out.text();
}

}  // namespace

void SparseIndex::cut_back(uint64_t position) {
    while (!entries_.empty() && entries_.back().position >= position) entries_.pop_back();
}

template <class Before>
base::Result<IndexEntry> SparseIndex::last(Before before) const {
    RETURN_IF_ERROR(verify());
    size_t low = 0;  // entries below lie before the goal, those from `high` on do not
    size_t high = size();
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        ASSIGN_OR_RETURN(const IndexEntry e, entry(middle));
        if (before(e)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? IndexEntry{} : entry(low - 1);
}

base::Result<IndexEntry> SparseIndex::at_offset(uint32_t relative) const {
    return last([&](const IndexEntry& e) { return e.relative_offset <= relative; });
}

base::Result<IndexEntry> SparseIndex::at_position(uint64_t position) const {
    return last([&](const IndexEntry& e) { return e.position <= position; });
}

base::Result<IndexEntry> SparseIndex::before_timestamp(base::TimestampMs goal) const {
    return last([&](const IndexEntry& e) { return e.newest_before < goal; });
}

base::Result<IndexEntry> SparseIndex::entry(size_t i) const {
    if (!file_) return entries_[i];
    std::array<std::byte, entry_bytes> bytes;
    ASSIGN_OR_RETURN(const size_t count, file_->read_at(head_bytes + i * entry_bytes, bytes));
    if (count < bytes.size()) return base::data_loss(file_->path() + " ends early");
    return decode(bytes.data());
}

base::Status SparseIndex::verify() const {
    if (!file_ || verified_) return base::ok();
    std::array<std::byte, 16384> piece;
    uint32_t crc = 0;
    uint64_t at = head_bytes;
    for (uint64_t left = file_entries_ * entry_bytes; left > 0;) {
        const auto want = static_cast<size_t>(std::min<uint64_t>(left, piece.size()));
        ASSIGN_OR_RETURN(const size_t count,
                         file_->read_at(at, base::MutableView(piece).first(want)));
        if (count < want) return base::data_loss(file_->path() + " ends early");
        crc = base::crc32c_extend(crc, base::View(piece).first(want));
        at += want;
        left -= want;
    }
    if (crc != entries_crc_) return base::data_loss(file_->path() + ": wrong checksum");
    verified_ = true;
    return base::ok();
}

base::Result<std::shared_ptr<io::File>> SparseIndex::save(io::Disk& disk, const std::string& path,
                                                          const SegmentSummary& summary) const {
    const std::string entries = encode(entries_);
    Encoder head;
    head.put<uint32_t>(magic);
    head.put<uint32_t>(format);
    head.put<int64_t>(summary.base);
    head.put<int64_t>(summary.end);
    head.put<uint64_t>(summary.bytes);
    head.put<int64_t>(summary.first_timestamp);
    head.put<int64_t>(summary.newest);
    head.put<int64_t>(summary.written_at);
    head.put<uint64_t>(entries_.size());
    head.put<uint32_t>(base::crc32c(base::as_bytes(entries)));
    const std::string sealed = std::move(head).sealed();

    ASSIGN_OR_RETURN(std::shared_ptr<io::File> file, disk.open(path, io::Open::create));
    RETURN_IF_ERROR(file->truncate(0));
    const std::array<base::View, 2> pieces{base::as_bytes(sealed), base::as_bytes(entries)};
    RETURN_IF_ERROR(file->append(pieces));
    return file;
}

base::Result<SegmentSummary> SparseIndex::load(io::Disk& disk, const std::string& path,
                                               SparseIndex& out) {
    ASSIGN_OR_RETURN(std::shared_ptr<io::File> file, disk.open(path, io::Open::read_only));
    std::array<std::byte, head_bytes> head;
    ASSIGN_OR_RETURN(const size_t count, file->read_at(0, head));
    auto in = Decoder::unseal(base::as_text(base::View(head).first(count)));
    if (count < head_bytes || !in || in->get<uint32_t>() != magic ||
        in->get<uint32_t>() != format) {
        return base::data_loss(path + " is damaged");
    }
    SegmentSummary summary;
    summary.base = in->get<int64_t>();
    summary.end = in->get<int64_t>();
    summary.bytes = in->get<uint64_t>();
    summary.first_timestamp = in->get<int64_t>();
    summary.newest = in->get<int64_t>();
    summary.written_at = in->get<int64_t>();
    const auto entries = in->get<uint64_t>();
    if (file->size() < head_bytes || entries != (file->size() - head_bytes) / entry_bytes) {
        return base::data_loss(path + " is damaged");
    }
    out = SparseIndex();
    out.entries_crc_ = in->get<uint32_t>();
    out.file_entries_ = entries;
    out.file_ = std::move(file);
    return summary;
}

base::Status SparseIndex::unload_file() {
    if (!file_) return base::ok();
    RETURN_IF_ERROR(verify());
    std::vector<IndexEntry> entries;
    entries.reserve(file_entries_);
    base::Bytes bytes(file_entries_ * entry_bytes);
    ASSIGN_OR_RETURN(const size_t count, file_->read_at(head_bytes, bytes));
    if (count < bytes.size()) return base::data_loss(file_->path() + " ends early");
    for (size_t i = 0; i < file_entries_; ++i) {
        entries.push_back(decode(bytes.data() + i * entry_bytes));
    }
    *this = SparseIndex();
    entries_ = std::move(entries);
    return base::ok();
}

}  // namespace storage
