#include "controller/partitions.h"

#include <gtest/gtest.h>

#include "controller/testing.h"

namespace controller {
namespace {

using base::BrokerId;
using kafka::ErrorCode;
using Ids = std::vector<BrokerId>;

constexpr base::TopicId kTopic{1, 1};

Ids ids(std::initializer_list<int32_t> of) {
    Ids out;
    for (int32_t id : of) out.push_back(BrokerId{id});
    return out;
}

class Partitions : public testing::Test {
  protected:
    Partitions() {
        p.replicas = ids({0, 1, 2});
        p.isr = ids({0, 1});
        p.leader = BrokerId{0};
        p.leader_epoch = 3;
        p.partition_epoch = 5;
        cluster.replay(
            {metadata::topic_record("t", kTopic), metadata::partition_record(kTopic, p)});
    }
    const metadata::Partition& now() { return *cluster.image()->partition({kTopic, 0}); }

    struct Proposal {
        std::vector<kafka::AlterPartitionRequest::BrokerState> isr{{0, 1}, {1, 1}};
        int32_t broker = 0;
        std::optional<int32_t> leader_epoch = {}, partition_epoch = {};
        int32_t index = 0;
        base::TopicId topic = kTopic;
        int8_t recovery = 0;
    };
    kafka::AlterPartitionResponse::PartitionData propose(const Proposal& of) {
        kafka::AlterPartitionRequest request;
        request.broker_id = of.broker;
        request.broker_epoch = 1;
        auto& row = request.topics.emplace_back().partitions.emplace_back();
        request.topics[0].topic_id = of.topic;
        row.partition_index = of.index;
        row.leader_epoch = of.leader_epoch.value_or(now().leader_epoch);
        row.partition_epoch = of.partition_epoch.value_or(now().partition_epoch);
        row.new_isr_with_epochs = of.isr;
        row.leader_recovery_state = of.recovery;
        auto response = cluster.commit(alter_partitions(cluster.state(), request));
        EXPECT_EQ(response.error_code, ErrorCode::none);
        return response.topics.at(0).partitions.at(0);
    }
    ErrorCode refused(const Proposal& of) {
        const auto before = now();
        const auto code = propose(of).error_code;
        EXPECT_EQ(now(), before);
        return code;
    }

