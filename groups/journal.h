#pragma once
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/function.h"
#include "base/ids.h"
#include "kafka/errors.h"
#include "storage/log.h"

namespace io {
class Shard;
}
namespace replication {
class Partition;
}

namespace groups {

/// The log of one replica of a partition of __consumer_offsets, as its coordinator uses it. Lives
/// on the partition's shard; all calls and completions run there, completions perhaps inside the
/// call.
class Journal {
  public:
    using AppendDone = base::Function<void(kafka::Outcome<storage::Appended>)>;

    virtual ~Journal() = default;
    /// Appends one batch with acks=all and no deadline of its own: `done` runs when it is durable,
    /// or when that can't be waited for any more. `batch` is used only during the call.
    virtual void append(base::MutableView batch, AppendDone done) = 0;
    /// Whole batches from `from`, below the high watermark; at least one if there is one. `epoch`:
    /// of the batch before them, as it was read; -1: none was. 1 if there is nothing at `from`, or
    /// the log has parted from what was read; 6 from a replica that neither leads nor follows.
    virtual kafka::Outcome<storage::LogRead> read(base::Offset from, base::LeaderEpoch epoch,
                                                  uint32_t max_bytes) const = 0;
    /// Calls `wake` once when something at or past `offset` may be read, or when the role or health
    /// changes, or when a replica that neither led nor followed does; at once (and returns 0) if
    /// something may be read already, or never again.
    virtual uint64_t watch(base::Offset offset, base::Function<void()> wake) = 0;
    virtual void unwatch(uint64_t key) = 0;

    /// And not cut off from those who say so: another may lead already, and have its own members.
    virtual bool leading() const = 0;
    /// Of the newest leader that the replica knows; -1: none.
    virtual base::LeaderEpoch epoch() const = 0;
    virtual base::Offset start() const = 0;
    virtual base::Offset end() const = 0;
    /// Never goes back, but where an unclean election has cut the log.
    virtual base::Offset high_watermark() const = 0;
    virtual io::Shard& shard() = 0;
};

/// Of a partition on this broker, which must outlive it.
std::unique_ptr<Journal> journal_of(replication::Partition&);

}  // namespace groups
