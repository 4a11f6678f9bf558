#include "base/sim/seed_tests.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace base::sim {

namespace {

std::vector<Seeds> own_seeds;

}  // namespace

bool seeds_asked() { return !own_seeds.empty(); }

std::vector<Seeds> seeds_or(uint64_t usual) {
    return seeds_asked() ? own_seeds : std::vector<Seeds>{{1, usual}};
}

void expect_each(const std::vector<Seeds>& ranges, Function<std::string(uint64_t)> run) {
    int failed = 0;
    for (const auto& seeds : ranges) {
        for (uint64_t seed = seeds.first; seed <= seeds.last && failed < 5; ++seed) {
            const std::string failure = run(seed);
            if (failure.empty()) continue;
            ++failed;
            ADD_FAILURE() << "seed " << seed << ": " << failure;
        }
    }
}

}  // namespace base::sim

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    const auto asked = base::sim::asked_for(argc, argv);
    if (!asked || asked->trace) {
        std::fprintf(stderr, "usage: %s [--seeds A..B | --fresh N]...\n", argv[0]);
        return 2;
    }
    base::sim::own_seeds = asked->seeds;
    return RUN_ALL_TESTS();
}
