// Runs seeds of the simulation of a replicated partition:
//     replica_sim (--seeds A..B | --fresh N)... [--trace]
// Prints what broke, with its seed, and totals; exits with 1 if anything did.
#include "base/sim/seeds.h"
#include "tests/replication/sim/simulation.h"

int main(int argc, char** argv) {
    using replica::sim::Simulation;
    Simulation::Totals all;
    const auto run = [&](uint64_t seed, bool trace) {
        Simulation simulation(seed, trace);
        auto what = simulation.run();
        const auto t = simulation.totals();
        all.events += t.events;
        all.decisions += t.decisions;
        all.elections += t.elections;
        all.unclean += t.unclean;
        all.losses += t.losses;
        all.acks += t.acks;
        all.committed += t.committed;
        all.cuts += t.cuts;
        all.crashes += t.crashes;
        all.blackouts += t.blackouts;
        all.wipes += t.wipes;
        all.moves += t.moves;
        all.rots += t.rots;
        all.fills += t.fills;
        return what;
    };
    const auto totals = [&] {
        return std::vector<base::sim::Total>{
            {all.events, "events"},       {all.decisions, "decisions"},
            {all.elections, "elections"}, {all.unclean, "of them unclean"},
            {all.losses, "with a loss"},  {all.acks, "acknowledged"},
            {all.committed, "committed"}, {all.cuts, "cuts of logs"},
            {all.crashes, "crashes"},     {all.blackouts, "blackouts"},
            {all.wipes, "lost disks"},    {all.moves, "moves"},
            {all.rots, "damaged ranges"}, {all.fills, "full disks"}};
    };
    return base::sim::run_program("replica_sim", argc, argv, run, totals);
}
