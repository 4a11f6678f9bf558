// Runs seeds of the group simulation:
//     group_sim (--seeds A..B | --fresh N)... [--trace]
// Prints what broke, with its seed, and totals; exits with 1 if anything did.
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
    const auto ran = base::sim::run_each(*asked, [&](uint64_t seed) {
        groups::sim::Simulation simulation(seed, asked->trace);
        auto what = simulation.run();
        const auto& t = simulation.totals();
        all.events += t.events;
        all.records += t.records;
        all.generations += t.generations;
        all.failovers += t.failovers;
        all.commits += t.commits;
        all.fenced += t.fenced;
        all.expired += t.expired;
        all.dropped += t.dropped;
        return what;
    });
    std::printf(
        "%llu seeds, %llu failed; %llu events, %llu records, %llu generations, %llu failovers, "
        "%llu commits, "
        "%llu expired, %llu dropped; %.1f s\n",
        static_cast<unsigned long long>(ran.seeds), static_cast<unsigned long long>(ran.failed),
        static_cast<unsigned long long>(all.events), static_cast<unsigned long long>(all.records),
        static_cast<unsigned long long>(all.generations),
        static_cast<unsigned long long>(all.failovers),
        static_cast<unsigned long long>(all.commits), static_cast<unsigned long long>(all.expired),
        static_cast<unsigned long long>(all.dropped), ran.seconds);
    return ran.failed == 0 ? 0 : 1;
}
