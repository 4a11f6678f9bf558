// Runs seeds of the group simulation:
//     group_sim (--seeds A..B | --fresh N)... [--trace]
// Prints what broke, with its seed, and totals; exits with 1 if anything did.
#include <chrono>
#include <cstdio>

#include "base/sim/seeds.h"
#include "groups/sim/simulation.h"

int main(int argc, char** argv) {
    const auto asked = base::sim::asked_for(argc, argv);
    if (!asked || asked->seeds.empty()) {
        std::fprintf(stderr, "usage: group_sim %s\n", base::sim::kUsage.data());
        return 2;
    }
    groups::sim::Simulation::Totals all;
    uint64_t runs = 0;
    uint64_t failed = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (const auto& seeds : asked->seeds) {
        for (uint64_t seed = seeds.first; seed <= seeds.last; ++seed, ++runs) {
            groups::sim::Simulation simulation(seed, asked->trace);
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