    TestCluster cluster{5};
    metadata::Partition p;
};

TEST_F(Partitions, TakeTheLeadersIsr) {
    auto row = propose({.isr = {{2, 1}, {1, 1}, {0, 1}}});
    EXPECT_EQ(row.error_code, ErrorCode::none);
    EXPECT_EQ(row.isr, (std::vector<int32_t>{0, 1, 2}));
    EXPECT_EQ(row.partition_epoch, 6);
    EXPECT_EQ(row.leader_epoch, 3);
    EXPECT_EQ(now().isr, ids({0, 1, 2}));
    EXPECT_EQ(propose({.isr = {{0, 1}}}).error_code, ErrorCode::none);
    EXPECT_EQ(now().elr, ids({1, 2}));
    EXPECT_EQ(propose({.isr = {{0, -1}, {1, -1}}}).error_code, ErrorCode::none);
    EXPECT_TRUE(now().elr.empty());
}

TEST_F(Partitions, TheSameIsrAgainMakesOlderProposalsVoid) {
    const auto row = propose({});
    EXPECT_EQ(row.error_code, ErrorCode::none);
    EXPECT_EQ(row.partition_epoch, 6);
    EXPECT_EQ(now().partition_epoch, 6);
    EXPECT_EQ(now().isr, ids({0, 1}));
    EXPECT_EQ(refused({.isr = {{0, 1}, {1, 1}, {2, 1}}, .partition_epoch = 5}),
              ErrorCode::invalid_update_version);
}

TEST_F(Partitions, RefuseInKafkasOrder) {
    EXPECT_EQ(refused({.topic = {9, 9}}), ErrorCode::unknown_topic_id);
    EXPECT_EQ(refused({.index = 7}), ErrorCode::unknown_topic_or_partition);
    EXPECT_EQ(refused({.index = -1}), ErrorCode::unknown_topic_or_partition);
    EXPECT_EQ(refused({.leader_epoch = 4}), ErrorCode::not_controller);
    EXPECT_EQ(refused({.leader_epoch = 2, .partition_epoch = 6}), ErrorCode::not_controller);
    EXPECT_EQ(refused({.broker = 1, .leader_epoch = 2}), ErrorCode::fenced_leader_epoch);
    EXPECT_EQ(refused({.broker = 1, .partition_epoch = 4}), ErrorCode::invalid_request);
    EXPECT_EQ(refused({.isr = {}, .partition_epoch = 4}), ErrorCode::invalid_update_version);
    EXPECT_EQ(refused({.isr = {{0, 1}, {3, 1}}}), ErrorCode::invalid_request) << "no replica";
    EXPECT_EQ(refused({.isr = {{0, 1}, {0, 1}}}), ErrorCode::invalid_request) << "twice";
    EXPECT_EQ(refused({.recovery = 1}), ErrorCode::invalid_request);
    EXPECT_EQ(refused({.isr = {{0, 1}}, .recovery = 1}), ErrorCode::invalid_request);
    EXPECT_EQ(refused({.isr = {{0, 1}, {1, 2}}}), ErrorCode::ineligible_replica);
    cluster.fence(2);
    EXPECT_EQ(refused({.isr = {{0, 1}, {2, 1}}}), ErrorCode::ineligible_replica);
    EXPECT_EQ(refused({.isr = {{0, 1}, {2, -1}}}), ErrorCode::ineligible_replica);
}

TEST_F(Partitions, ALeaderResigns) {
    EXPECT_EQ(propose({.isr = {{1, 1}}}).error_code, ErrorCode::new_leader_elected);
    EXPECT_EQ(now().leader, BrokerId{1});
    EXPECT_EQ(now().leader_epoch, 4);
    EXPECT_EQ(now().partition_epoch, 6);
    EXPECT_EQ(now().isr, ids({1}));
    EXPECT_TRUE(now().elr.empty()) << "what it has nobody may rely on";
    EXPECT_EQ(refused({.isr = {}}), ErrorCode::invalid_request) << "it leads no more";
}

TEST_F(Partitions, ALeaderResignsInFavourOfTheElr) {
    propose({.isr = {{0, 1}}});
    ASSERT_EQ(now().elr, ids({1}));
    EXPECT_EQ(propose({.isr = {}}).error_code, ErrorCode::new_leader_elected);
    EXPECT_EQ(now().leader, BrokerId{1});
    EXPECT_EQ(now().isr, ids({1}));
    EXPECT_TRUE(now().elr.empty());
    EXPECT_FALSE(now().recovering);
}

TEST_F(Partitions, ALeaderStaysWhereNobodyCanTakeItsPlace) {
    cluster.fence(1);
    EXPECT_EQ(refused({.isr = {{1, 1}}}), ErrorCode::eligible_leaders_not_available);
    p = now();
    p.isr = ids({0});
    ++p.partition_epoch;
    cluster.replay({metadata::partition_record(kTopic, p)});
    cluster.static_configs["unclean.leader.election.enable"] = "true";
    EXPECT_EQ(refused({.isr = {}}), ErrorCode::eligible_leaders_not_available)
        << "nor is anybody elected who may lack something";
}

TEST_F(Partitions, WhoResignsLeavesTheRestAsItIs) {
    p.isr = ids({0, 1, 2});
    cluster.replay({metadata::partition_record(kTopic, p)});
    EXPECT_EQ(refused({.isr = {{1, 1}}}), ErrorCode::invalid_request);
    EXPECT_EQ(refused({.isr = {{1, 1}, {3, 1}}}), ErrorCode::invalid_request);
    EXPECT_EQ(refused({.isr = {{1, 1}, {2, 1}}, .broker = 1}), ErrorCode::invalid_request);
    EXPECT_EQ(refused({.isr = {{1, 1}, {2, 1}}, .partition_epoch = 4}),
              ErrorCode::invalid_update_version);
    cluster.fence(1);
    EXPECT_EQ(propose({.isr = {{2, 1}, {1, 1}}}).error_code, ErrorCode::new_leader_elected);
    EXPECT_EQ(now().leader, BrokerId{2});
}

TEST_F(Partitions, RefuseAnOldProcess) {
    kafka::AlterPartitionRequest request;
    request.broker_epoch = 9;
    EXPECT_EQ(alter_partitions(cluster.state(), request).response.error_code,
              ErrorCode::stale_broker_epoch);
    request.broker_id = 77;
    EXPECT_EQ(alter_partitions(cluster.state(), request).response.error_code,
              ErrorCode::broker_id_not_registered);
}

}  // namespace
}  // namespace controller
