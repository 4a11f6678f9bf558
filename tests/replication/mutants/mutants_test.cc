// Each planted fault is noticed, by its seed. To find a seed for a new one:
//     replica_mutants_test --hunt NAME|all A..B
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tests/replication/sim/simulation.h"

namespace replica {

int mutant = 0;  // the one that is on; 0: none

namespace {

struct Mutant {
    std::string name;
    uint64_t seed;
};
const std::vector<Mutant>& mutants() {
    static const std::vector<Mutant> all = {
#define MUTANT(name, seed, script) {name, seed},
#include "mutants.inc"
#undef MUTANT
    };
    return all;
}

/// In a process of its own, as a CHECK that fails is one way to notice. True if it was noticed.
bool noticed(int number, uint64_t seed, bool tell) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        if (!tell && !std::freopen("/dev/null", "w", stderr)) _exit(3);
        mutant = number;
        const auto what = sim::Simulation(seed, false).run();
        if (what && tell) std::printf("    %s\n", what->c_str());
        std::fflush(stdout);
        _exit(what ? 1 : 0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

class ReplicaMutants : public testing::TestWithParam<size_t> {};

TEST_P(ReplicaMutants, IsNoticed) {
    const auto& m = mutants()[GetParam()];
    EXPECT_TRUE(noticed(static_cast<int>(GetParam()) + 1, m.seed, false)) << m.name;
    // What notices it finds nothing without it.
    EXPECT_EQ(sim::Simulation(m.seed, false).run(), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Planted, ReplicaMutants, testing::Range<size_t>(0, mutants().size()),
                         [](const auto& info) { return mutants()[info.param].name; });

int hunt(const char* name, const char* range) {
    char* rest = nullptr;
    const uint64_t from = std::strtoull(range, &rest, 10);
    const uint64_t to =
        std::strncmp(rest, "..", 2) == 0 ? std::strtoull(rest + 2, nullptr, 10) : from;
    for (size_t i = 0; i < mutants().size(); ++i) {
        const auto& m = mutants()[i];
        if (std::strcmp(name, "all") != 0 && m.name != name) continue;
        uint64_t seed = from;
        while (seed <= to && !noticed(static_cast<int>(i) + 1, seed, false)) ++seed;
        if (seed <= to) std::printf("%s: seed %llu\n", m.name.c_str(), (unsigned long long)seed);
        else std::printf("%s: not noticed\n", m.name.c_str());
        if (seed <= to) noticed(static_cast<int>(i) + 1, seed, true);
    }
    return 0;
}

}  // namespace
}  // namespace replica

int main(int argc, char** argv) {
    if (argc == 4 && std::strcmp(argv[1], "--hunt") == 0) return replica::hunt(argv[2], argv[3]);
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
