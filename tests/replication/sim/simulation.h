#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/sim/world.h"
#include "tests/replication/sim/cluster.h"
#include "tests/replication/sim/metadata.h"

namespace replica::sim {

/// A partition under load and a swarm of faults, all drawn from the seed: messages are lost,
/// repeated, late and out of order, links cut one way or both, brokers paused, killed, stopped
/// orderly, cut off from power alone or all at once, fenced rightly and wrongly, left without their
/// disks; disks are slow or fail; the controller is away, or another one takes over; the partition
/// is moved, its options change, records are deleted. In the end everything heals, and all
/// replicas must come to hold all that was acknowledged.
class Simulation {
  public:
    struct Totals {
        uint64_t events = 0, decisions = 0, elections = 0, unclean = 0, acks = 0, committed = 0,
                 cuts = 0, crashes = 0, blackouts = 0, wipes = 0, moves = 0, losses = 0, rots = 0, fills = 0;
    };
    Simulation(uint64_t seed, bool trace);

    /// What went wrong, or nothing.
    std::optional<std::string> run();
    Totals totals();

  private:
    struct Knobs {  // percentages, and milliseconds
        int brokers = 3, replicas = 3, min_isr = 2;
        bool durable = true, unclean = false;
        int64_t loss = 0, twice = 0, late = 0, latest = 200, disorder = 0;
        int64_t slow_disk = 0, slowest_disk = 50, bad_disk = 0;
        int64_t crashes = 0, power = 0, blackouts = 0, stops = 0, wipes = 0, pauses = 0;
        int64_t cuts = 0, fences = 0, failovers = 0, moves = 0, configs = 0, deletes = 0;
        int64_t produce_every = 10, slow_news = 0, strays = 0;
    };
    struct Producer {
        uint64_t id = 0;
        int64_t sequence = 0;  // sent last
        bool waits = false;
        Acks acks = Acks::all;
        InstantMs sent_at = 0;
    };
    using Link = std::pair<BrokerId, BrokerId>;  // from, to; the controller is kNobody

    // simulation.cc
    void draw_knobs(Options&);
    Cluster::Outside outside(bool trace);
    void keep_the_metadata_log();
    bool until(InstantMs time);
    bool until(InstantMs most, const std::function<bool()>& done);
    void every(InstantMs period, std::function<void()> run);
    /// In this life of the node, and when it is not paused.
    void at_node(InstantMs delay, BrokerId, std::function<void(Node&)> run);
    Node& any();
    void produce();
    void retry(Producer&, Node&);
    void settle();
    bool settled();

    // simulation_links.cc
    void send(Envelope);
    bool passes(BrokerId from, BrokerId to);
    InstantMs delay();
    void break_link(BrokerId, BrokerId);
    void sync(Node&, const Log::Sync&);
    void to_controller(Node&, std::function<void()> run);
    void from_controller(BrokerId, uint64_t life, std::function<void(Node&)> run);
    void propose(Node&, const Proposal&);
    void heartbeat(Node&);
    void enroll(Node&);
    void announce();

    // simulation_faults.cc
    void chaos();
    void administer();
    void rot();
    void fill_disks();
    void cut();
    void crash(Node&, bool power);
    void black_out();
    void restart_later(BrokerId);
    void wipe(Node&);
    void fail_disk(Node&);

    base::sim::World world_;
    Knobs knobs_;
    bool quiet_ = false;
    bool producing_ = true;
    bool controller_away_ = false;
    std::set<Link> cut_;
    std::set<Link> breaking_;
    std::map<Link, InstantMs> last_arrival_;
    std::map<BrokerId, InstantMs> paused_;
    std::vector<Producer> producers_;
    uint64_t last_producer_ = 0;
    std::unique_ptr<Metadata> metadata_;
    std::unique_ptr<Cluster> cluster_;
    Totals totals_;
};

}  // namespace replica::sim
