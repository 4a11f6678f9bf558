#pragma once
#include <cstddef>
#include <deque>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "base/status.h"
#include "storage/log.h"

namespace replication::streams {

/// Whole batches of one partition's log, in memory.
struct Chunk {
    base::LeaderEpoch epoch = -1;  // of the leader that read it
    base::Offset from = 0;
    base::Offset next = 0;
    base::Slice bytes;
};

/// Reads what the slices tell into one piece of memory. Blocks while the disk is read. kDataLoss if
/// a file is shorter than that.
base::Result<base::Slice> load(const storage::LogRead&);

/// Whether all are whole batches with the right checksums: kDataLoss.
base::Status verify(base::View batches);

/// Of each partition the chunk that was read last, so that it is read once for all its followers.
/// Bounded: what was kept first goes first.
class Chunks {
  public:
    explicit Chunks(size_t most_bytes) : most_bytes_(most_bytes) {}

    /// The kept chunk from `from` on, if it has a batch that begins there.
    std::optional<Chunk> find(const base::TopicPartition&, base::LeaderEpoch,
                              base::Offset from) const;
    void keep(const base::TopicPartition&, Chunk);
    void drop(const base::TopicPartition&);
    size_t bytes() const { return bytes_; }

  private:
    absl::flat_hash_map<base::TopicPartition, Chunk> last_;
    std::deque<base::TopicPartition> order_;  // what was dropped or replaced may still be in it
    const size_t most_bytes_;
    size_t bytes_ = 0;
};

}  // namespace replication::streams
