// Runs seeds of the Raft simulation:
//     raft_sim (--seeds A..B | --fresh N)... [--trace]
// Prints what broke, with its seed, and totals; exits with 1 if anything did.
#include <cstdio>

#include "base/sim/seeds.h"
#include "controller/raft/sim/simulation.h"

namespace {

void add(raft::sim::Simulation::Totals& all, const raft::sim::Simulation::Totals& t) {
    all.events += t.events;
    all.elections += t.elections;
    all.commits += t.commits;
    all.reads += t.reads;
    all.snapshots += t.snapshots;
    all.changes += t.changes;
    all.crashes += t.crashes;
    all.wipes += t.wipes;
}

}  // namespace

int main(int argc, char** argv) {
    const auto asked = base::sim::asked_for(argc, argv);
    if (!asked || asked->seeds.empty()) {
        std::fprintf(stderr, "usage: raft_sim %s\n", base::sim::kUsage.data());
        return 2;
    }
    raft::sim::Simulation::Totals all;
    const auto ran = base::sim::run_each(*asked, [&](uint64_t seed) {
        raft::sim::Simulation simulation(seed, asked->trace);
        auto what = simulation.run();
        add(all, simulation.totals());
        return what;
    });
    const auto n = [](uint64_t v) { return static_cast<unsigned long long>(v); };
    std::printf(
        "%llu seeds, %llu failed; %llu events, %llu elections, %llu commits, %llu reads, "
        "%llu snapshots sent, %llu changes of members, %llu crashes, %llu lost disks; %.1f s\n",
        n(ran.seeds), n(ran.failed), n(all.events), n(all.elections), n(all.commits), n(all.reads),
        n(all.snapshots), n(all.changes), n(all.crashes), n(all.wipes), ran.seconds);
    return ran.failed == 0 ? 0 : 1;
}
