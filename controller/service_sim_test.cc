// The controller's service under power losses and failing writes, by seed.
// Replay: `controller_sim --seeds 4711..4711`.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "controller/service_sim.h"

namespace controller {

uint64_t first_seed = 1;
uint64_t last_seed = 1500;

namespace {

TEST(ServiceSim, EveryCrashLeavesWhatWasAcknowledged) {
    int failed = 0;
    for (uint64_t seed = first_seed; seed <= last_seed && failed < 5; ++seed) {
        const std::string failure = ServiceSim(seed, ServiceSim::Mutant::none).run();
        if (failure.empty()) continue;
        ++failed;
        ADD_FAILURE() << "seed " << seed << ": " << failure;
    }
}

TEST(ServiceSim, CatchesAStoreThatForgets) {
    int caught = 0;
    for (uint64_t seed = 1; seed <= 20; ++seed)
        caught += ServiceSim(seed, ServiceSim::Mutant::forgets_writes).run().empty() ? 0 : 1;
    EXPECT_GE(caught, 10);
}

}  // namespace
}  // namespace controller

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    for (int i = 1; i + 1 < argc; ++i) {
        if (std::string(argv[i]) != "--seeds") continue;
        if (std::sscanf(argv[i + 1], "%lu..%lu", &controller::first_seed, &controller::last_seed) !=
            2) {
            std::fprintf(stderr, "--seeds FIRST..LAST\n");
            return 2;
        }
    }
    return RUN_ALL_TESTS();
}
