// The controller's decisions under random commands of many brokers, by seed.
// Replay: `controller_decisions_sim --seeds 4711..4711`. Besides the fixed seeds it runs fresh
// ones.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "base/sim/seed_tests.h"
#include "controller/decisions_sim.h"

namespace controller {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kSeeds = 100;
#else
constexpr uint64_t kSeeds = 1000;
#endif

using Fault = DecisionsSim::Fault;

DecisionsSim::Totals run(const std::vector<base::sim::Seeds>& seeds) {
    DecisionsSim::Totals all;
    base::sim::expect_each(seeds, [&](uint64_t seed) {
        DecisionsSim sim(seed, Fault::none);
        const std::string failure = sim.run();
        all.decisions += sim.totals().decisions;
        all.elections += sim.totals().elections;
        all.unclean += sim.totals().unclean;
        all.acknowledged += sim.totals().acknowledged;
        return failure;
    });
    std::printf("%lu decisions, %lu elections, %lu of them unclean; %lu values acknowledged\n",
                all.decisions, all.elections, all.unclean, all.acknowledged);
    return all;
}

TEST(DecisionsSim, HoldsWhatItPromises) {
    const auto all = run(base::sim::seeds_or(kSeeds));
    if (base::sim::seeds_asked()) return;
    EXPECT_GT(all.elections, all.decisions / 100) << "nothing happens";
    EXPECT_GT(all.unclean, 0u);
    EXPECT_GT(all.acknowledged, all.decisions / 100);
}

TEST(DecisionsSim, SeedsThatTaught) {
    // The only replica leads with a new disk too, even if a move adds others later.
    EXPECT_EQ(DecisionsSim(2892, Fault::none).run(), "");
    // An ELR is decided by the minimum before a third broker registers, which raises its default.
    EXPECT_EQ(DecisionsSim(2124, Fault::none).run(), "");
}

TEST(DecisionsSim, HoldsItForFreshSeeds) {
    if (!base::sim::seeds_asked()) run({base::sim::fresh_seeds(kSeeds / 5)});
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
