// A log under random schedules of appends, syncs, rolls, truncations, retention, faults and
// crashes. Replay: `log_sim --seeds 4711..4711`.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "storage/log_sim.h"

namespace storage {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t seeds_by_default = 1000;
#else
constexpr uint64_t seeds_by_default = 5000;
#endif

uint64_t first_seed = 1;
uint64_t last_seed = seeds_by_default;

TEST(LogSim, EveryCrashImageHoldsWhatWasAcknowledged) {
    int failed = 0;
    for (uint64_t seed = first_seed; seed <= last_seed && failed < 5; ++seed) {
        const std::string failure = LogSim(seed, Mutant::none).run();
        if (failure.empty()) continue;
        ++failed;
        ADD_FAILURE() << "seed " << seed << ": " << failure;
    }
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

TEST(LogSim, FindsADiskThatForgetsItsDirectories) {
    EXPECT_GT(seeds_to_catch(Mutant::no_directory_sync), 0u);
}

TEST(LogSim, FindsASyncThatNeverRan) { EXPECT_GT(seeds_to_catch(Mutant::synced_before_run), 0u); }

TEST(LogSim, FindsACheckpointAheadOfTheDisk) {
    EXPECT_GT(seeds_to_catch(Mutant::checkpoint_ahead), 0u);
}

}  // namespace
}  // namespace storage

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    for (int i = 1; i + 1 < argc; ++i) {
        if (std::string(argv[i]) != "--seeds") continue;
        if (std::sscanf(argv[i + 1], "%lu..%lu", &storage::first_seed, &storage::last_seed) != 2) {
            std::fprintf(stderr, "--seeds FIRST..LAST\n");
            return 2;
        }
    }
    // Every recovery tells what it cut: of use for one seed only.
    if (storage::first_seed != storage::last_seed) spdlog::set_level(spdlog::level::off);
    // Every recovery tells what it cut: of use for one seed only.
    if (storage::first_seed != storage::last_seed) spdlog::set_level(spdlog::level::off);
    return RUN_ALL_TESTS();
}
