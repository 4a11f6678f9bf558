#pragma once
#include <gtest/gtest.h>

#include <deque>
#include <set>
#include <utility>
#include <vector>

#include "tests/replication/sim/cluster.h"

namespace replica::sim {

/// A cluster of three brokers in which nothing happens by itself: a test tells step by step what
/// does. What is held back stays where it is; everything else happens in settle().
class Story : public testing::Test {
  protected:
    explicit Story(const Metadata::Rules& rules = {}, bool durable = true)
        : metadata(rules), cluster(settings(durable), metadata, outside()) {
        metadata.changed = [this](const metadata::Partition& before) {
            cluster.ghost().decided(before);
        };
        settle();
    }
    void TearDown() override { EXPECT_EQ(cluster.ghost().broken(), std::nullopt); }

    static Cluster::Settings settings(bool durable) {
        return {.options = {
                    .durable = durable, .lag_max_ms = 1'000, .join_wait_ms = 0, .retry_ms = 100}};
    }
    Cluster::Outside outside() {
        Cluster::Outside out;
        out.send = [this](Envelope e) {
            if (!cut.contains({e.from, e.to})) mail.push_back(std::move(e));
        };
        out.propose = [this](Node& node, const Proposal& p) { proposals.emplace_back(&node, p); };
        out.sync = [this](Node& node, const Log::Sync& s) { syncs.push_back({node.id, s}); };
        out.hang_up = [](BrokerId, BrokerId) {};
        return out;
    }

    Node& node(int id) { return cluster.node(BrokerId{id}); }
    const metadata::Partition& row() const { return metadata.row(); }
    Offset high_watermark(int id) { return node(id).core->high_watermark(); }
    Offset end(int id) { return node(id).log->end(); }

    /// News, messages, syncs and proposals, until there are none but those held back.
    void settle() {
        for (bool more = true; more;) {
            more = tell_news();
            more = sync_disks() || more;
            more = deliver_mail() || more;
            if (!hold_proposals) more = decide_proposals() || more;
            cluster.ghost().check();
            ASSERT_EQ(cluster.ghost().broken(), std::nullopt);
        }
    }
    void pass(InstantMs time) {
        cluster.now += time;
        for (auto& [id, n] : cluster.nodes()) cluster.tick(n);
        settle();
    }
    /// One record, to who says that it leads; false if it does not take it.
    bool produce(int to, Acks acks = Acks::all) {
        const auto outcome = cluster.produce(node(to), 1, sequence + 1, acks);
        if (outcome == Cluster::Produced::taken) ++sequence;
        return outcome == Cluster::Produced::taken;
    }
    void isolate(int id) {
        for (int other = -1; other < 3; ++other) {
            cut.insert({BrokerId{id}, BrokerId{other}});
            cut.insert({BrokerId{other}, BrokerId{id}});
        }
        behind.insert(BrokerId{id});
    }
    void heal() {
        cut.clear();
        behind.clear();
        for (const auto& [a, b] : {std::pair(0, 1), std::pair(0, 2), std::pair(1, 2)})
            cluster.broke(BrokerId{a}, BrokerId{b});
    }
    void fence(int id) { metadata.fence(BrokerId{id}); }
    /// The process ends; of what it had not synced `survives` records are left.
    void lose_power(int id, Offset survives = 0) {
        auto& n = node(id);
        cluster.crash(n, {.survives = n.log->durable() + survives, .known = n.log->synced()});
    }
    void kill(int id) {
        auto& n = node(id);
        cluster.crash(n, {.survives = n.log->end(), .known = n.log->synced()});
    }
    /// It starts, is registered, and comes into service.
    void start(int id) {
        auto& n = node(id);
        cluster.start(n);
        metadata.lost(n.id, metadata.image().broker(n.id)->epoch, cluster.now);
        const auto epoch = cluster.enroll(n);
        ASSERT_TRUE(epoch);
        cluster.registered(n, *epoch);
        serve(id);
    }
    /// A heartbeat of it arrives: it is not fenced any more.
    void serve(int id) {
        metadata.beat(BrokerId{id}, {.epoch = node(id).epoch, .index = metadata.index()},
                      cluster.now);
    }

    Metadata metadata;
    Cluster cluster;
    std::deque<Envelope> mail;
    std::deque<std::pair<Node*, Proposal>> proposals;
    struct Sync {
        BrokerId id;
        Log::Sync sync;
    };
    std::vector<Sync> syncs;
    std::set<std::pair<BrokerId, BrokerId>> cut;  // from, to
    std::set<BrokerId> behind;                    // they hear nothing of the metadata
    std::set<BrokerId> slow;                      // their disks don't sync
    bool hold_proposals = false;
    int64_t sequence = 0;

  private:
    bool tell_news() {
        bool any = false;
        for (auto& [id, n] : cluster.nodes()) {
            if (!n.up || behind.contains(id) || n.image >= metadata.index()) continue;
            cluster.follow(n, metadata.index());
            any = true;
        }
        return any;
    }
    bool sync_disks() {
        bool any = false;
        for (auto& [id, sync] : std::exchange(syncs, {})) {
            if (slow.contains(id)) {
                syncs.push_back({id, sync});
                continue;
            }
            cluster.finish_sync(cluster.node(id), sync);
            any = true;
        }
        return any;
    }
    bool deliver_mail() {
        const bool any = !mail.empty();
        while (!mail.empty()) {
            const Envelope e = std::move(mail.front());
            mail.pop_front();
            if (cluster.node(e.to).up && !cut.contains({e.from, e.to})) cluster.deliver(e);
        }
        return any;
    }
    bool decide_proposals() {
        const bool any = !proposals.empty();
        while (!proposals.empty()) {
            const auto [from, proposal] = proposals.front();
            proposals.pop_front();
            if (!cut.contains({from->id, kNobody})) decide(*from, proposal);
        }
        return any;
    }

  protected:
    Answer decide(Node& from, const Proposal& proposal) {
        const auto answer = metadata.alter(from.id, from.epoch, proposal);
        cluster.answered(from, proposal.number, answer);
        return answer;
    }
};

}  // namespace replica::sim
