#pragma once
#include "base/sim/world.h"
#include "groups/effects.h"

namespace groups::sim {

/// With both of the clocks that groups are told.
class World : public base::sim::World {
  public:
    using base::sim::World::World;
    Now clocks() const { return {now(), 1'700'000'000'000 + now()}; }
};

}  // namespace groups::sim
