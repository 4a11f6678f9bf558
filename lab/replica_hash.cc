#include "lab/replica_hash.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/crc32c.h"
#include "storage/scan.h"
#include "storage/segment.h"

namespace lab {
namespace {

/// Hashes batches one after the other, and tells of a block once the next one begins.
class Blocks {
  public:
    Blocks(base::Offset size, base::Function<void(base::Offset, uint64_t)> tell)
        : size_(size), tell_(std::move(tell)) {}

    void add(base::Offset first, base::View batch) {
        const base::Offset begin = first / size_ * size_;
        if (begin != begin_) end();
        begin_ = begin;
        crc_ = base::crc32c_extend(crc_, batch);
        bytes_ += batch.size();
    }
    void end() {
        constexpr unsigned half = 32;
        if (bytes_ > 0) tell_(begin_, uint64_t{crc_} << half | (bytes_ & UINT32_MAX));
        crc_ = 0;
        bytes_ = 0;
    }

  private:
    base::Offset size_;
    base::Function<void(base::Offset, uint64_t)> tell_;
    base::Offset begin_ = 0;
    uint32_t crc_ = 0;
    uint64_t bytes_ = 0;
};

base::Status add_segment(const io::File& file, ReplicaSummary& summary, Blocks& blocks) {
    storage::Scan scan(file, 0, file.size(), storage::Scan::Depth::headers);
    while (true) {
        ASSIGN_OR_RETURN(const bool more, scan.next());
        if (!more) return base::ok();
        if (scan.header().base_offset() < summary.end)
            return base::data_loss(file.path() + ": offset " +
                                   std::to_string(scan.header().base_offset()) + " after " +
                                   std::to_string(summary.end));
        ASSIGN_OR_RETURN(const base::Bytes batch,
                         storage::read_batch(file, scan.position(), scan.size()));
        blocks.add(scan.header().base_offset(), batch);
        summary.end = scan.header().next_offset();
        ++summary.batches;
    }
}

}  // namespace

base::Result<ReplicaSummary> hash_replica(io::Disk& disk, const std::string& directory,
                                          base::Offset block_offsets,
                                          base::Function<void(base::Offset, uint64_t)> block) {
    ASSIGN_OR_RETURN(const auto names, disk.list(directory));
    std::vector<base::Offset> bases;
    for (const std::string& name : names)
        if (const auto base = storage::parse_segment_name(name)) bases.push_back(*base);
    std::ranges::sort(bases);
    ReplicaSummary out;
    if (!bases.empty()) out.start = bases.front();
    Blocks blocks(block_offsets, std::move(block));
    for (const base::Offset base : bases) {
        const std::string path = directory + "/" + storage::segment_name(base);
        if (out.batches > 0 && base != out.end)
            return base::data_loss(path + ": the segment before it ends at " +
                                   std::to_string(out.end));
        out.end = std::max(out.end, base);
        ASSIGN_OR_RETURN(const auto file, disk.open(path, io::Open::read_only));
        RETURN_IF_ERROR(add_segment(*file, out, blocks));
    }
    blocks.end();
    return out;
}

}  // namespace lab
