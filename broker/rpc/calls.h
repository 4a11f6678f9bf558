#pragma once
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/function.h"
#include "base/status.h"
#include "broker/rpc/gate.h"
#include "broker/rpc/operation.h"

namespace broker::rpc {

/// A call in work on a shard, to be told when the broker stops.
class Work {
  public:
    virtual ~Work() = default;
    /// Ends it with that status. On the shard.
    virtual void end(const base::Status&) = 0;
};

/// The calls of one shard; on it.
struct Calls {
    explicit Calls(Host h) : host(h) {}

    Host host;
    std::set<Work*> works;
    bool closed = false;  // nothing is begun any more
};

/// The right to be in the gate.
class Pass {
  public:
    explicit Pass(Gate& gate) : gate_(&gate) {}
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    ~Pass() {
        if (gate_ != nullptr) gate_->leave();
    }

  private:
    Gate* gate_;
};

}  // namespace broker::rpc
