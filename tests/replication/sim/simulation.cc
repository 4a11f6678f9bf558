#include "tests/replication/sim/simulation.h"

#include <algorithm>

namespace replica::sim {

namespace {
constexpr InstantMs kUnrest = 4'000;  // so long everything fails
// Then everything heals, and these are the bounds.
constexpr InstantMs kToLead = 3'000;
constexpr InstantMs kToCommit = 5'000;
constexpr InstantMs kToSettle = 20'000;
}  // namespace

Simulation::Simulation(uint64_t seed, bool trace) : world_(seed, trace) {
    Cluster::Settings settings;
    draw_knobs(settings.options);
    settings.options.durable = knobs_.durable;
    settings.most_records = world_.chance(50) ? 1 + static_cast<size_t>(world_.below(3)) : 64;
    settings.most_in_flight = world_.chance(30) ? 2 + world_.below(6) : 1000;
    metadata_ = std::make_unique<Metadata>(Metadata::Rules{.brokers = knobs_.brokers,
                                                           .replicas = knobs_.replicas,
                                                           .min_isr = knobs_.min_isr,
                                                           .unclean = knobs_.unclean});
    cluster_ = std::make_unique<Cluster>(settings, *metadata_, outside(trace));
    cluster_->acknowledged = [this](const Record& record) {
        for (auto& p : producers_)
            if (p.id == record.producer && p.sequence == record.sequence) p.waits = false;
    };
    keep_the_metadata_log();
    for (int64_t i = 2 + world_.below(3); i > 0; --i)
        producers_.push_back({.id = ++last_producer_,
                              .acks = i == 1 || world_.chance(70) ? Acks::all : Acks::leader});
    for (auto& [id, node] : cluster_->nodes()) {
        at_node(world_.below(50), id, [this](Node& n) { cluster_->follow(n, metadata_->index()); });
        every(20 + world_.below(60), [this, id = id] {
            Node& n = cluster_->node(id);
            if (n.up && world_.now() >= paused_[id]) cluster_->tick(n);
        });
        every(40 + world_.below(20), [this, id = id] {
            Node& n = cluster_->node(id);
            if (!n.up || world_.now() < paused_[id]) return;
            if (n.epoch < 0) enroll(n);
            else heartbeat(n);
        });
    }
    every(30, [this] {
        if (!controller_away_) metadata_->expire(world_.now());
    });
    every(60, [this] { announce(); });
    produce();
    chaos();
    every(50, [this] { administer(); });
    // In seeds of their own, so that all others are what they were before.
    if (seed % 16 == 8 || seed % 16 == 12) every(60, [this] { rot(); });
    if (seed % 16 == 12 || seed % 16 == 15) every(70, [this] { fill_disks(); });
}

void Simulation::draw_knobs(Options& o) {
    auto& k = knobs_;
    const auto some = [this](int64_t percent, int64_t most) {
        return world_.chance(percent) ? 1 + world_.below(most) : 0;
    };
    k.brokers = 3 + static_cast<int>(world_.below(3));
    k.replicas = std::min(k.brokers, 2 + static_cast<int>(world_.below(3)));
    k.min_isr = world_.chance(70) ? 2 : 1 + static_cast<int>(world_.below(3));
    k.durable = world_.chance(65);
    k.unclean = world_.chance(10);
    k.loss = some(60, 8);
    k.twice = some(50, 10);
    k.late = some(50, 10);
    k.latest = 50 + world_.below(400);
    k.disorder = some(40, 20);
    k.slow_disk = some(60, 40);
    k.slowest_disk = 20 + world_.below(400);
    k.bad_disk = some(15, 2);
    k.crashes = some(70, 10);
    k.power = world_.below(101);
    k.blackouts = some(30, 3);
    k.stops = some(50, 6);
    k.wipes = some(30, 20);
    k.pauses = some(50, 8);
    k.cuts = some(70, 10);
    k.fences = some(40, 6);
    k.failovers = some(30, 4);
    k.moves = some(50, 10);
    k.configs = some(30, 6);
    k.deletes = some(30, 8);
    k.produce_every = 2 + world_.below(30);
    k.slow_news = some(60, 30);
    k.strays = some(40, 40);
    o.lag_max_ms = 100 + world_.below(400);
    o.lost_max_ms = o.lag_max_ms % 3 == 1 ? o.lag_max_ms / 2 : o.lag_max_ms;
    o.join_wait_ms = world_.chance(50) ? 0 : world_.below(200);
    o.retry_ms = 30 + world_.below(150);
}

Cluster::Outside Simulation::outside(bool trace) {
    Cluster::Outside out;
    out.send = [this](Envelope e) { send(std::move(e)); };
    out.propose = [this](Node& node, const Proposal& p) { propose(node, p); };
    out.sync = [this](Node& node, const Log::Sync& s) { sync(node, s); };
    out.hang_up = [this](BrokerId a, BrokerId b) { break_link(a, b); };
    if (trace) out.trace = [this](const std::string& what) { world_.trace("%s", what.c_str()); };
    return out;
}

void Simulation::keep_the_metadata_log() {
    metadata_->changed = [this](const metadata::Partition& before) {
        const auto& p = metadata_->row();
        if (world_.tracing() && before != p) {
            std::string isr, elr;
            for (const BrokerId id : p.isr) isr += " " + std::to_string(id.value);
            for (const BrokerId id : p.elr) elr += " " + std::to_string(id.value);
            world_.trace("the row: leader %d epoch %d version %d isr%s elr%s of %zu%s",
                         p.leader.value, p.leader_epoch, p.partition_epoch, isr.c_str(),
                         elr.c_str(), p.replicas.size(), p.recovering ? ", unclean" : "");
        }
        cluster_->ghost().decided(before);
        announce();
    };
}

void Simulation::every(InstantMs period, std::function<void()> run) {
    world_.after(period, [this, period, run = std::move(run)] {
        run();
        every(period, run);
    });
}

void Simulation::at_node(InstantMs delay, BrokerId id, std::function<void(Node&)> run) {
    const uint64_t life = cluster_->node(id).life;
    world_.after(delay, [this, id, life, run = std::move(run)] {
        Node& node = cluster_->node(id);
        if (!node.up || node.life != life) return;
        if (world_.now() < paused_[id]) return at_node(paused_[id] - world_.now(), id, run);
        run(node);
    });
}

Node& Simulation::any() {
    return cluster_->node(BrokerId{static_cast<int32_t>(world_.below(knobs_.brokers))});
}

// --------------------------------------------------------------------------------------- the load

void Simulation::produce() {
    for (auto& p : producers_) {
        const bool again = p.waits && world_.now() - p.sent_at >= 60;
        if (p.waits ? !again : !producing_ || world_.chance(30)) continue;
        if (!p.waits) ++p.sequence;
        p.waits = true;
        p.sent_at = world_.now();
        // To whoever says that it leads; there may be two.
        for (int tries = 0; tries < 4; ++tries) {
            Node& node = any();
            if (!node.core || !node.core->leading() || world_.now() < paused_[node.id]) continue;
            retry(p, node);
            break;
        }
    }
    if (!quiet_ && world_.chance(20)) cluster_->store_high_watermark(any());
    world_.after(1 + world_.below(knobs_.produce_every), [this] { produce(); });
}

void Simulation::retry(Producer& p, Node& node) {
    const auto id = p.id;
    switch (cluster_->produce(node, id, p.sequence, p.acks)) {
        case Cluster::Produced::refused:
            return;
        case Cluster::Produced::gap:  // an unclean election lost what it had sent before
            p.id = ++last_producer_;
            p.sequence = 0;
            p.waits = false;
            return;
        case Cluster::Produced::taken:
        case Cluster::Produced::duplicate:
            if (p.acks == Acks::leader) p.waits = false;
            return;
    }
}

// -------------------------------------------------------------------------------------------- run

bool Simulation::until(InstantMs time) {
    auto& ghost = cluster_->ghost();
    while (!ghost.broken() && world_.step(time)) {
        ++totals_.events;
        cluster_->now = world_.now();
        ghost.check();
    }
    return !ghost.broken();
}

bool Simulation::until(InstantMs most, const std::function<bool()>& done) {
    for (const InstantMs end = world_.now() + most; world_.now() < end && !done();)
        if (!until(world_.now() + 50)) return false;
    return done();
}

void Simulation::settle() {
    world_.trace("everything heals");
    quiet_ = true;
    controller_away_ = false;
    cut_.clear();
    paused_.clear();
    for (auto& [id, node] : cluster_->nodes()) {
        if (node.up && node.log && node.log->failed()) crash(node, false);
        if (!node.up) cluster_->start(node);
    }
    for (auto& [a, one] : cluster_->nodes())
        for (auto& [b, other] : cluster_->nodes())
            if (a < b) break_link(a, b);
}

bool Simulation::settled() {
    const auto& row = metadata_->row();
    const auto& ghost = cluster_->ghost();
    if (row.isr.size() != row.replicas.size() || row.recovering) return false;
    for (const BrokerId id : row.replicas) {
        const Node& node = cluster_->node(id);
        if (!node.core || node.log->end() != ghost.last() || node.agrees != ghost.last() ||
            node.core->high_watermark() != ghost.last() || node.log->rot())
            return false;
    }
    return true;
}

std::optional<std::string> Simulation::run() {
    auto& ghost = cluster_->ghost();
    if (until(kUnrest)) {
        settle();
        const auto leads = [this] {
            const BrokerId leader = metadata_->row().leader;
            return leader != kNobody && cluster_->node(leader).core &&
                   cluster_->node(leader).core->leading();
        };
        if (!until(kToLead, leads)) ghost.fail("nobody leads, though everything is healed");
        const auto before = ghost.acks;
        if (!until(kToCommit, [&] { return ghost.acks > before + 3; }))
            ghost.fail("nothing is acknowledged, though everything is healed");
        producing_ = false;
        // All that was acknowledged on all replicas, and nothing else.
        if (!until(kToSettle, [this] { return settled(); }))
            ghost.fail("19: not all replicas have all");
    }
    if (!ghost.broken()) return std::nullopt;
    return "t=" + std::to_string(world_.now()) + ": " + *ghost.broken();
}

Simulation::Totals Simulation::totals() {
    const auto& ghost = cluster_->ghost();
    totals_.decisions = metadata_->decisions;
    totals_.elections = ghost.elections;
    totals_.unclean = ghost.unclean;
    totals_.acks = ghost.acks;
    totals_.committed = static_cast<uint64_t>(ghost.last());
    totals_.cuts = ghost.truncations;
    totals_.losses = ghost.losses;
    return totals_;
}

}  // namespace replica::sim
