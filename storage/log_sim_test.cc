// A log under random schedules of appends, syncs, rolls, truncations, retention, faults and
// crashes. Replay: `log_sim --seeds 4711..4711`.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <string>

#include "base/sim/seed_tests.h"
#include "storage/log_sim.h"

namespace storage {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t seeds_by_default = 1000;
#else
constexpr uint64_t seeds_by_default = 5000;
#endif

class LogSimTest : public testing::Test {
  protected:
    void SetUp() override {
        // Every recovery tells what it cut: of use for one seed only.
        const auto seeds = base::sim::seeds_or(seeds_by_default);
        if (seeds.size() > 1 || seeds[0].first != seeds[0].last)
            spdlog::set_level(spdlog::level::off);
    }
};

TEST_F(LogSimTest, EveryCrashImageHoldsWhatWasAcknowledged) {
    base::sim::expect_each(base::sim::seeds_or(seeds_by_default),
                           [](uint64_t seed) { return LogSim(seed, Mutant::none).run(); });
}

/// How many seeds it takes until the harness's own fault is found; 0: never.
uint64_t seeds_to_catch(Mutant mutant) {
    constexpr uint64_t most = 400;
    for (uint64_t seed = 1; seed <= most; ++seed) {
        const std::string failure = LogSim(seed, mutant).run();
        if (failure.empty()) continue;
        std::printf("seed %lu: %s\n", seed, failure.substr(0, failure.find('\n')).c_str());
        return seed;
    }
    return 0;
}

TEST_F(LogSimTest, FindsADiskThatForgetsItsDirectories) {
    EXPECT_GT(seeds_to_catch(Mutant::no_directory_sync), 0u);
}

TEST_F(LogSimTest, FindsASyncThatNeverRan) {
    EXPECT_GT(seeds_to_catch(Mutant::synced_before_run), 0u);
}

TEST_F(LogSimTest, FindsACheckpointAheadOfTheDisk) {
    EXPECT_GT(seeds_to_catch(Mutant::checkpoint_ahead), 0u);
}

}  // namespace
}  // namespace storage
