// Runs seeds of the group simulation:
//     group_sim --seeds A..B [--trace]      or      group_sim --fresh N
// Prints what broke, with its seed, and totals; exits with 1 if anything did.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include "groups/sim/simulation.h"

namespace {

struct Range {
    uint64_t from = 1, to = 300;
    bool trace = false;
};

bool parse(int argc, char** argv, std::vector<Range>& ranges, bool& trace) {
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "--trace") == 0) {
            trace = true;
        } else if (std::strcmp(argv[i], "--seeds") == 0 && i + 1 < argc) {
            Range r;
            char* rest = nullptr;
            r.from = r.to = std::strtoull(argv[++i], &rest, 10);
            if (std::strncmp(rest, "..", 2) == 0) r.to = std::strtoull(rest + 2, nullptr, 10);
            ranges.push_back(r);
        } else if (std::strcmp(argv[i], "--fresh") == 0 && i + 1 < argc) {
            const uint64_t from = uint64_t{std::random_device{}()} << 20;
            ranges.push_back({from, from + std::strtoull(argv[++i], nullptr, 10) - 1});
        } else {
            return false;
        }
    }
    return !ranges.empty();
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<Range> ranges;
    bool trace = false;
    if (!parse(argc, argv, ranges, trace)) {
        std::fprintf(stderr, "usage: group_sim (--seeds A..B | --fresh N)... [--trace]\n");
        return 2;
    }
    groups::sim::Simulation::Totals all;
    uint64_t runs = 0;
    uint64_t failed = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (const auto& range : ranges) {
        for (uint64_t seed = range.from; seed <= range.to; ++seed, ++runs) {
            groups::sim::Simulation simulation(seed, trace);
            if (const auto what = simulation.run()) {
                if (++failed <= 10)
                    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed),
                                what->c_str());
            }
            const auto& t = simulation.totals();
            all.events += t.events;
            all.records += t.records;
            all.generations += t.generations;
            all.failovers += t.failovers;
            all.commits += t.commits;
            all.fenced += t.fenced;
            all.expired += t.expired;
            all.dropped += t.dropped;
        }
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::printf(
        "%llu seeds, %llu failed; %llu events, %llu records, %llu generations, %llu failovers, "
        "%llu commits, "
        "%llu expired, %llu dropped; %.1f s\n",
        static_cast<unsigned long long>(runs), static_cast<unsigned long long>(failed),
        static_cast<unsigned long long>(all.events), static_cast<unsigned long long>(all.records),
        static_cast<unsigned long long>(all.generations),
        static_cast<unsigned long long>(all.failovers),
        static_cast<unsigned long long>(all.commits), static_cast<unsigned long long>(all.expired),
        static_cast<unsigned long long>(all.dropped), took.count());
    return failed == 0 ? 0 : 1;
}
