// The controller's service under power losses and failing writes, by seed.
// Replay: `controller_sim --seeds 4711..4711`.
#include <gtest/gtest.h>

#include "base/sim/seed_tests.h"
#include "controller/service_sim.h"

namespace controller {
namespace {

TEST(ServiceSim, EveryCrashLeavesWhatWasAcknowledged) {
    base::sim::expect_each(base::sim::seeds_or(1500), [](uint64_t seed) {
        return ServiceSim(seed, ServiceSim::Mutant::none).run();
    });
}

TEST(ServiceSim, CatchesAStoreThatForgets) {
    int caught = 0;
    for (uint64_t seed = 1; seed <= 20; ++seed)
        caught += ServiceSim(seed, ServiceSim::Mutant::forgets_writes).run().empty() ? 0 : 1;
    EXPECT_GE(caught, 10);
}

}  // namespace
}  // namespace controller
