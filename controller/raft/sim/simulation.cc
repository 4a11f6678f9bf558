#include "controller/raft/sim/simulation.h"

#include <algorithm>

namespace raft::sim {

namespace {
constexpr int64_t kUnrest = 3'500;  // so long everything fails
// Then everything heals, and these are the bounds.
constexpr int64_t kToLead = 2'000;
constexpr int64_t kToCommit = 20'000;
constexpr int64_t kToSettle = 60'000;
}  // namespace

Simulation::Simulation(uint64_t seed, bool trace)
    : with_alarms_(seed >= kSeedsWithAlarms),
      with_promises_(seed >= kSeedsWithPromises),
      world_(seed, trace) {
    Options options;
    options.election_ticks = kElectionTicks;
    draw_knobs(options);
    Cluster::Outside outside;
    outside.send = [this](Message m) { send(std::move(m)); };
    outside.write = [this](Node& node) { write(node); };
    if (trace)
        outside.trace = [this](const std::string& what) { world_.trace("%s", what.c_str()); };
    outside.draw = [this] { return world_.draw(); };
    cluster_ = std::make_unique<Cluster>(options, 1 + static_cast<int>(world_.below(4)),
                                         std::move(outside));
    nodes_ = knobs_.voters + knobs_.spares;
    cluster_->found(knobs_.voters, nodes_);
    for (int id = 0; id < nodes_; ++id) {
        period_.push_back(8 + world_.below(5));
        tick(id);
    }
    propose();
    chaos();
    administer();
}

void Simulation::draw_knobs(Options& o) {
    auto& k = knobs_;
    const auto some = [this](int64_t percent, int64_t most) {
        return world_.chance(percent) ? 1 + world_.below(most) : 0;
    };
    k.voters = world_.chance(15) ? 1 : world_.chance(50) ? 3 : 5;
    k.spares = static_cast<int>(world_.below(3));
    k.loss = some(70, 12);
    k.twice = some(60, 10);
    k.late = some(60, 10);
    k.latest = 50 + world_.below(500);
    k.slow_disk = some(70, 40);
    k.slowest_disk = 20 + world_.below(900);
    k.bad_disk = some(15, 2);
    k.crashes = some(70, 8);
    k.cuts = some(70, 10);
    k.wipes = some(40, 3);
    k.members = some(60, 15);
    k.snapshots = some(70, 20);
    k.transfers = some(40, 10);
    k.propose_every = 5 + world_.below(60);
    k.strangers = some(30, 5);
    k.corrupt = some(30, 20);
    o.heartbeat_ticks = 1 + static_cast<int>(world_.below(3));
    o.stalled_write_ticks = world_.chance(30) ? 20 + static_cast<int>(world_.below(40)) : 0;
    o.most_append_entries = world_.chance(50) ? 1 + static_cast<size_t>(world_.below(3)) : 64;
    o.most_append_bytes = world_.chance(30) ? 100 : 1 << 20;
    o.most_appends_in_flight = 1 + static_cast<size_t>(world_.below(world_.chance(50) ? 3 : 40));
    o.most_bytes_in_flight = world_.chance(20) ? 150 : 1 << 20;
    o.most_log_bytes_in_memory = static_cast<size_t>(world_.below(world_.chance(50) ? 200 : 5'000));
    o.most_uncommitted_bytes = world_.chance(30) ? 300 : 1 << 20;
    if (with_alarms_) k.alarms = some(70, 15);
    if (with_promises_) k.promises = some(80, 100);
}

// -------------------------------------------------------------------------------------- the world

void Simulation::send(Message m) {
    const bool lost =
        !quiet_ && (world_.chance(knobs_.loss) || cut_.contains({m.from.id, m.to.id}));
    if (lost) return;
    if (auto* chunk = std::get_if<SnapshotChunk>(&m.body);
        chunk && !quiet_ && !chunk->bytes.empty() && world_.chance(knobs_.corrupt))
        chunk->bytes[0] = static_cast<char>(chunk->bytes[0] ^ 1);
    if (!quiet_ && world_.chance(knobs_.strangers)) {
        auto strange = m;
        switch (world_.below(3)) {
            case 0:
                strange.cluster.lo += 1;
                break;
            case 1:
                strange.to.incarnation.lo += 100;
                break;
            default:  // somebody that nobody knows says yes to everything
                if (!std::holds_alternative<AppendReply>(m.body) &&
                    !std::holds_alternative<VoteReply>(m.body) &&
                    !std::holds_alternative<HeartbeatReply>(m.body))
                    strange.cluster.hi += 1;
                strange.from.incarnation.lo += 100;
        }
        world_.after(1, [this, strange] { cluster_->deliver(strange); });
    }
    for (int copies = !quiet_ && world_.chance(knobs_.twice) ? 2 : 1; copies > 0; --copies) {
        const bool late = !quiet_ && world_.chance(knobs_.late);
        const auto delay = 1 + world_.below(quiet_ ? 4 : late ? knobs_.latest : 15);
        world_.after(delay, [this, m] { cluster_->deliver(m); });
    }
}

void Simulation::write(Node& node) {
    const bool slow = !quiet_ && world_.chance(knobs_.slow_disk);
    const auto delay = 1 + world_.below(quiet_ ? 3 : slow ? knobs_.slowest_disk : 8);
    world_.after(delay, [this, id = node.self().id, life = node.life] {
        auto& n = cluster_->node(id);
        if (!n.raft || n.life != life || !n.out) return;
        if (!quiet_ && world_.chance(knobs_.bad_disk)) {
            world_.trace("the disk of %d fails", id);
            cluster_->fail_write(n, world_.chance(50));
            return crash(n);
        }
        world_.trace("%d has written: term %lld, last %lld", id,
                     static_cast<long long>(n.out->state.term),
                     static_cast<long long>(n.raft->log().last()));
        cluster_->finish_write(n);
    });
}

void Simulation::tick(int id) {
    auto& node = cluster_->node(id);
    cluster_->tick(node);
    // What an unreadable log makes of a process is over when its disk is looked after.
    if (node.raft && !node.raft->failure().ok()) crash(node);
    const auto jitter = quiet_ ? 0 : world_.below(4);
    world_.after(period_[static_cast<size_t>(id)] + jitter, [this, id] { tick(id); });
}

void Simulation::propose() {
    if (proposing_) {
        for (int i = !quiet_ && world_.chance(20) ? 8 : 1; i > 0; --i)
            for (auto& [id, node] : cluster_->nodes())
                if (node.raft && node.raft->leads())
                    cluster_->propose(node, "v" + std::to_string(next_value_++));
        auto& node = any();
        if (node.raft && world_.chance(50)) cluster_->read(node);
        if (node.raft && world_.chance(20)) cluster_->keep_state(node);
    }
    world_.after((quiet_ ? 50 : 1) + world_.below(knobs_.propose_every), [this] { propose(); });
}

// ----------------------------------------------------------------------------------------- faults

void Simulation::cut() {
    cut_.clear();
    if (world_.chance(30)) return world_.trace("all links heal");
    const bool one_way = world_.chance(30);
    std::set<int> side;
    for (int i = 0; i < nodes_; ++i)
        if (world_.chance(40)) side.insert(i);
    for (int a = 0; a < nodes_; ++a)
        for (int b = 0; b < nodes_; ++b) {
            if (side.contains(a) == side.contains(b)) continue;
            if (!one_way || side.contains(a)) cut_.insert({a, b});
        }
    world_.trace("%zu links are cut", cut_.size());
}

void Simulation::crash(Node& node) {
    const int id = node.self().id;
    world_.trace("%d crashes", id);
    ++totals_.crashes;
    const Member gone = node.self();
    cluster_->crash(node, world_.chance(50));
    if (knobs_.alarms > 0) tell_gone(gone);
    world_.after(20 + world_.below(world_.chance(50) ? 100 : 900), [this, id] {
        auto& n = cluster_->node(id);
        if (n.raft) return;
        world_.trace("%d starts", id);
        cluster_->start(n);
    });
}

/// Some of the others notice that its process is gone, each in its time.
void Simulation::tell_gone(const Member& gone) {
    for (const auto& [id, node] : cluster_->nodes()) {
        if (world_.chance(20)) continue;
        world_.after(1 + world_.below(30), [this, id = id, gone] {
            auto& n = cluster_->node(id);
            if (n.raft) cluster_->gone(n, gone);
        });
    }
}

/// Losing a disk is survived as long as a majority of the voters is left, in every configuration
/// that may be in force: the simulation keeps to that, as an operator must.
bool Simulation::may_wipe(const Node& node) {
    if (world_.now() - last_change_ < 1'500) return false;
    const auto& now = cluster_->ghost().configuration();
    for (auto& [id, n] : cluster_->nodes()) {
        if (!now.has(n.self())) continue;
        if (n.disk->configuration() != now) return false;
        if (n.raft && n.raft->configuration() != now) return false;
    }
    size_t left = 0;
    for (const auto& [member, address] : now.voters)
        left += cluster_->lives(member) && member != node.self() ? 1 : 0;
    return left >= now.majority();
}

void Simulation::wipe(Node& node) {
    if (!may_wipe(node)) return;
    world_.trace("%d loses its disk", node.self().id);
    ++totals_.wipes;
    crash(node);
    cluster_->wipe(node);
}

void Simulation::chaos() {
    if (quiet_) return;
    auto& node = any();
    if (node.raft && world_.chance(knobs_.crashes)) crash(node);
    if (world_.chance(knobs_.cuts)) cut();
    if (world_.chance(knobs_.wipes)) wipe(any());
    if (auto& n = any(); n.raft && world_.chance(knobs_.snapshots)) cluster_->compact(n);
    if (auto& n = any(); n.raft && world_.chance(knobs_.bad_disk)) {
        n.disk->unreadable = true;
        world_.after(30, [disk = n.disk.get()] { disk->unreadable = false; });
    }
    if (knobs_.alarms > 0 && world_.chance(knobs_.alarms)) {
        auto& n = any();
        if (n.raft && n.raft->leader()) cluster_->gone(n, Member(*n.raft->leader()));
    }
    if (auto& n = any(); n.raft && world_.chance(knobs_.transfers)) {
        const auto& voters = n.raft->configuration().voters;
        if (!voters.empty()) {
            auto to = voters.begin();
            std::advance(to, world_.below(static_cast<int64_t>(voters.size())));
            cluster_->transfer(n, Member(to->first));
        }
    }
    world_.after(40, [this] { chaos(); });
}

/// Members come and go, as an operator would have it.
void Simulation::administer() {
    world_.after(50, [this] { administer(); });
    repair();
    keep_promises();
    if (quiet_ || !world_.chance(knobs_.members)) return;
    auto& node = any();
    if (!node.raft || !node.raft->leads()) return;
    const auto now = node.raft->configuration();
    auto& other = any();
    const auto member = other.self();
    bool changed = false;
    if (!now.has_id(member.id)) {
        const bool promised = knobs_.promises > 0 && world_.chance(knobs_.promises);
        changed =
            cluster_->change(node, AddLearner{member, "c" + std::to_string(member.id), promised});
    } else if (now.has_learner(member) && world_.chance(80)) {
        changed = cluster_->change(node, Promote{member});
    } else if (now.has(member) && knobs_.alarms > 0 && world_.chance(knobs_.alarms)) {
        changed = cluster_->change(node, Move{member, now.address(member) + "'"});
    } else if (now.has(member)) {
        // Whoever takes voters away while a disk is lost may be left without a majority.
        const bool whole = std::ranges::all_of(
            now.voters, [this](const auto& v) { return cluster_->lives(v.first); });
        if (whole) changed = cluster_->change(node, Remove{member});
    }
    if (changed) {
        last_change_ = world_.now();
        world_.trace("a change of %d is proposed", member.id);
    }
}

/// Members whose disk was lost are taken out, or make room for what they are now.
void Simulation::repair() {
    auto* node = cluster_->leader();
    if (!node || (!quiet_ && !world_.chance(20))) return;
    const auto now = node->raft->configuration();
    for (const auto& [member, address] : now.members()) {
        if (cluster_->lives(member)) continue;
        Change change = Remove{member};
        if (knobs_.promises > 0 && world_.chance(knobs_.promises))
            change = Replace{member, cluster_->node(member.id).self(), address};
        if (cluster_->change(*node, change)) last_change_ = world_.now();
        return;
    }
}

/// Whoever leads gives those a vote who were promised one, as soon as they have caught up.
void Simulation::keep_promises() {
    auto* node = cluster_->leader();
    if (!node || node->raft->configuration().promised.empty()) return;
    if (!quiet_ && !world_.chance(20)) return;
    for (const auto& member : std::set(node->raft->configuration().promised))
        if (cluster_->change(*node, Promote{member})) last_change_ = world_.now();
}

// -------------------------------------------------------------------------------------------- run

bool Simulation::until(int64_t time) {
    while (!cluster_->ghost().broken() && world_.step(time)) ++totals_.events;
    return !cluster_->ghost().broken();
}

bool Simulation::until(int64_t most, const std::function<bool()>& done) {
    for (const int64_t end = world_.now() + most; world_.now() < end && !done();)
        if (!until(world_.now() + 50)) return false;
    return done();
}

void Simulation::settle() {
    world_.trace("everything heals");
    quiet_ = true;
    cut_.clear();
    for (auto& [id, node] : cluster_->nodes()) {
        node.disk->unreadable = false;
        if (!node.raft) cluster_->start(node);
    }
}

bool Simulation::settled() {
    auto& ghost = cluster_->ghost();
    const auto& now = ghost.configuration();
    if (!now.promised.empty()) return false;
    for (auto& [id, node] : cluster_->nodes()) {
        if (!now.has(node.self())) continue;
        if (!node.raft || node.state.applied != ghost.last() ||
            node.state != ghost.committed().back().state)
            return false;
    }
    return true;
}

std::optional<std::string> Simulation::run() {
    auto& ghost = cluster_->ghost();
    if (until(kUnrest)) {
        settle();
        if (!until(kToLead, [this] { return cluster_->leader() != nullptr; }))
            ghost.fail("22: no leader, though everything is healed");
        const auto before = ghost.last();
        if (!until(kToCommit, [&] { return ghost.last() > before + 3; }))
            ghost.fail("22: nothing commits, though everything is healed");
        proposing_ = false;
        // The disks that were lost are to be gone, what is committed is to be everywhere, and who
        // was promised a vote is to have it.
        if (!until(kToSettle, [this] { return settled(); }))
            ghost.fail("22: not all have applied all");
    }
    if (!ghost.broken()) return std::nullopt;
    return "t=" + std::to_string(world_.now()) + ": " + *ghost.broken();
}

Simulation::Totals Simulation::totals() {
    totals_.elections = cluster_->ghost().elections();
    totals_.commits = static_cast<uint64_t>(cluster_->ghost().last());
    totals_.reads = cluster_->reads_answered;
    totals_.snapshots = cluster_->snapshots_installed;
    totals_.changes = cluster_->changes;
    return totals_;
}

}  // namespace raft::sim
