#include "controller/elections.h"

#include <gtest/gtest.h>

#include "controller/testing.h"

namespace controller {
namespace {

using base::BrokerId;
using kafka::ErrorCode;
using metadata::kNoBroker;
using Ids = std::vector<BrokerId>;

constexpr BrokerId k0{0}, k1{1}, k2{2};
constexpr base::TopicId kTopic{1, 1};

class Elections : public testing::Test {
  protected:
    Elections() {
        p.replicas = p.isr = {k0, k1, k2};
        p.leader = k0;
        cluster.replay({metadata::feature_record("metadata.version", 2),
                        metadata::topic_record("t", kTopic),
                        metadata::partition_record(kTopic, p)});
    }
    metadata::Partition decided(Change change, const Alive& alive) {
        return decide(p, std::move(change), *cluster.image()->topic("t"),
                      TopicRules(cluster.state()), alive);
    }
    BrokerId elected(const Alive& alive, Election election = Election::clean) {
        Change change(p);
        change.election = election;
        return decided(std::move(change), alive).leader;
    }
    metadata::Partition without(BrokerId id) {
        Change change(p);
        std::erase(change.isr, id);
        return decided(std::move(change), [id](BrokerId other) { return other != id; });
    }
    void put(const metadata::Partition& changed) {
        p = changed;
        cluster.replay({metadata::partition_record(kTopic, p)});
    }
    ErrorCode ask(int8_t type) {
        kafka::ElectLeadersRequest request;
        request.election_type = type;
        request.topic_partitions->push_back({"t", {0}});
        auto response = cluster.commit(elect_leaders(cluster.state(), request));
        p = *cluster.image()->partition({kTopic, 0});
        return response.replica_election_results.at(0).partition_result.at(0).error_code;
    }

