#include "controller/brokers.h"

#include <gtest/gtest.h>

#include "controller/elections.h"
#include "controller/testing.h"

namespace controller {
namespace {

using base::BrokerId;
using kafka::ErrorCode;

constexpr BrokerId k0{0}, k1{1}, k2{2};

metadata::Partition partition_of(int32_t index, std::vector<BrokerId> replicas) {
    metadata::Partition p;
    p.index = index;
    p.isr = replicas;
    p.leader = replicas.front();
    p.replicas = std::move(replicas);
    return p;
}

metadata::Broker starting(BrokerId id, uint64_t incarnation) {
    metadata::Broker b;
    b.id = id;
    b.incarnation = {incarnation, incarnation};
    b.endpoints.push_back({"PLAINTEXT", "localhost", 9092, "PLAINTEXT"});
    return b;
}

class Brokers : public testing::Test {
  protected:
    Brokers() {
        cluster.replay({metadata::topic_record("t", kTopic),
                        metadata::partition_record(kTopic, partition_of(0, {k0})),
                        metadata::partition_record(kTopic, partition_of(1, {k0, k1})),
                        metadata::partition_record(kTopic, partition_of(2, {k1, k0}))});
    }
    int64_t start(BrokerId id, uint64_t incarnation) {
        auto index = cluster.image()->position().index + 1;
        auto outcome = register_broker(cluster.state(), starting(id, incarnation), index, false);
        EXPECT_TRUE(outcome.ok());
        return cluster.commit(*std::move(outcome));
    }
    const metadata::Partition& partition(int32_t i) {
        return *cluster.image()->partition({kTopic, i});
    }

    static constexpr base::TopicId kTopic{1, 1};
    TestCluster cluster{2};
};

TEST_F(Brokers, ARestartGivesUpLeadershipUntilTheBrokerServesAgain) {
    auto epoch = start(k0, 5);
    EXPECT_EQ(epoch, cluster.image()->position().index);
    EXPECT_TRUE(cluster.image()->broker(k0)->fenced);
    EXPECT_EQ(partition(0).leader, metadata::kNoBroker);
    EXPECT_EQ(partition(0).leader_epoch, 1);
    EXPECT_EQ(partition(0).isr, (std::vector<BrokerId>{k0})) << "it holds what was acknowledged";
    EXPECT_EQ(partition(1).leader, k1);
    EXPECT_EQ(partition(2).leader_epoch, 0) << "it did not lead this one";

    auto outcome = unfence_broker(cluster.state(), k0, epoch);
    ASSERT_TRUE(outcome.ok());
    cluster.commit(*std::move(outcome));
    EXPECT_TRUE(cluster.image()->active(k0));
    EXPECT_EQ(partition(0).leader, k0);
    EXPECT_EQ(partition(0).leader_epoch, 2);
    EXPECT_EQ(partition(1).leader, k1);
    auto again = unfence_broker(cluster.state(), k0, epoch);
    ASSERT_TRUE(again.ok());
    EXPECT_TRUE(again->records.empty());
}

TEST_F(Brokers, OneProcessForEachId) {
    auto epoch = start(k0, 5);
    cluster.commit(*unfence_broker(cluster.state(), k0, epoch));
    EXPECT_EQ(register_broker(cluster.state(), starting(k0, 6), 9, true).error().code,
              ErrorCode::duplicate_broker_registration);
    EXPECT_TRUE(register_broker(cluster.state(), starting(k0, 5), 9, true).ok()) << "the same one";
    EXPECT_TRUE(register_broker(cluster.state(), starting(k0, 6), 9, false).ok())
        << "the other is gone";
    EXPECT_TRUE(register_broker(cluster.state(), starting(k2, 6), 9, true).ok()) << "a new one";
}

TEST_F(Brokers, AnOldRegistrationHasNoSay) {
    auto old = start(k0, 5);
    auto epoch = start(k0, 6);
    EXPECT_EQ(unfence_broker(cluster.state(), k0, old).error().code, ErrorCode::stale_broker_epoch);
    EXPECT_EQ(unfence_broker(cluster.state(), k2, 1).error().code,
              ErrorCode::broker_id_not_registered);
    EXPECT_EQ(allocate_producer_ids(cluster.state(), k0, old).error().code,
              ErrorCode::stale_broker_epoch);
    EXPECT_EQ(allocate_producer_ids(cluster.state(), k2, 1).error().code,
              ErrorCode::broker_id_not_registered);
    EXPECT_TRUE(allocate_producer_ids(cluster.state(), k0, epoch).ok());
}

TEST_F(Brokers, ProducerIdsComeInBlocksThatNeverOverlap) {
    for (int64_t i = 0; i < 3; ++i) {
        auto outcome = allocate_producer_ids(cluster.state(), k1, 1);
        ASSERT_TRUE(outcome.ok());
        EXPECT_EQ(cluster.commit(*std::move(outcome)), (ProducerIdBlock{i * 1000, 1000}));
    }
    cluster.replay({metadata::producer_ids_record(INT64_MAX - 999, k1, 1)});
    EXPECT_EQ(allocate_producer_ids(cluster.state(), k1, 1).error().code,
              ErrorCode::unknown_server_error);
}

TEST(Elections, PreferTheIsrThenTheElrInTheOrderOfReplicas) {
    metadata::Partition p = partition_of(0, {k0, k1, k2});
    auto all = [](BrokerId) { return true; };
    EXPECT_EQ(elect(p, all), k0);
    EXPECT_EQ(elect(p, [](BrokerId id) { return id != k0; }), k1);
    p.isr = {k2};
    p.elr = {k1};
    EXPECT_EQ(elect(p, all), k2);
    EXPECT_EQ(elect(p, [](BrokerId id) { return id != k2; }), k1);
    EXPECT_EQ(elect(p, [](BrokerId id) { return id == k0; }), metadata::kNoBroker)
        << "it may lack what was acknowledged";
    p.isr.clear();
    p.elr.clear();
    EXPECT_EQ(elect(p, all), metadata::kNoBroker);
}

TEST(Elections, ALeaderFromTheElrJoinsTheIsr) {
    metadata::Partition p = partition_of(0, {k0, k1, k2});
    p.isr = {};
    p.elr = {k1, k2};
    p.leader = metadata::kNoBroker;
    TestCluster cluster(3);
    cluster.replay({metadata::topic_record("t", {1, 1}), metadata::partition_record({1, 1}, p)});
    EXPECT_EQ(leader_change({1, 1}, p, metadata::kNoBroker), std::nullopt);
    cluster.replay({*leader_change({1, 1}, p, k1)});
    const auto* now = cluster.image()->partition({{1, 1}, 0});
    EXPECT_EQ(now->leader, k1);
    EXPECT_EQ(now->isr, (std::vector<BrokerId>{k1}));
    EXPECT_EQ(now->elr, (std::vector<BrokerId>{k2}));
}

}  // namespace
}  // namespace controller
