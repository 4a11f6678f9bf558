#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/sim/world.h"
#include "controller/raft/sim/cluster.h"

namespace raft::sim {

/// A cluster under load and a swarm of faults, all drawn from the seed: messages are lost, repeated
/// and late, links cut one way or both, disks slow or failing, nodes crash, lose their disks and
/// come back as others, members are added, promoted, replaced and removed, logs compacted, clocks
/// differ. In the end everything heals, and the cluster must make progress.
class Simulation {
  public:
    struct Totals {
        uint64_t events = 0, elections = 0, commits = 0, reads = 0, snapshots = 0, changes = 0,
                 crashes = 0, wipes = 0;
    };
    Simulation(uint64_t seed, bool trace);

    /// What went wrong, or nothing.
    std::optional<std::string> run();
    Totals totals();

  private:
    struct Knobs {  // percentages, and milliseconds
        int voters = 3, spares = 2;
        int64_t loss = 0, twice = 0, late = 0, latest = 300;
        int64_t slow_disk = 0, slowest_disk = 100, bad_disk = 0;
        int64_t crashes = 0, cuts = 0, wipes = 0, members = 0, snapshots = 0, transfers = 0;
        int64_t propose_every = 30, strangers = 0, corrupt = 0, alarms = 0, promises = 0;
    };
    /// Seeds from here on draw more knobs; those before keep their schedules.
    static constexpr uint64_t kSeedsWithAlarms = 1 << 18;
    static constexpr uint64_t kSeedsWithPromises = 1 << 19;
    void draw_knobs(Options&);
    void tell_gone(const Member&);
    bool until(int64_t time);
    /// Goes on until it is `done`, at most so long; false if it is not.
    bool until(int64_t most, const std::function<bool()>& done);

    void send(Message);
    void write(Node&);
    void tick(int id);
    void propose();
    void chaos();
    void administer();
    void cut();
    void crash(Node&);
    void wipe(Node&);
    bool may_wipe(const Node&);
    void repair();
    void keep_promises();
    void settle();
    bool settled();
    Node& any() { return cluster_->node(static_cast<int>(world_.below(nodes_))); }

    const bool with_alarms_;
    const bool with_promises_;
    base::sim::World world_;
    Knobs knobs_;
    int nodes_ = 0;
    bool quiet_ = false;
    bool proposing_ = true;
    std::set<std::pair<int, int>> cut_;  // from, to
    std::vector<int64_t> period_;        // of each node's ticks
    int64_t last_change_ = -10'000;
    uint64_t next_value_ = 0;
    std::unique_ptr<Cluster> cluster_;
    Totals totals_;
};

}  // namespace raft::sim
