#include "controller/raft/sim/cluster.h"

#include "base/check.h"

namespace raft::sim {

namespace {
constexpr base::Uuid kCluster{1, 1};

std::string address(int id) { return "c" + std::to_string(id); }
}  // namespace

void Cluster::found(int voters, int nodes) {
    Configuration founding;
    for (int id = 0; id < nodes; ++id)
        if (id < voters)
            founding.voters.emplace(Member{id, {7, static_cast<uint64_t>(id) + 1}}, address(id));
    incarnations_ = static_cast<uint64_t>(nodes);
    ghost_.founded(founding);
    for (int id = 0; id < nodes; ++id) {
        auto& node = nodes_[id];
        node.disk = std::make_unique<Disk>(Member{id, {7, static_cast<uint64_t>(id) + 1}},
                                           id < voters ? founding : Configuration{}, parts_);
        ghost_.knows(*node.disk);
        start(node);
    }
}

Node* Cluster::leader() {
    Node* newest = nullptr;
    for (auto& [id, node] : nodes_)
        if (node.raft && node.raft->leads() &&
            (!newest || node.raft->term() > newest->raft->term()))
            newest = &node;
    return newest;
}

bool Cluster::lives(const Member& m) const {
    const auto node = nodes_.find(m.id);
    return node != nodes_.end() && node->second.self() == m;
}

void Cluster::start(Node& node) {
    ++node.life;
    ghost_.started(node);
    auto options = options_;
    options.self = node.self();
    options.cluster = kCluster;
    node.raft = std::make_unique<Raft>(options, node.disk->stored(), *node.disk, outside_.draw());
    drain(node);
}

void Cluster::crash(Node& node, bool landed) {
    ++node.life;
    if (node.out && landed) land(node);
    node.out.reset();
    node.raft.reset();
}

void Cluster::wipe(Node& node) {
    const int id = node.self().id;
    crash(node, false);
    lost_.push_back(std::move(node.disk));
    node.disk = std::make_unique<Disk>(Member{id, {7, ++incarnations_}}, Configuration{}, parts_);
    ghost_.knows(*node.disk);
}

void Cluster::land(Node& node) {
    const auto& write = *node.out;
    State compacted;
    if (write.compact) compacted = node.compacting[write.compact->position.index];
    ghost_.writes(*node.disk, write);
    if (const auto what = node.disk->write(write, compacted)) return ghost_.fail(*what);
    ghost_.wrote(*node.disk, write);
}

void Cluster::finish_write(Node& node) {
    CHECK(node.out != nullptr);
    land(node);
    const auto write = std::exchange(node.out, nullptr);
    if (ghost_.broken()) return;
    if (write->install) {
        node.state = node.disk->state();
        ++snapshots_installed;
    }
    node.raft->written();
    for (const auto& m : write->then_send) send(m);
    drain(node);
}

void Cluster::fail_write(Node& node, bool landed) {
    if (landed) land(node);
    node.out.reset();
    node.raft->halt(base::unavailable("the disk failed"));
    drain(node);
}

void Cluster::deliver(const Message& m) {
    const auto found = nodes_.find(m.to.id);
    if (found == nodes_.end() || !found->second.raft) return;
    auto& node = found->second;
    const auto before = node.raft->term();
    if (outside_.trace) outside_.trace(describe(m));
    if (m.cluster != kCluster || m.to != node.self()) {
        const auto last = node.raft->log().last_position();
        node.raft->step(m);
        if (node.raft->term() != before || node.raft->log().last_position() != last ||
            !node.raft->take_messages().empty())
            ghost_.fail("20: a message for another cluster or incarnation has an effect");
        return;
    }
    ghost_.arrives(node, m);
    node.raft->step(m);
    const auto* request = std::get_if<VoteRequest>(&m.body);
    if (!request || !request->pre) return drain(node);
    bool granted = false;
    for (auto& answer : node.raft->take_messages()) {
        const auto* reply = std::get_if<VoteReply>(&answer.body);
        granted |= reply && reply->pre && reply->granted && answer.to == m.from;
        send(std::move(answer));
    }
    ghost_.pre_voted(node, before, granted);
    drain(node);
}

void Cluster::tick(Node& node) {
    if (!node.raft) return;
    ++node.ticks;
    const bool due = node.raft->ticks_until_due() == 1;
    node.raft->tick();
    // Whoever waits until one is due must miss nothing.
    if (!due && !node.raft->take_messages().empty())
        ghost_.fail("node " + std::to_string(node.self().id) + " sends at a tick that was not due");
    ghost_.ticked(node);
    drain(node);
}

bool Cluster::propose(Node& node, std::string data) {
    const bool taken = node.raft->propose(std::move(data)).ok();
    drain(node);
    return taken;
}

bool Cluster::change(Node& node, const Change& change) {
    const bool taken = node.raft->change(change).ok();
    changes += taken;
    if (const auto* remove = std::get_if<Remove>(&change); remove && taken)
        ghost_.removed(remove->member);
    drain(node);
    return taken;
}

bool Cluster::read(Node& node) {
    const auto context = ++last_read_;
    ghost_.read(node, context);
    const bool taken = !node.raft->read(context);
    if (!taken) node.reads.erase(context);
    drain(node);
    return taken;
}

bool Cluster::transfer(Node& node, const Member& to) {
    const bool taken = !node.raft->transfer(to);
    drain(node);
    return taken;
}

void Cluster::gone(Node& node, const Member& leader) {
    // What it was told stands against what it has heard.
    if (node.raft->leader() == leader) node.heard_at = -1;
    node.raft->gone(leader);
    drain(node);
}

bool Cluster::compact(Node& node) {
    const auto at = node.state.applied;
    if (!node.raft->failure().ok() || at <= node.raft->log().snapshot().index) return false;
    node.compacting[at] = node.state;
    node.raft->compact(at);
    drain(node);
    return true;
}

void Cluster::send(Message m) {
    ghost_.leaves(m);
    outside_.send(std::move(m));
}

void Cluster::apply(Node& node) {
    for (const auto& entry : node.raft->to_apply(node.state.applied, 256)) {
        node.state.apply(entry);
        ghost_.applied(node, entry);
    }
}

void Cluster::drain(Node& node) {
    auto& raft = *node.raft;
    ghost_.check(node);
    if (!node.out) {
        if (auto write = raft.take_write()) {
            node.out = std::make_shared<const Write>(*std::move(write));
            outside_.write(node);
        }
    }
    for (auto& m : raft.take_messages()) send(std::move(m));
    for (const auto& result : raft.take_reads()) {
        ghost_.answered(node, result);
        reads_answered += result.index.has_value();
    }
    apply(node);
    ghost_.check(node);
}

std::string describe(const Message& m) {
    const auto to = std::to_string(m.from.id) + "->" + std::to_string(m.to.id) + " term " +
                    std::to_string(m.term) + " ";
    const auto at = [](const Position& p) {
        return "(" + std::to_string(p.index) + "," + std::to_string(p.term) + ")";
    };
    if (const auto* v = std::get_if<VoteRequest>(&m.body))
        return to + (v->pre ? "pre-vote? " : "vote? ") + at(v->last) + (v->forced ? " forced" : "");
    if (const auto* v = std::get_if<VoteReply>(&m.body))
        return to + (v->pre ? "pre-vote: " : "vote: ") + (v->granted ? "yes" : "no");
    if (const auto* a = std::get_if<Append>(&m.body))
        return to + "append after " + at(a->prev) + ": " + std::to_string(a->entries.size()) +
               ", commit " + std::to_string(a->commit);
    if (const auto* a = std::get_if<AppendReply>(&m.body))
        return to + (a->ok ? "holds " : "refuses ") + std::to_string(a->match) +
               (a->ok ? "" : ", try " + at(a->hint));
    if (const auto* h = std::get_if<Heartbeat>(&m.body))
        return to + "heartbeat, commit " + std::to_string(h->commit) + ", round " +
               std::to_string(h->round);
    if (const auto* h = std::get_if<HeartbeatReply>(&m.body))
        return to + "heard, round " + std::to_string(h->round);
    if (const auto* c = std::get_if<SnapshotChunk>(&m.body))
        return to + "snapshot " + at(c->snapshot.position) + " part " + std::to_string(c->number) +
               (c->last ? ", last" : "");
    if (const auto* c = std::get_if<SnapshotReply>(&m.body))
        return to + "snapshot " + std::to_string(c->snapshot) + ", wants part " +
               std::to_string(c->next);
    return to + "campaign now";
}

}  // namespace raft::sim
