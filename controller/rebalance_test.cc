#include "controller/rebalance.h"

#include <gtest/gtest.h>

#include "controller/testing.h"

namespace controller {
namespace {

using base::BrokerId;
using Ids = std::vector<BrokerId>;

constexpr BrokerId k0{0}, k1{1}, k2{2};

class Rebalance : public testing::Test {
  protected:
    Rebalance() { cluster.replay({metadata::topic_record("t", kTopic)}); }
    void add(Ids replicas, BrokerId leader, Ids isr) {
        metadata::Partition p;
        p.index = count++;
        p.replicas = std::move(replicas);
        p.isr = std::move(isr);
        p.leader = leader;
        cluster.replay({metadata::partition_record(kTopic, p)});
    }
    void add(int n, Ids replicas, BrokerId leader) {
        for (int i = 0; i < n; ++i) add(replicas, leader, replicas);
    }
    const metadata::Partition& at(int32_t i) { return *cluster.image()->partition({kTopic, i}); }
    size_t rebalanced(int64_t percentage = 10) {
        auto out = rebalance(cluster.state(), percentage);
        const size_t records = out.records.size();
        if (records > 0) cluster.replay(std::move(out.records));
        return records;
    }

    static constexpr base::TopicId kTopic{1, 1};
    TestCluster cluster{3};
    int32_t count = 0;
};

TEST_F(Rebalance, LeadershipGoesBackToFirstReplicas) {
    add(2, {k0, k1, k2}, k1);
    add(3, {k1, k2, k0}, k1);
    EXPECT_EQ(rebalanced(), 2u);
    for (int32_t i : {0, 1}) {
        EXPECT_EQ(at(i).leader, k0);
        EXPECT_EQ(at(i).leader_epoch, 1);
        EXPECT_EQ(at(i).isr, (Ids{k0, k1, k2}));
    }
    EXPECT_EQ(rebalanced(), 0u);
}

TEST_F(Rebalance, AFewAreLeftWhereTheyAre) {
    add(9, {k0, k1}, k0);
    add(1, {k0, k1}, k1);
    EXPECT_EQ(rebalanced(10), 0u) << "of ten, one is as much as is allowed";
    EXPECT_EQ(rebalanced(9), 1u);
    EXPECT_EQ(at(9).leader, k0);
}

TEST_F(Rebalance, OnlyToThoseInServiceAndInSync) {
    add({k0, k1}, k1, {k1});
    EXPECT_EQ(rebalanced(), 0u) << "it has to catch up first";
    add({k0, k1}, k1, {k0, k1});
    cluster.fence(0);
    EXPECT_EQ(rebalanced(), 0u) << "it isn't in service";
}

TEST_F(Rebalance, NotWhileThePartitionMoves) {
    metadata::Partition p;
    p.index = count++;
    p.replicas = {k2, k0};
    p.isr = {k0, k2};
    p.adding_replicas = {k2};
    p.leader = k0;
    cluster.replay({metadata::partition_record(kTopic, p)});
    EXPECT_EQ(rebalanced(), 0u);
}

TEST_F(Rebalance, NoMoreThanOneDecisionMayChange) {
    add(5, {k0, k1}, k1);
    auto out = rebalance(cluster.state(), 10, 3);
    EXPECT_EQ(out.records.size(), 3u);
    EXPECT_TRUE(out.more);
    cluster.replay(std::move(out.records));
    out = rebalance(cluster.state(), 10, 3);
    EXPECT_EQ(out.records.size(), 2u);
    EXPECT_FALSE(out.more);
}

}  // namespace
}  // namespace controller
