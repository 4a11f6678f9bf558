#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "base/time.h"
#include "io/disk.h"

namespace storage {

/// A point of a segment that a search may begin at: where a batch starts.
struct IndexEntry {
    uint32_t relative_offset = 0;          // its base offset, from the segment's
    uint32_t position = 0;                 // in the segment file
    base::TimestampMs newest_before = -1;  // largest timestamp of all batches before it
};

/// What an index file says of its segment, read without the entries.
struct SegmentSummary {
    base::Offset base = 0;
    base::Offset end = 0;
    uint64_t bytes = 0;
    base::TimestampMs first_timestamp = -1;  // largest timestamp of the first batch
    base::TimestampMs newest = -1;
    base::TimestampMs written_at = -1;  // wall clock of the last append
};

/// Sparse index of one segment, by offset and by time at once: an entry about every
/// index.interval.bytes, each search a binary one for the last entry that still lies before the
/// goal. In memory while the segment grows; in a file beside it afterwards, verified by checksum on
/// first use and then searched in place, so that old segments cost no memory.
class SparseIndex {
  public:
    static constexpr size_t entry_bytes = 16;

    /// Grows in memory.
    void add(const IndexEntry& e) { entries_.push_back(e); }
    size_t size() const { return file_ ? file_entries_ : entries_.size(); }
    bool in_memory() const { return file_ == nullptr; }
    /// Drops entries at or past `position`; only in memory.
    void cut_back(uint64_t position);

    /// The last entry with offset, position, or newest_before (strictly) below the goal; the
    /// segment's beginning if there is none. kDataLoss: the file is not what save() wrote.
    base::Result<IndexEntry> at_offset(uint32_t relative) const;
    base::Result<IndexEntry> at_position(uint64_t position) const;
    base::Result<IndexEntry> before_timestamp(base::TimestampMs) const;

    /// Writes file `path`, not synced. The index itself stays in memory.
    base::Result<std::shared_ptr<io::File>> save(io::Disk&, const std::string& path,
                                                 const SegmentSummary&) const;
    /// Reads head and checksum of the head of an index file; the entries on first use.
    /// kNotFound, kDataLoss.
    static base::Result<SegmentSummary> load(io::Disk&, const std::string& path, SparseIndex& out);
    /// Brings the entries of a file into memory, so that the index can grow.
    base::Status unload_file();

  private:
    template <class Before>
    base::Result<IndexEntry> last(Before before) const;
    base::Result<IndexEntry> entry(size_t i) const;
    base::Status verify() const;

    std::vector<IndexEntry> entries_;
    std::shared_ptr<io::File> file_;  // set: the entries are there, not in entries_
    size_t file_entries_ = 0;
    uint32_t entries_crc_ = 0;
    mutable bool verified_ = false;
};

}  // namespace storage
