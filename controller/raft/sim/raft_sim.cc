// Runs seeds of the Raft simulation:
//     raft_sim (--seeds A..B | --fresh N)... [--trace]
// Prints what broke, with its seed, and totals; exits with 1 if anything did.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include "controller/raft/sim/simulation.h"

namespace {

struct Range {
    uint64_t from = 1, to = 300;
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
            std::printf("fresh seeds %llu..%llu\n", static_cast<unsigned long long>(from),
                        static_cast<unsigned long long>(ranges.back().to));
        } else {
            return false;
        }
    }
    return !ranges.empty();
}

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
    std::vector<Range> ranges;
    bool trace = false;
    if (!parse(argc, argv, ranges, trace)) {
        std::fprintf(stderr, "usage: raft_sim (--seeds A..B | --fresh N)... [--trace]\n");
        return 2;
    }
    raft::sim::Simulation::Totals all;
    uint64_t runs = 0;
    uint64_t failed = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (const auto& range : ranges) {
        for (uint64_t seed = range.from; seed <= range.to; ++seed, ++runs) {
            raft::sim::Simulation simulation(seed, trace);
            if (const auto what = simulation.run(); what && ++failed <= 10)
                std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed),
                            what->c_str());
            add(all, simulation.totals());
        }
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    const auto n = [](uint64_t v) { return static_cast<unsigned long long>(v); };
    std::printf(
        "%llu seeds, %llu failed; %llu events, %llu elections, %llu commits, %llu reads, "
        "%llu snapshots sent, %llu changes of members, %llu crashes, %llu lost disks; %.1f s\n",
        n(runs), n(failed), n(all.events), n(all.elections), n(all.commits), n(all.reads),
        n(all.snapshots), n(all.changes), n(all.crashes), n(all.wipes), took.count());
    return failed == 0 ? 0 : 1;
}
