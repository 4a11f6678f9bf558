// What goes wrong, and what an operator does meanwhile.
#include <algorithm>

#include "tests/replication/sim/simulation.h"

namespace replica::sim {

void Simulation::cut() {
    cut_.clear();
    if (world_.chance(40)) return world_.trace("all links heal");
    const bool one_way = world_.chance(30);
    std::set<BrokerId> side;
    for (int32_t i = -1; i < knobs_.brokers; ++i)
        if (world_.chance(35)) side.insert(BrokerId{i});
    for (int32_t a = -1; a < knobs_.brokers; ++a)
        for (int32_t b = -1; b < knobs_.brokers; ++b) {
            const BrokerId from{a}, to{b};
            if (side.contains(from) == side.contains(to)) continue;
            if (!one_way || side.contains(from)) cut_.insert({from, to});
        }
    world_.trace("%zu links are cut", cut_.size());
}

/// The process ends. With power the file system still writes what it was given.
void Simulation::crash(Node& node, bool power) {
    ++totals_.crashes;
    Cluster::Fate fate;
    if (node.log) {
        const Offset end = node.log->end();
        const Offset durable = node.log->durable();
        fate.survives = power ? end : durable + world_.below(end - durable + 1);
        fate.known = world_.chance(50) ? durable : world_.below(durable + 1);
        fate.damages = fate.survives < end && !knobs_.durable;
    }
    if (world_.chance(50)) {  // that is noticed, by somebody who dials
        world_.after(1 + world_.below(30), [this, id = node.id, epoch = node.epoch] {
            if (epoch >= 0 && !controller_away_) metadata_->lost(id, epoch, world_.now());
        });
    }
    cluster_->crash(node, fate);
    for (auto& [id, other] : cluster_->nodes())
        if (id != node.id) break_link(id, node.id);
}

void Simulation::restart_later(BrokerId id) {
    const auto life = cluster_->node(id).life;
    world_.after(10 + world_.below(world_.chance(50) ? 60 : 900), [this, id, life] {
        Node& node = cluster_->node(id);
        if (!node.up && node.life == life) cluster_->start(node);
    });
}

void Simulation::black_out() {
    world_.trace("all lose power");
    ++totals_.blackouts;
    for (auto& [id, node] : cluster_->nodes()) {
        if (!node.up) continue;
        crash(node, false);
        restart_later(id);
    }
}

void Simulation::wipe(Node& node) {
    if (!node.log) return;
    ++totals_.wipes;
    cluster_->wipe(node);
}

void Simulation::fail_disk(Node& node) {
    cluster_->fail_disk(node);
    at_node(20 + world_.below(200), node.id, [this](Node& n) {
        crash(n, false);
        restart_later(n.id);
    });
}

/// Bits flip in what is committed, and are found later; it is mended by who has it.
void Simulation::rot() {
    if (Node& node = any(); !quiet_ && node.core && !node.log->rot() && world_.chance(20)) {
        const auto from = node.log->start() + world_.below(node.log->end() - node.log->start() + 1);
        const auto most = std::min(node.log->durable(), node.core->high_watermark());
        if (from < most) {
            ++totals_.rots;
            node.log->rot({from, std::min(most, from + 1 + world_.below(8))});
        }
    }
    for (auto& [id, node] : cluster_->nodes()) {
        if (!node.core || !node.log->rot() || world_.now() < paused_[id]) continue;
        const auto rot = *node.log->rot();
        const auto& others = cluster_->nodes();
        const bool lost = std::ranges::none_of(others, [&](const auto& other) {
            const Node& n = other.second;
            return n.id != id && n.log && n.log->readable(rot.from, rot.until) &&
                   n.log->at(rot.until - 1).epoch == node.log->at(rot.until - 1).epoch;
        });
        // The last intact copy went with a disk, by a move or in an unclean election: nobody is to
        // blame, and it is for an operator to mend.
        if (lost && quiet_) node.log->mend();
        else if (!node.rot_found && world_.chance(30)) cluster_->told_of_rot(node, true);
        else if (node.rot_found) cluster_->mend(node, any());
    }
}

/// A disk runs full, and somebody makes room.
void Simulation::fill_disks() {
    for (auto& [id, node] : cluster_->nodes()) {
        const bool full = !quiet_ && (node.full ? !world_.chance(15) : world_.chance(4));
        if (full == node.full) continue;
        totals_.fills += full ? 1 : 0;
        cluster_->fill(node, full);
    }
}

void Simulation::chaos() {
    if (quiet_) return;
    world_.after(40, [this] { chaos(); });
    if (Node& node = any(); node.up && world_.chance(knobs_.crashes)) {
        crash(node, !world_.chance(knobs_.power));
        if (world_.chance(knobs_.wipes)) wipe(node);
        restart_later(node.id);
    }
    if (world_.chance(knobs_.blackouts)) black_out();
    if (Node& node = any(); node.up && node.epoch >= 0 && world_.chance(knobs_.stops)) {
        if (world_.chance(70)) {
            node.stopping = true;
        } else {
            cluster_->stop(node);
            restart_later(node.id);
        }
    }
    if (Node& node = any(); node.up && world_.chance(knobs_.pauses)) {
        world_.trace("broker %d is paused", node.id.value);
        paused_[node.id] = world_.now() + 20 + world_.below(700);
    }
    if (world_.chance(knobs_.cuts)) cut();
    if (Node& node = any(); metadata_->image().active(node.id) && world_.chance(knobs_.fences)) {
        world_.trace("broker %d is fenced", node.id.value);
        metadata_->fence(node.id);
    }
    if (world_.chance(knobs_.failovers)) {
        controller_away_ = true;
        world_.after(50 + world_.below(400), [this] {
            if (!controller_away_) return;
            controller_away_ = false;
            metadata_->take_over(world_.now());
        });
    }
}

void Simulation::administer() {
    if (controller_away_) return;
    if (metadata_->stuck() && world_.chance(10)) metadata_->elect_uncleanly();
    if (quiet_ && world_.chance(10)) return metadata_->elect_preferred();
    if (quiet_) return;
    if (world_.chance(knobs_.moves)) {
        ++totals_.moves;
        if (world_.chance(20)) {
            metadata_->take_back_move();
        } else {
            std::vector<BrokerId> to;
            for (int32_t id = 0; id < knobs_.brokers; ++id)
                if (world_.chance(60)) to.push_back(BrokerId{id});
            if (to.size() >= 2 && world_.chance(50)) std::swap(to.front(), to.back());
            if (!to.empty() && (to.size() > 1 || world_.chance(10))) metadata_->move(to);
        }
    }
    if (world_.chance(knobs_.configs))
        metadata_->configure("min.insync.replicas", std::to_string(1 + world_.below(3)));
    if (world_.chance(5)) metadata_->elect_preferred();
    if (Node& node = any(); node.core && world_.chance(knobs_.deletes)) {
        // Not what a producer may still send again: its log would not know it any more.
        Offset before = node.core->high_watermark() - world_.below(30);
        for (const auto& p : producers_)
            if (const auto last = node.log->last_of(p.id); last && last->offset >= 0)
                before = std::min(before, last->offset);
        if (before > node.log->start()) cluster_->delete_records(node, before);
    }
}

}  // namespace replica::sim
