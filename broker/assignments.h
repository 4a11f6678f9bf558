#pragma once
#include <vector>

#include "base/ids.h"
#include "metadata/config.h"
#include "metadata/delta.h"
#include "metadata/image.h"
#include "replication/replica/types.h"

namespace broker {

/// Whether the partition has a replica on that broker. While a reassignment goes on, the replicas
/// are those from before as well.
bool has_replica(const metadata::Partition&, base::BrokerId);

/// What an image says of a partition to the replica on broker `self`: its row, the ISR that it
/// needs, and who its brokers are. `configs` are of the same image, as replicas ask.
replica::Assignment assignment(const metadata::Image&, const metadata::ConfigView& configs,
                               const metadata::Topic&, const metadata::Partition&,
                               base::BrokerId self);

/// Whether a change of the metadata may have changed the assignments of partitions other than those
/// whose row it changed.
class Concerns {
  public:
    Concerns(const metadata::Image&, const metadata::Delta&, base::BrokerId self);

    bool any() const { return all_ || brokers_ || configs_; }
    bool concerns(const base::TopicPartition&, const metadata::Partition&) const;

  private:
    const metadata::Delta& delta_;
    bool all_ = false;
    bool brokers_ = false;  // some were registered, changed or unregistered
    bool configs_ = false;  // of topics
};

}  // namespace broker
