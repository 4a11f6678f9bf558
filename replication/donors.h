#pragma once
#include <cstdint>

#include "base/bytes.h"
#include "base/function.h"
#include "base/ids.h"
#include "base/status.h"
#include "io/shard.h"

namespace replication {

/// How records that are damaged here are had from other replicas.
class Donors {
  public:
    virtual ~Donors() = default;

    using Done = base::Function<void(base::Result<base::Bytes>)>;
    /// Asks `from` for whole batches from `offset` on, of about `max_bytes` or one that is larger,
    /// committed or not, whether it leads or follows. `done` runs on `on`.
    /// Nothing that comes is to be believed without a look.
    virtual void fetch(io::Shard& on, const base::TopicPartition&, base::BrokerId from,
                       base::Offset offset, uint32_t max_bytes, Done done) = 0;
};

}  // namespace replication
