// Runs seeds of the Raft simulation:
//     raft_sim (--seeds A..B | --fresh N)... [--trace]
// Prints what broke, with its seed, and totals; exits with 1 if anything did.
#include "base/sim/seeds.h"
#include "controller/raft/sim/simulation.h"

int main(int argc, char** argv) {
    using raft::sim::Simulation;
    Simulation::Totals all;
    const auto run = [&](uint64_t seed, bool trace) {
        Simulation simulation(seed, trace);
        auto what = simulation.run();
        const auto& t = simulation.totals();
        all.events += t.events;
        all.elections += t.elections;
        all.commits += t.commits;
        all.reads += t.reads;
        all.snapshots += t.snapshots;
        all.changes += t.changes;
        all.crashes += t.crashes;
        all.wipes += t.wipes;
        return what;
    };
    const auto totals = [&] {
        return std::vector<base::sim::Total>{{all.events, "events"},
                                             {all.elections, "elections"},
                                             {all.commits, "commits"},
                                             {all.reads, "reads"},
                                             {all.snapshots, "snapshots sent"},
                                             {all.changes, "changes of members"},
                                             {all.crashes, "crashes"},
                                             {all.wipes, "lost disks"}};
    };
    return base::sim::run_program("raft_sim", argc, argv, run, totals);
}
