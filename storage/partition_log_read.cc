#include <algorithm>

#include "base/check.h"
#include "kafka/records/compression.h"
#include "kafka/records/records.h"
#include "storage/partition_log.h"

namespace storage {

namespace {

/// More than the largest batch that is ever accepted could unpack to in earnest.
constexpr size_t most_unpacked_bytes = size_t{1} << 30;

/// Calls `see` for each record of the batch until it returns false.
template <class See>
base::Status each_record(const Segment& segment, const Scan& at, See see) {
    ASSIGN_OR_RETURN(const base::Bytes bytes,
                     read_batch(*segment.file(), at.position(), at.size()));
    const kafka::BatchView batch(bytes);
    const auto where = [&] {
        return segment.file()->path() + " at byte " + std::to_string(at.position()) + ": ";
    };
    const auto codec = batch.codec();
    if (!codec) return base::data_loss(where() + "unknown codec");
    kafka::Decompressed unpacked;
    base::View records = batch.records();
    if (batch.compressed()) {
        auto done = kafka::decompress(*codec, records, most_unpacked_bytes);
        if (!done.ok()) return base::data_loss(where() + base::message(done.status()));
        unpacked = *std::move(done);
        records = unpacked.bytes();
    }
    kafka::RecordReader reader(batch, records);
    while (reader.next()) {
        if (!see(reader.record())) return base::ok();
    }
    return reader.ok() ? base::ok() : base::data_loss(where() + std::string(reader.error()));
}

}  // namespace

size_t PartitionLog::segment_of(base::Offset offset) const {
    const auto above =
        std::upper_bound(segments_.begin(), segments_.end(), offset,
                         [](base::Offset o, const auto& s) { return o < s->base(); });
    CHECK(above != segments_.begin()) << " offset " << offset;
    return static_cast<size_t>(above - segments_.begin()) - 1;
}

base::Result<LogRead> PartitionLog::read(base::Offset from, base::Offset limit, uint32_t max_bytes,
                                         bool at_least_one) const {
    CHECK(from >= start_ && from <= end()) << " offset " << from;
    LogRead out;
    out.next = from;
    limit = std::min(limit, end());
    if (from >= limit) return out;
    size_t i = segment_of(from);
    if (segments_[i]->damaged())
        return base::data_loss(segments_[i]->file()->path() + " is known to be damaged");
    ASSIGN_OR_RETURN(const BatchPlace first, segments_[i]->find(from));
    uint64_t position = first.position;
    for (; i < segments_.size() && segments_[i]->base() < limit; ++i, position = 0) {
        const Segment& s = *segments_[i];
        if (s.damaged()) break;
        const bool whatever_size = at_least_one && out.slices.empty();
        ASSIGN_OR_RETURN(const SegmentCut cut,
                         s.run(position, limit, max_bytes - out.bytes, whatever_size));
        if (cut.bytes == position) break;
        const auto size = static_cast<uint32_t>(cut.bytes - position);
        out.slices.push_back({s.file(), position, size});
        out.bytes += size;
        out.next = cut.end;
        if (cut.bytes < s.bytes() || out.bytes >= max_bytes) break;
    }
    return out;
}

base::Result<std::optional<TimestampOffset>> PartitionLog::find_timestamp(
    base::TimestampMs target, base::Offset limit) const {
    limit = std::min(limit, end());
    for (const auto& s : segments_) {
        if (s->base() >= limit) break;
        if (s->newest() < target || s->end() <= start_) continue;
        ASSIGN_OR_RETURN(const auto found, find_in(*s, target, limit));
        if (found) return found;
    }
    return std::optional<TimestampOffset>();
}

base::Result<std::optional<TimestampOffset>> PartitionLog::find_in(const Segment& segment,
                                                                   base::TimestampMs target,
                                                                   base::Offset limit) const {
    std::optional<TimestampOffset> found;
    ASSIGN_OR_RETURN(const uint64_t from, segment.search_from(target));
    Scan scan(*segment.file(), from, segment.bytes(), Scan::Depth::headers);
    while (!found) {
        ASSIGN_OR_RETURN(const bool more, scan.next());
        const auto& header = scan.header();
        if (!more || header.base_offset() >= limit) break;
        if (header.max_timestamp() < target || header.next_offset() <= start_) continue;
        RETURN_IF_ERROR(each_record(segment, scan, [&](const kafka::Record& record) {
            if (record.offset >= limit) return false;
            if (record.offset < start_ || record.timestamp < target) return true;
            found = TimestampOffset{record.timestamp, record.offset, header.leader_epoch()};
            return false;
        }));
    }
    return found;
}

base::Result<std::optional<TimestampOffset>> PartitionLog::max_timestamp(base::Offset limit) const {
    limit = std::min(limit, end());
    base::TimestampMs newest = -1;
    for (const auto& s : segments_) {
        if (s->base() >= limit) break;
        if (s->newest() <= newest || s->end() <= start_) continue;
        ASSIGN_OR_RETURN(const base::TimestampMs here, newest_in(*s, limit));
        newest = std::max(newest, here);
    }
    if (newest < 0) return std::optional<TimestampOffset>();
    return find_timestamp(newest, limit);
}

/// The largest timestamp of the records in [start, limit) of a segment.
base::Result<base::TimestampMs> PartitionLog::newest_in(const Segment& segment,
                                                        base::Offset limit) const {
    if (segment.base() >= start_ && segment.end() <= limit) return segment.newest();
    return newest_in_part(segment, limit);
}

base::Result<base::TimestampMs> PartitionLog::newest_in_part(const Segment& segment,
                                                             base::Offset limit) const {
    SegmentCut before{0, segment.base(), -1};
    if (segment.base() >= start_) {
        ASSIGN_OR_RETURN(before, segment.prefix(limit));
    } else {
        ASSIGN_OR_RETURN(before, segment.prefix(start_));
        before.newest = -1;
    }
    base::TimestampMs newest = before.newest;
    Scan scan(*segment.file(), before.bytes, segment.bytes(), Scan::Depth::headers);
    while (true) {
        ASSIGN_OR_RETURN(const bool more, scan.next());
        const auto& header = scan.header();
        if (!more || header.base_offset() >= limit) return newest;
        if (header.max_timestamp() <= newest) continue;
        if (header.base_offset() >= start_ && header.next_offset() <= limit) {
            newest = header.max_timestamp();
            continue;
        }
        RETURN_IF_ERROR(each_record(segment, scan, [&](const kafka::Record& record) {
            if (record.offset >= limit) return false;
            if (record.offset >= start_) newest = std::max(newest, record.timestamp);
            return true;
        }));
    }
}

}  // namespace storage
