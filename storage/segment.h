#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/status.h"
#include "base/time.h"
#include "io/disk.h"
#include "kafka/records/batch.h"
#include "storage/index.h"
#include "storage/scan.h"

namespace storage {

/// File names of a segment: its base offset in 20 digits.
std::string segment_name(base::Offset);  // "00000000000000000042.log"
std::string index_name(base::Offset);    // "00000000000000000042.index"
inline constexpr std::string_view segment_suffix = ".log";
inline constexpr std::string_view index_suffix = ".index";
inline constexpr std::string_view deleted_suffix = ".deleted";
inline constexpr std::string_view copy_suffix = ".copy";  // what is to replace a damaged segment
/// The base offset in a segment's file name; nothing for any other name.
std::optional<base::Offset> parse_segment_name(std::string_view name);

/// The directory that a path lies in.
std::string parent_of(const std::string& path);

/// Where a batch stands in a segment.
struct BatchPlace {
    uint64_t position = 0;
    uint32_t size = 0;
    base::Offset first = 0;
    base::Offset next = 0;
};

/// A prefix of a segment.
struct SegmentCut {
    uint64_t bytes = 0;
    base::Offset end = 0;           // the offset after its last record
    base::TimestampMs newest = -1;  // its largest timestamp
};

/// One file of record batches and its index. Knows offsets and timestamps of what it holds; the
/// contents are a Log's to decide on.
class Segment {
  public:
    /// One without a file, and so without records, until make_file().
    static std::unique_ptr<Segment> planned(io::Disk&, const std::string& directory,
                                            base::Offset base, base::TimestampMs now);
    /// A new file; kAlreadyExists if one is there. An index file left behind is removed.
    base::Status make_file();
    /// Both of these.
    static base::Result<std::unique_ptr<Segment>> create(io::Disk&, const std::string& directory,
                                                         base::Offset base, base::TimestampMs now);
    /// An existing file, about which only base and bytes() are known until load_summary(),
    /// resume_at() or take_in_rest() has told more.
    static base::Result<std::unique_ptr<Segment>> open(io::Disk&, const std::string& directory,
                                                       base::Offset base, base::TimestampMs now);

    /// One that is to take the place of a damaged segment: its file, empty, has a name of its own
    /// until take_place().
    static base::Result<std::unique_ptr<Segment>> copy_of(io::Disk&, const std::string& directory,
                                                          base::Offset base,
                                                          base::TimestampMs written_at);
    /// Renames the file over that of the damaged one. Durable after a sync of the directory.
    base::Status take_place();
    /// Removes the file of a copy that did not come to be.
    void discard_copy();
    /// What is in the file is not what was written: an open() that does not find its index will
    /// read it, and find out again. `end`: where it must end.
    base::Status mark_damaged(base::Offset end);
    bool damaged() const { return damaged_; }

    /// Takes everything from the index file; false if that is missing, damaged or of another state
    /// of the segment. `end`: where the segment must end.
    base::Result<bool> load_summary(base::Offset end);
    /// Believes that the file up to `cut` is good, without reading it. The part before is indexed
    /// when a search first needs it.
    base::Status resume_at(const SegmentCut& cut);
    /// Reads every batch from where the known contents end and takes in those that are whole and
    /// follow on. Stops at the first that does not, with kDataLoss; what came before it stays
    /// known. `last_epoch` is raised as batches pass; one with a lower epoch does not follow on.
    base::Status take_in_rest(base::LeaderEpoch& last_epoch);
    /// Bytes between two entries of the index, from now on.
    void set_index_interval(uint32_t bytes) { interval_ = bytes; }
    /// Brings the index into memory: batches will be appended.
    void make_active();

    base::Offset base() const { return base_; }
    base::Offset end() const { return end_; }
    /// Of the batches known to be good; file()->size() may be more before recovery.
    uint64_t bytes() const { return bytes_; }
    base::TimestampMs first_timestamp() const { return first_timestamp_; }
    base::TimestampMs newest() const { return newest_; }
    base::TimestampMs created_at() const { return created_at_; }
    /// Its largest timestamp, or when it was written if its records have none.
    base::TimestampMs age_mark() const { return newest_ >= 0 ? newest_ : written_at_; }
    SegmentCut all() const { return {bytes_, end_, newest_}; }
    /// Null while it is only planned.
    const std::shared_ptr<io::File>& file() const { return file_; }
    bool has_file() const { return file_ != nullptr; }
    size_t index_bytes() const { return index_.size() * SparseIndex::entry_bytes; }

    /// Appends whole, numbered batches to the file. After an error the file is as long as bytes()
    /// says, unless truncating it back failed too: then kUnavailable.
    base::Status append(base::View batches);
    /// Notes the next batch of what append() wrote.
    void note(const kafka::BatchView& header, uint64_t size, base::TimestampMs now);

    /// The batch that holds `offset`, which lies in [base, end).
    base::Result<BatchPlace> find(base::Offset offset) const;
    /// The longest run of whole batches from `position` on, of at most `most` bytes, with no record
    /// at or past `limit`; with `at_least_one` the first comes whatever its size.
    base::Result<SegmentCut> run(uint64_t position, base::Offset limit, uint64_t most,
                                 bool at_least_one) const;
    /// From where to look for the first record with a timestamp at or past `goal`.
    base::Result<uint64_t> search_from(base::TimestampMs goal) const;
    /// The batches before the one that holds `offset`, or all.
    base::Result<SegmentCut> prefix(base::Offset offset) const;

    /// Cuts the file back to a prefix, and removes the index file, which speaks of more.
    base::Status cut_back(const SegmentCut&);
    /// Writes the index file, not synced.
    base::Result<std::shared_ptr<io::File>> save_index();
    /// Whether the index file speaks of all that is here.
    bool index_saved() const { return index_saved_; }
    /// Removes both files, or renames the segment's for removal later.
    base::Status remove();
    base::Result<std::string> mark_deleted();

  private:
    Segment(io::Disk&, std::string directory, base::Offset base, base::TimestampMs now);
    std::string path(const std::string& name) const { return directory_ + "/" + name; }
    SegmentSummary summary() const;
    /// Makes the index cover the whole segment, from the segment if the file is of no use.
    base::Status complete_index() const;
    base::Status rebuild_index() const;
    template <class Search>
    base::Result<IndexEntry> search(Search) const;

    io::Disk& disk_;
    std::string directory_;
    base::Offset base_;
    base::Offset end_;
    std::shared_ptr<io::File> file_;
    uint64_t bytes_ = 0;
    base::TimestampMs first_timestamp_ = -1;
    base::TimestampMs newest_ = -1;
    base::TimestampMs written_at_;
    base::TimestampMs created_at_;
    // The index is a cache of what the file says: searches may complete or rebuild it.
    mutable SparseIndex index_;
    mutable uint64_t indexed_from_ = 0;  // entries below are missing
    mutable uint64_t since_entry_ = 0;   // bytes since the last entry
    uint32_t interval_ = 4096;
    bool index_saved_ = false;
    bool damaged_ = false;
};

}  // namespace storage
