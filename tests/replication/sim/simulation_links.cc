// How messages travel, between brokers and to the controller, and how disks sync.
#include <algorithm>

#include "tests/replication/sim/simulation.h"

namespace replica::sim {

bool Simulation::passes(BrokerId from, BrokerId to) {
    return quiet_ || (!world_.chance(knobs_.loss) && !cut_.contains({from, to}));
}

InstantMs Simulation::delay() {
    const bool late = !quiet_ && world_.chance(knobs_.late);
    return 1 + world_.below(quiet_ ? 3 : late ? knobs_.latest : 6);
}

void Simulation::send(Envelope e) {
    if (world_.tracing()) world_.trace("sends %s", describe(e).c_str());
    if (!passes(e.from, e.to)) return break_link(e.from, e.to);
    for (int copies = !quiet_ && world_.chance(knobs_.twice) ? 2 : 1; copies > 0; --copies) {
        InstantMs at = world_.now() + delay();
        // A stream keeps its order; what was sent on an older one may come at any time.
        if (quiet_ || !world_.chance(knobs_.disorder)) {
            auto& last = last_arrival_[{e.from, e.to}];
            at = last = std::max(last, at);
        }
        at_node(at - world_.now(), e.to, [this, e](Node&) { cluster_->deliver(e); });
    }
}

/// Both learn, in their time, that what they sent may not have arrived.
void Simulation::break_link(BrokerId a, BrokerId b) {
    if (!breaking_.insert(std::minmax(a, b)).second) return;
    world_.after(1 + world_.below(quiet_ ? 5 : 60), [this, a, b] {
        breaking_.erase(std::minmax(a, b));
        cluster_->broke(a, b);
    });
}

void Simulation::sync(Node& node, const Log::Sync& sync) {
    const bool slow = !quiet_ && world_.chance(knobs_.slow_disk);
    const auto takes = 1 + world_.below(quiet_ ? 3 : slow ? knobs_.slowest_disk : 6);
    at_node(takes, node.id, [this, sync](Node& n) {
        if (!quiet_ && world_.chance(knobs_.bad_disk)) return fail_disk(n);
        cluster_->finish_sync(n, sync);
    });
}

// ------------------------------------------------------------------------------- the controller

void Simulation::to_controller(Node& node, std::function<void()> run) {
    if (!passes(node.id, kNobody)) return;
    for (int copies = !quiet_ && world_.chance(knobs_.twice) ? 2 : 1; copies > 0; --copies)
        world_.after(delay(), [this, run] {
            if (!controller_away_) run();
        });
}

void Simulation::from_controller(BrokerId id, uint64_t life, std::function<void(Node&)> run) {
    if (!passes(kNobody, id) || cluster_->node(id).life != life) return;
    at_node(delay(), id, std::move(run));
}

void Simulation::propose(Node& node, const Proposal& proposal) {
    std::string isr;
    for (const auto& member : proposal.isr) isr += " " + std::to_string(member.id.value);
    world_.trace("broker %d proposes%s to follow version %d", node.id.value, isr.c_str(),
                 proposal.version);
    const auto number = proposal.number;
    auto decide = [this, id = node.id, life = node.life, epoch = node.epoch, proposal] {
        const auto answer = metadata_->alter(id, epoch, proposal);
        world_.trace("the proposal of broker %d for version %d: answer %d", id.value,
                     proposal.version, static_cast<int>(answer));
        from_controller(id, life, [this, number = proposal.number, answer](Node& n) {
            cluster_->answered(n, number, answer);
        });
    };
    to_controller(node, decide);
    // A copy that was stuck on its way.
    if (!quiet_ && world_.chance(knobs_.strays)) world_.after(50 + world_.below(1'000), decide);
    // Whoever carries it may give up waiting, or not say anything.
    if (world_.chance(30))
        at_node(20 + world_.below(100), node.id,
                [this, number](Node& n) { cluster_->answered(n, number, Answer::unknown); });
}

void Simulation::enroll(Node& node) {
    if (!passes(node.id, kNobody)) return;
    // What a process sends goes with it, as long as it has not arrived.
    at_node(delay(), node.id, [this](Node& n) {
        if (controller_away_) return;
        const auto epoch = cluster_->enroll(n);
        if (!epoch) return;
        from_controller(n.id, n.life, [this, epoch](Node& m) {
            if (m.epoch < 0) cluster_->registered(m, *epoch);
        });
    });
}

void Simulation::heartbeat(Node& node) {
    const Metadata::Beat beat{.epoch = node.epoch, .index = node.image, .stops = node.stopping};
    to_controller(node, [this, id = node.id, life = node.life, beat] {
        const auto pulse = metadata_->beat(id, beat, world_.now());
        if (pulse != Metadata::Pulse::may_stop) return;
        from_controller(id, life, [this](Node& n) {
            if (!n.stopping) return;
            cluster_->stop(n);
            restart_later(n.id);
        });
    });
}

/// Tells all of the newest image; those that miss it hear of it the next time.
void Simulation::announce() {
    if (controller_away_) return;
    for (auto& [id, node] : cluster_->nodes()) {
        if (!node.up || node.image >= metadata_->index() || !passes(kNobody, id)) continue;
        const bool slow = !quiet_ && world_.chance(knobs_.slow_news);
        at_node(delay() + (slow ? world_.below(200) : 0), id,
                [this, index = metadata_->index()](Node& n) {
                    if (index > n.image) cluster_->follow(n, index);
                });
    }
}

}  // namespace replica::sim