    TestCluster cluster{3};
    metadata::Partition p;
    const Alive all = [](BrokerId) { return true; };
};

TEST_F(Elections, PreferTheIsrThenTheElrInTheOrderOfReplicas) {
    p.leader = k2;
    EXPECT_EQ(elected(all), k2) << "nobody is voted out";
    EXPECT_EQ(elected(all, Election::preferred), k0);
    p.leader = kNoBroker;
    EXPECT_EQ(elected(all), k0);
    EXPECT_EQ(elected([](BrokerId id) { return id != k0; }), k1);
    p.isr = {k2};
    p.elr = {k1};
    EXPECT_EQ(elected(all), k2);
    EXPECT_EQ(elected([](BrokerId id) { return id != k2; }), k1);
    EXPECT_EQ(elected([](BrokerId id) { return id == k0; }), kNoBroker)
        << "it may lack what was acknowledged";
    p.isr.clear();
    p.elr.clear();
    EXPECT_EQ(elected(all), kNoBroker);
    EXPECT_EQ(elected(all, Election::unclean), k0);
}

TEST_F(Elections, ALeaderFromTheElrJoinsTheIsr) {
    p.isr = {};
    p.elr = {k1, k2};
    p.leader = kNoBroker;
    auto next = decided(Change(p), [](BrokerId id) { return id == k1; });
    EXPECT_EQ(next.leader, k1);
    EXPECT_EQ(next.isr, (Ids{k1}));
    EXPECT_EQ(next.elr, (Ids{k2}));
    EXPECT_EQ(next.leader_epoch, p.leader_epoch + 1);
    EXPECT_FALSE(next.recovering);
}

TEST_F(Elections, TheElrFillsBelowTheMinimumAndEmptiesAtIt) {
    auto two = without(k0);
    EXPECT_EQ(two.isr, (Ids{k1, k2}));
    EXPECT_TRUE(two.elr.empty());
    EXPECT_EQ(two.leader, k1);
    put(two);
    auto one = without(k1);
    EXPECT_EQ(one.isr, (Ids{k2}));
    EXPECT_EQ(one.elr, (Ids{k1})) << "k0 left while others could still commit";
    put(one);
    Change emptied(p);
    emptied.isr.clear();
    auto none = decided(std::move(emptied), [](BrokerId) { return false; });
    EXPECT_TRUE(none.isr.empty());
    EXPECT_EQ(none.elr, (Ids{k1, k2}));
    EXPECT_EQ(none.leader, kNoBroker);
    EXPECT_EQ(none.last_known_elr, (Ids{k2}));
    put(one);
    Change grown(p);
    grown.isr.push_back(k0);
    EXPECT_TRUE(decided(std::move(grown), all).elr.empty());
}

TEST_F(Elections, TheLastLeaderOnlyIfItIsAlive) {
    p.isr = {};
    p.leader = kNoBroker;
    p.last_known_elr = {k1};
    EXPECT_EQ(elected([](BrokerId id) { return id != k1; }), kNoBroker);
    auto next = decided(Change(p), all);
    EXPECT_EQ(next.leader, k1);
    EXPECT_TRUE(next.recovering);
    EXPECT_TRUE(next.last_known_elr.empty());
}

TEST_F(Elections, AnUncleanLeaderLeavesNobodyElseEligible) {
    p.isr = {};
    p.elr = {k1};
    p.leader = kNoBroker;
    Change change(p);
    change.election = Election::unclean;
    auto next = decided(std::move(change), [](BrokerId id) { return id == k2; });
    EXPECT_EQ(next.leader, k2);
    EXPECT_EQ(next.isr, (Ids{k2}));
    EXPECT_TRUE(next.elr.empty()) << "k1 will cut its log back to that of k2";
    EXPECT_TRUE(next.recovering);
}

TEST_F(Elections, AnUncleanLeaderIsWhoLedLastOrElseNobodyWithANewDisk) {
    const auto replace_disk = [&](BrokerId id) {
        metadata::Broker broker = *cluster.image()->broker(id);
        broker.new_disk = true;
        cluster.replay({metadata::broker_record(broker)});
    };
    p.isr = {};
    p.elr = {k1};
    p.leader = kNoBroker;
    p.last_known_elr = {k2};
    const Alive others = [](BrokerId id) { return id != k1; };
    EXPECT_EQ(elected(others, Election::unclean), k2) << "it had more than k0";
    EXPECT_EQ(elected(others), kNoBroker);
    p.last_known_elr = {};
    EXPECT_EQ(elected(others, Election::unclean), k0);
    replace_disk(k0);
    EXPECT_EQ(elected(others, Election::unclean), k2) << "k0 may have nothing at all";
    EXPECT_EQ(elected([](BrokerId id) { return id == k0; }, Election::unclean), k0);
    replace_disk(k2);
    EXPECT_EQ(elected(others, Election::unclean), k0);
    p.elr = {k0};
    EXPECT_EQ(elected(others, Election::unclean), k0) << "not unclean at all";
}

TEST_F(Elections, ALastLeaderThatWentAwayMakesRoomForTheLastThatCouldHaveLed) {
    p.isr = {};
    p.elr = {k1};
    p.leader = kNoBroker;
    p.last_known_elr = {k0};
    Change moved(p);
    moved.replicas = {k1, k2};
    const Alive none = [](BrokerId) { return false; };
    auto next = decided(std::move(moved), none);
    EXPECT_TRUE(next.last_known_elr.empty()) << "it deletes its log, and may come back without";
    EXPECT_EQ(next.elr, (Ids{k1}));
    p = next;
    Change crashed(p);
    crashed.unclean = k1;
    next = decided(std::move(crashed), none);
    EXPECT_TRUE(next.elr.empty());
    EXPECT_EQ(next.last_known_elr, (Ids{k1}));
}

TEST_F(Elections, AreAskedForByClients) {
    EXPECT_EQ(ask(0), ErrorCode::election_not_needed);
    put(without(k0));
    EXPECT_EQ(ask(0), ErrorCode::preferred_leader_not_available);
    EXPECT_EQ(ask(1), ErrorCode::election_not_needed);
    p.isr = {k0, k1, k2};
    put(p);
    EXPECT_EQ(ask(0), ErrorCode::none);
    EXPECT_EQ(p.leader, k0);

    p.isr.clear();
    p.leader = kNoBroker;
    put(p);
    cluster.fence(0);
    EXPECT_EQ(ask(1), ErrorCode::none);
    EXPECT_EQ(p.leader, k1);
    EXPECT_EQ(p.isr, (Ids{k1}));
    EXPECT_TRUE(p.recovering);
    p.isr.clear();
    p.leader = kNoBroker;
    put(p);
    cluster.fence(1);
    cluster.fence(2);
    EXPECT_EQ(ask(1), ErrorCode::eligible_leaders_not_available);
    EXPECT_EQ(elect_leaders(cluster.state(), {.election_type = 7}).response.error_code,
              ErrorCode::invalid_request);
}

TEST_F(Elections, OfAllPartitionsTellOnlyWhatWasNeeded) {
    kafka::ElectLeadersRequest every;
    every.topic_partitions.reset();
    EXPECT_TRUE(elect_leaders(cluster.state(), every).response.replica_election_results.empty());
    p.leader = k1;
    put(p);
    auto d = elect_leaders(cluster.state(), every);
    EXPECT_EQ(d.records.size(), 1u);
    EXPECT_EQ(d.response.replica_election_results.at(0).topic, "t");
    kafka::ElectLeadersRequest unknown;
    unknown.topic_partitions->push_back({"nowhere", {0}});
    unknown.topic_partitions->push_back({"t", {1}});
    for (const auto& r : elect_leaders(cluster.state(), unknown).response.replica_election_results)
        EXPECT_EQ(r.partition_result.at(0).error_code, ErrorCode::unknown_topic_or_partition);
}

TEST_F(Elections, ALowerMinimumForgetsTheElr) {
    put(without(k0));
    put(without(k1));
    ASSERT_EQ(p.elr, (Ids{k1}));
    Records records{metadata::topic_config_record("t", "min.insync.replicas", "1")};
    forget_elr(cluster.state(), records);
    cluster.replay(records);
    EXPECT_TRUE(cluster.image()->partition({kTopic, 0})->elr.empty());
}

}  // namespace
}  // namespace controller
