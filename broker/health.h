#pragma once
#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "broker/stalls.h"
#include "io/shard.h"

namespace replication {
class Partitions;
}

namespace broker {

/// Whether this broker can do a leader's work: its disks take what is synced, and its event loops
/// turn. If not, others had better lead in its place. Lives on the home shard; what it asks the
/// other shards may outlive it.
class Health {
  public:
    Health(io::Shards&, const replication::Partitions&, std::chrono::milliseconds stall_timeout,
           std::chrono::milliseconds heartbeat);

    /// With every heartbeat. A log directory that was fenced by a failed sync is so until the next
    /// start: unfit for good is who has no other.
    bool fit();

  private:
    struct Turn {
        std::atomic<base::InstantMs> asked{0};  // 0: it has turned since
    };

    bool can_write() const;
    std::optional<base::InstantMs> oldest_sync() const;
    std::optional<base::InstantMs> oldest_turn(base::InstantMs now);

    io::Shards& shards_;
    const replication::Partitions& partitions_;
    std::vector<std::shared_ptr<Turn>> turns_;  // by shard
    Stalls disks_, loops_;
    bool fit_ = true;
};

}  // namespace broker
