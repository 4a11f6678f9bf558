#include "storage/segment.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/check.h"
#include "base/endian.h"

namespace storage {

namespace {

constexpr size_t name_digits = 20;

std::string file_name(base::Offset base, std::string_view suffix) {
    const std::string digits = std::to_string(base);
    return std::string(name_digits - digits.size(), '0') + digits + std::string(suffix);
}

}  // namespace

std::string segment_name(base::Offset base) { return file_name(base, segment_suffix); }
std::string index_name(base::Offset base) { return file_name(base, index_suffix); }

std::optional<base::Offset> parse_segment_name(std::string_view name) {
    if (name.size() != name_digits + segment_suffix.size() || !name.ends_with(segment_suffix)) {
        return std::nullopt;
    }
    base::Offset value = 0;
    const char* end = name.data() + name_digits;
    const auto [stop, error] = std::from_chars(name.data(), end, value);
    if (error != std::errc() || stop != end || value < 0) return std::nullopt;
    return value;
}

std::string parent_of(const std::string& path) {
    const auto slash = path.find_last_of('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

Segment::Segment(io::Disk& disk, std::string directory, base::Offset base, base::TimestampMs now)
    : disk_(disk),
      directory_(std::move(directory)),
      base_(base),
      end_(base),
      written_at_(now),
      created_at_(now) {}

std::unique_ptr<Segment> Segment::planned(io::Disk& disk, const std::string& directory,
                                          base::Offset base, base::TimestampMs now) {
    return std::unique_ptr<Segment>(new Segment(disk, directory, base, now));
}

base::Status Segment::make_file() {
    const std::string index = path(index_name(base_));
    if (disk_.exists(index)) RETURN_IF_ERROR(disk_.remove(index));
    ASSIGN_OR_RETURN(file_, disk_.open(path(segment_name(base_)), io::Open::create_new));
    return base::ok();
}

base::Result<std::unique_ptr<Segment>> Segment::create(io::Disk& disk, const std::string& directory,
                                                       base::Offset base, base::TimestampMs now) {
    auto segment = planned(disk, directory, base, now);
    RETURN_IF_ERROR(segment->make_file());
    return segment;
}

base::Result<std::unique_ptr<Segment>> Segment::open(io::Disk& disk, const std::string& directory,
                                                     base::Offset base, base::TimestampMs now) {
    std::unique_ptr<Segment> segment(new Segment(disk, directory, base, now));
    ASSIGN_OR_RETURN(segment->file_,
                     disk.open(segment->path(segment_name(base)), io::Open::existing));
    return segment;
}

base::Result<std::unique_ptr<Segment>> Segment::copy_of(io::Disk& disk,
                                                        const std::string& directory,
                                                        base::Offset base,
                                                        base::TimestampMs written_at) {
    auto segment = planned(disk, directory, base, written_at);
    const std::string path = segment->path(segment_name(base)) + std::string(copy_suffix);
    if (disk.exists(path)) RETURN_IF_ERROR(disk.remove(path));
    ASSIGN_OR_RETURN(segment->file_, disk.open(path, io::Open::create_new));
    return segment;
}

base::Status Segment::take_place() {
    RETURN_IF_ERROR(disk_.rename(file_->path(), path(segment_name(base_))));
    ASSIGN_OR_RETURN(file_, disk_.open(path(segment_name(base_)), io::Open::existing));
    return base::ok();
}

void Segment::discard_copy() { disk_.remove(file_->path()).IgnoreError(); }

base::Status Segment::mark_damaged(base::Offset end) {
    damaged_ = true;
    end_ = end;
    bytes_ = file_->size();
    index_saved_ = false;
    const std::string index = path(index_name(base_));
    if (!disk_.exists(index)) return base::ok();
    RETURN_IF_ERROR(disk_.remove(index));
    return disk_.sync_directory(directory_);
}

base::Result<bool> Segment::load_summary(base::Offset end) {
    auto summary = SparseIndex::load(disk_, path(index_name(base_)), index_);
    if (!summary.ok()) {
        if (absl::IsNotFound(summary.status()) || absl::IsDataLoss(summary.status())) return false;
        return summary.status();
    }
    if (summary->base != base_ || summary->end != end || summary->bytes != file_->size()) {
        index_ = SparseIndex();
        return false;
    }
    end_ = summary->end;
    bytes_ = summary->bytes;
    first_timestamp_ = summary->first_timestamp;
    newest_ = summary->newest;
    written_at_ = summary->written_at;
    indexed_from_ = 0;
    since_entry_ = 0;
    index_saved_ = true;
    return true;
}

base::Status Segment::resume_at(const SegmentCut& cut) {
    if (file_->size() < cut.bytes) {
        return base::data_loss(file_->path() + " ends at byte " + std::to_string(file_->size()) +
                               ", before the recovery point at " + std::to_string(cut.bytes));
    }
    if (cut.bytes > 0) {
        Scan first(*file_, 0, cut.bytes, Scan::Depth::headers);
        RETURN_IF_ERROR(first.next().status());
        first_timestamp_ = first.header().max_timestamp();
    }
    end_ = cut.end;
    bytes_ = cut.bytes;
    newest_ = cut.newest;
    index_ = SparseIndex();
    indexed_from_ = cut.bytes;
    since_entry_ = 0;
    return base::ok();
}

base::Status Segment::take_in_rest(base::LeaderEpoch& last_epoch) {
    Scan scan(*file_, bytes_, file_->size(), Scan::Depth::whole);
    while (true) {
        ASSIGN_OR_RETURN(const bool more, scan.next());
        if (!more) return base::ok();
        const auto& header = scan.header();
        if (header.base_offset() != end_ || header.leader_epoch() < last_epoch) {
            return base::data_loss(file_->path() + " at byte " + std::to_string(scan.position()) +
                                   ": offset " + std::to_string(header.base_offset()) +
                                   " of epoch " + std::to_string(header.leader_epoch()) +
                                   " does not follow offset " + std::to_string(end_ - 1) +
                                   " of epoch " + std::to_string(last_epoch));
        }
        last_epoch = header.leader_epoch();
        note(header, scan.size(), written_at_);
    }
}

void Segment::make_active() {
    if (index_.unload_file().ok()) return;
    index_ = SparseIndex();
    indexed_from_ = bytes_;
}

base::Status Segment::append(base::View batches) {
    auto written = file_->append({&batches, 1});
    if (written.ok()) return written;
    if (auto back = file_->truncate(bytes_); !back.ok()) {
        return base::unavailable(base::message(written) + "; and then " + base::message(back));
    }
    return written;
}

void Segment::note(const kafka::BatchView& header, uint64_t size, base::TimestampMs now) {
    if (bytes_ == 0) first_timestamp_ = header.max_timestamp();
    if (bytes_ > 0 && since_entry_ > interval_) {
        index_.add({static_cast<uint32_t>(header.base_offset() - base_),
                    static_cast<uint32_t>(bytes_), newest_});
        since_entry_ = 0;
    }
    since_entry_ += size;
    bytes_ += size;
    end_ = header.next_offset();
    newest_ = std::max(newest_, header.max_timestamp());
    written_at_ = now;
    index_saved_ = false;
}

base::Status Segment::rebuild_index() const {
    index_ = SparseIndex();
    indexed_from_ = 0;
    since_entry_ = 0;
    base::TimestampMs newest = -1;
    Scan scan(*file_, 0, bytes_, Scan::Depth::headers);
    while (true) {
        ASSIGN_OR_RETURN(const bool more, scan.next());
        if (!more) return base::ok();
        const auto& header = scan.header();
        if (header.base_offset() < base_ || header.next_offset() > end_) {
            return base::data_loss(file_->path() + " at byte " + std::to_string(scan.position()) +
                                   ": offset " + std::to_string(header.base_offset()) +
                                   " does not belong here");
        }
        if (scan.position() > 0 && since_entry_ > interval_) {
            index_.add({static_cast<uint32_t>(header.base_offset() - base_),
                        static_cast<uint32_t>(scan.position()), newest});
            since_entry_ = 0;
        }
        since_entry_ += scan.size();
        newest = std::max(newest, header.max_timestamp());
    }
}

base::Status Segment::complete_index() const {
    return indexed_from_ == 0 ? base::ok() : rebuild_index();
}

/// An entry that a search finds in an index file is checked against the segment itself: a file
/// from another time could have the right checksum.
template <class Search>
base::Result<IndexEntry> Segment::search(Search search) const {
    RETURN_IF_ERROR(complete_index());
    auto found = search(index_);
    if (index_.in_memory()) return found;
    if (found.ok()) {
        std::array<std::byte, sizeof(base::Offset)> offset;
        ASSIGN_OR_RETURN(const size_t count, file_->read_at(found->position, offset));
        if (count == offset.size() &&
            base::load_be<base::Offset>(offset.data()) == base_ + found->relative_offset) {
            return found;
        }
    } else if (!absl::IsDataLoss(found.status())) {
        return found;
    }
    RETURN_IF_ERROR(rebuild_index());
    return search(index_);
}

base::Result<BatchPlace> Segment::find(base::Offset offset) const {
    CHECK(offset >= base_ && offset < end_) << " offset " << offset;
    const auto relative = static_cast<uint32_t>(offset - base_);
    ASSIGN_OR_RETURN(const IndexEntry from,
                     search([&](const SparseIndex& i) { return i.at_offset(relative); }));
    Scan scan(*file_, from.position, bytes_, Scan::Depth::headers);
    while (true) {
        ASSIGN_OR_RETURN(const bool more, scan.next());
        const auto& header = scan.header();
        const bool misplaced = scan.position() == from.position &&
                               header.base_offset() != base_ + from.relative_offset;
        if (!more || misplaced || header.base_offset() > offset) {
            return base::data_loss(file_->path() + " at byte " + std::to_string(scan.position()) +
                                   ": no batch holds offset " + std::to_string(offset));
        }
        if (header.next_offset() > offset) {
            return BatchPlace{scan.position(), scan.size(), header.base_offset(),
                              header.next_offset()};
        }
    }
}

base::Result<SegmentCut> Segment::run(uint64_t position, base::Offset limit, uint64_t most,
                                      bool at_least_one) const {
    if (end_ <= limit && bytes_ - position <= most) return all();
    const uint64_t goal = position + most;
    ASSIGN_OR_RETURN(IndexEntry from,
                     search([&](const SparseIndex& i) { return i.at_position(goal); }));
    if (base_ + from.relative_offset > limit) {
        const auto relative = static_cast<uint32_t>(limit - base_);
        ASSIGN_OR_RETURN(from, search([&](const SparseIndex& i) { return i.at_offset(relative); }));
    }
    SegmentCut cut{position, base_, newest_};
    if (from.position > position) {
        cut = {from.position, base_ + from.relative_offset, newest_};
    }
    // Not a step further than asked: damage there is another read's to report.
    Scan scan(*file_, cut.bytes, bytes_, Scan::Depth::headers);
    while (cut.end < limit && (cut.bytes < goal || cut.bytes == position)) {
        ASSIGN_OR_RETURN(const bool more, scan.next());
        const auto& header = scan.header();
        if (!more || header.next_offset() > limit) return cut;
        if (scan.end() > goal && !(at_least_one && scan.position() == position)) return cut;
        cut = {scan.end(), header.next_offset(), newest_};
    }
    return cut;
}

base::Result<uint64_t> Segment::search_from(base::TimestampMs goal) const {
    ASSIGN_OR_RETURN(const IndexEntry from,
                     search([&](const SparseIndex& i) { return i.before_timestamp(goal); }));
    return from.position;
}

base::Result<SegmentCut> Segment::prefix(base::Offset offset) const {
    if (offset >= end_) return all();
    const auto relative = static_cast<uint32_t>(std::max<base::Offset>(0, offset - base_));
    ASSIGN_OR_RETURN(const IndexEntry from,
                     search([&](const SparseIndex& i) { return i.at_offset(relative); }));
    SegmentCut cut{from.position, base_ + from.relative_offset, from.newest_before};
    Scan scan(*file_, from.position, bytes_, Scan::Depth::headers);
    while (true) {
        ASSIGN_OR_RETURN(const bool more, scan.next());
        const auto& header = scan.header();
        if (!more || header.next_offset() > offset) return cut;
        cut = {scan.end(), header.next_offset(), std::max(cut.newest, header.max_timestamp())};
    }
}

base::Status Segment::cut_back(const SegmentCut& cut) {
    make_active();
    const std::string index = path(index_name(base_));
    if (disk_.exists(index)) RETURN_IF_ERROR(disk_.remove(index));
    if (file_->size() > cut.bytes) RETURN_IF_ERROR(file_->truncate(cut.bytes));
    end_ = cut.end;
    bytes_ = cut.bytes;
    newest_ = cut.newest;
    if (bytes_ == 0) first_timestamp_ = -1;
    index_.cut_back(bytes_);
    indexed_from_ = std::min(indexed_from_, bytes_);
    since_entry_ = 0;
    index_saved_ = false;
    return base::ok();
}

SegmentSummary Segment::summary() const {
    return {base_, end_, bytes_, first_timestamp_, newest_, written_at_};
}

base::Result<std::shared_ptr<io::File>> Segment::save_index() {
    RETURN_IF_ERROR(complete_index());
    make_active();
    ASSIGN_OR_RETURN(auto file, index_.save(disk_, path(index_name(base_)), summary()));
    index_saved_ = true;
    return file;
}

base::Status Segment::remove() {
    RETURN_IF_ERROR(disk_.remove(path(segment_name(base_))));
    const std::string index = path(index_name(base_));
    return disk_.exists(index) ? disk_.remove(index) : base::ok();
}

base::Result<std::string> Segment::mark_deleted() {
    const std::string from = path(segment_name(base_));
    const std::string to = from + std::string(deleted_suffix);
    RETURN_IF_ERROR(disk_.rename(from, to));
    const std::string index = path(index_name(base_));
    if (disk_.exists(index)) RETURN_IF_ERROR(disk_.remove(index));
    return to;
}

}  // namespace storage
