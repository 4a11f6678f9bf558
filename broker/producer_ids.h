#pragma once
#include <deque>
#include <utility>

#include "base/function.h"
#include "base/ids.h"
#include "controller/producer_ids.h"
#include "kafka/errors.h"

namespace io {
class Shard;
}

namespace broker {

class ControllerLink;

/// Hands out producer ids from blocks that the controller gives this broker. An id is given once
/// in the life of a cluster; what is left of a block when the broker stops is never used.
/// Lives on one shard.
class ProducerIds {
  public:
    using Done = base::Function<void(kafka::Outcome<base::ProducerId>)>;

    /// `epoch`: under which this broker is registered now, asked on the home shard; blocks are
    /// given to no older one.
    ProducerIds(io::Shard& home, ControllerLink& controller, base::BrokerId self,
                base::Function<int64_t()> epoch)
        : home_(home), controller_(controller), self_(self), epoch_(std::move(epoch)) {}

    /// `done` runs on `on`. From any shard.
    void next(io::Shard& on, Done done);

  private:
    void serve();

    io::Shard& home_;
    ControllerLink& controller_;
    const base::BrokerId self_;
    base::Function<int64_t()> epoch_;
    controller::ProducerIdBlock block_;
    int32_t used_ = 0;
    bool asking_ = false;
    std::deque<std::pair<io::Shard*, Done>> waiting_;
};

}  // namespace broker
