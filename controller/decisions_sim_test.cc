// The controller's decisions under random commands of many brokers, by seed.
// Replay: `controller_decisions_sim --seeds 4711..4711`. Besides the fixed seeds it runs fresh
// ones.
#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <string>

#include "controller/decisions_sim.h"

namespace controller {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kSeeds = 100;
#else
constexpr uint64_t kSeeds = 1000;
#endif

uint64_t first_seed = 1;
uint64_t last_seed = kSeeds;
bool fresh = true;

using Fault = DecisionsSim::Fault;

DecisionsSim::Totals run(uint64_t first, uint64_t last) {
    DecisionsSim::Totals all;
    int failed = 0;
    for (uint64_t seed = first; seed <= last && failed < 5; ++seed) {
        DecisionsSim sim(seed, Fault::none);
        const std::string failure = sim.run();
        all.decisions += sim.totals().decisions;
        all.elections += sim.totals().elections;
        all.unclean += sim.totals().unclean;
        all.acknowledged += sim.totals().acknowledged;
        if (failure.empty()) continue;
        ++failed;
        ADD_FAILURE() << "seed " << seed << ": " << failure;
    }
    std::printf("%lu decisions, %lu elections, %lu of them unclean; %lu values acknowledged\n",
                all.decisions, all.elections, all.unclean, all.acknowledged);
    return all;
}

TEST(DecisionsSim, HoldsWhatItPromises) {
    const auto all = run(first_seed, last_seed);
    if (last_seed - first_seed < 100) return;
    EXPECT_GT(all.elections, all.decisions / 100) << "nothing happens";
    EXPECT_GT(all.unclean, 0u);
    EXPECT_GT(all.acknowledged, all.decisions / 100);
}

TEST(DecisionsSim, SeedsThatTaught) {
    // An ELR is decided by the minimum before a third broker registers, which raises its default.
    EXPECT_EQ(DecisionsSim(2124, Fault::none).run(), "");
}

TEST(DecisionsSim, HoldsItForFreshSeeds) {
    if (!fresh) return;
    const uint64_t from = uint64_t{std::random_device{}()} << 20;
    std::printf("fresh seeds %lu..%lu\n", from, from + kSeeds / 5 - 1);
    run(from, from + kSeeds / 5 - 1);
}

TEST(DecisionsSim, FindsEveryPlantedFault) {
    for (int fault = 1; fault <= DecisionsSim::kFaults; ++fault) {
        std::string found;
        uint64_t seed = 0;
        while (found.empty() && seed < 200)
            found = DecisionsSim(++seed, static_cast<Fault>(fault)).run();
        EXPECT_FALSE(found.empty()) << "fault " << fault;
        std::printf("fault %d, seed %lu: %s\n", fault, seed, found.c_str());
    }
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
        controller::fresh = false;
    }
    return RUN_ALL_TESTS();
}
