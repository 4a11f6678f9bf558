// Runs seeds of the group simulation:
//     group_sim (--seeds A..B | --fresh N)... [--trace]
// Prints what broke, with its seed, and totals; exits with 1 if anything did.
#include "base/sim/seeds.h"
#include "groups/sim/simulation.h"

int main(int argc, char** argv) {
    using groups::sim::Simulation;
    Simulation::Totals all;
    const auto run = [&](uint64_t seed, bool trace) {
        Simulation simulation(seed, trace);
        auto what = simulation.run();
        const auto& t = simulation.totals();
        all.events += t.events;
        all.records += t.records;
        all.generations += t.generations;
        all.failovers += t.failovers;
        all.taken_over += t.taken_over;
        all.commits += t.commits;
        all.expired += t.expired;
        all.dropped += t.dropped;
        return what;
    };
    const auto totals = [&] {
        return std::vector<base::sim::Total>{
            {all.events, "events"},           {all.records, "records"},
            {all.generations, "generations"}, {all.failovers, "failovers"},
            {all.taken_over, "taken over"},   {all.commits, "commits"},
            {all.expired, "expired"},         {all.dropped, "dropped"}};
    };
    return base::sim::run_program("group_sim", argc, argv, run, totals);
}
