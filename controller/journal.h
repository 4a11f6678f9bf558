#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "controller/entry.h"
#include "metadata/image.h"
#include "storage/store/store.h"

namespace controller {

/// The metadata log on disk: entries after a snapshot of the image, in a Store.
///
/// Rows (integers are big-endian, so that rows lie in the order of indexes):
///   "m/entry/" index 8 bytes  → crc32c 4, term 8, a serialized moldau.metadata.v1.Entry
///   "m/term"                  → crc32c 4, the newest term begun 8
///   "m/snapshot"              → crc32c 4, index 8, term 8, chunks 4, metadata version 4
///   "m/chunk/" number 4 bytes → crc32c 4, a serialized moldau.metadata.v1.Entry: records of the
///   image
/// The crc covers the key and all after it. A snapshot, its position and the removal of the entries
/// that it replaces are one batch, together with the newest entries: whatever a crash leaves, the
/// snapshot plus the entries that follow it is the state at the last entry, and nothing else.
///
/// Entries of a term that was superseded can be cut off again (truncate_after), as Raft needs it.
/// Blocks; used by one thread at a time. After an error nothing may be written through it any more.
class Journal {
  public:
    /// A snapshot is taken when the entries since the last one are larger than it, and than this.
    static constexpr size_t kLeastBytesForSnapshot = 1 << 20;

    explicit Journal(storage::Store& store,
                     size_t least_bytes_for_snapshot = kLeastBytesForSnapshot)
        : store_(store), least_bytes_for_snapshot_(least_bytes_for_snapshot) {}

    /// Reads what is there: the image at the last entry. kDataLoss if a checksum is wrong, an entry
    /// is missing or does not fit.
    base::Result<metadata::ImagePtr> open();
    /// Begins a term higher than any before, durably, and with it makes all that open() read
    /// durable: a process that was killed may have left entries that no sync has covered. Before
    /// anything is answered from what was read.
    base::Result<int64_t> begin_term();

    /// Makes the entries durable; they follow last() without a gap. `after` is the image once they
    /// are replayed: a snapshot of it goes along when one is due.
    base::Status append(std::span<const Entry>, const metadata::Image& after);
    /// Removes the entries after `index`, durably. Those of the snapshot can't be removed.
    base::Status truncate_after(int64_t index);
    /// Entries from `from` on, until `most_bytes` are reached (at least one, if there is one).
    /// kNotFound if `from` is before first(): only the snapshot has it.
    base::Result<std::vector<Entry>> read(int64_t from, size_t most_bytes) const;

    /// The oldest index kept as an entry; last().index + 1 if there is none.
    int64_t first() const { return snapshot_.index + 1; }
    const metadata::LogPosition& last() const { return last_; }
    const metadata::LogPosition& snapshot() const { return snapshot_; }

  private:
    base::Result<metadata::ImagePtr> open_snapshot();
    void add_snapshot(storage::WriteBatch&, const metadata::Image&, int64_t first_new);

    storage::Store& store_;
    const size_t least_bytes_for_snapshot_;
    metadata::LogPosition snapshot_;
    metadata::LogPosition last_;
    uint32_t chunks_ = 0;        // of the snapshot
    size_t snapshot_bytes_ = 0;  // of its chunks
    size_t bytes_since_snapshot_ = 0;
};

}  // namespace controller
