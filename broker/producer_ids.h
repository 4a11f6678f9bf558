#pragma once
#include <deque>

#include "base/function.h"
#include "base/ids.h"
#include "controller/producer_ids.h"
#include "kafka/errors.h"

namespace io {
class Shard;
}
namespace controller {
class Service;
}

namespace broker {

/// Hands out producer ids from blocks that the controller gives this broker. An id is given once
/// in the life of a cluster; what is left of a block when the broker stops is never used.
/// Lives on one shard.
class ProducerIds {
  public:
    using Done = base::Function<void(kafka::Outcome<base::ProducerId>)>;

    ProducerIds(io::Shard& home, controller::Service& controller, base::BrokerId self)
        : home_(home), controller_(controller), self_(self) {}

    /// The epoch under which this broker is registered; blocks are given to no older one.
    void set_epoch(int64_t epoch) { epoch_ = epoch; }
    /// `done` runs on `on`. From any shard.
    void next(io::Shard& on, Done done);

  private:
    void serve();

    io::Shard& home_;
    controller::Service& controller_;
    const base::BrokerId self_;
    int64_t epoch_ = -1;
    controller::ProducerIdBlock block_;
    int32_t used_ = 0;
    bool asking_ = false;
    std::deque<std::pair<io::Shard*, Done>> waiting_;
};

}  // namespace broker
