#include "controller/reassignments.h"

#include <gtest/gtest.h>

#include "controller/brokers.h"
#include "controller/elections.h"
#include "controller/partitions.h"
#include "controller/testing.h"

namespace controller {
namespace {

using base::BrokerId;
using kafka::ErrorCode;
using Plain = std::vector<int32_t>;

constexpr base::TopicId kTopic{1, 1};

Plain plain(const std::vector<BrokerId>& ids) {
    Plain out;
    for (auto id : ids) out.push_back(id.value);
    return out;
}

/// One partition on brokers 0, 1 and 2 of six, all in sync.
class Reassignments : public testing::Test {
  protected:
    Reassignments() {
        cluster.static_configs["min.insync.replicas"] = "2";
        metadata::Partition p;
        p.replicas = p.isr = {BrokerId{0}, BrokerId{1}, BrokerId{2}};
        p.leader = BrokerId{0};
        p.leader_epoch = 3;
        p.partition_epoch = 5;
        cluster.replay(
            {metadata::topic_record("t", kTopic), metadata::partition_record(kTopic, p)});
    }
    const metadata::Partition& now() { return *cluster.image()->partition({kTopic, 0}); }

    ErrorCode move(std::optional<Plain> to, bool other_counts = true) {
        kafka::AlterPartitionReassignmentsRequest request;
        request.allow_replication_factor_change = other_counts;
        request.topics.push_back({"t", {{0, std::move(to)}}});
        auto response = cluster.commit(alter_reassignments(cluster.state(), request));
        EXPECT_EQ(response.error_code, ErrorCode::none);
        const auto& row = response.responses.at(0).partitions.at(0);
        EXPECT_EQ(row.error_message.has_value(), row.error_code != ErrorCode::none);
        return row.error_code;
    }
    ErrorCode take_back() { return move(std::nullopt); }
    /// The leader says who is in sync.
    ErrorCode in_sync(const Plain& isr) {
        kafka::AlterPartitionRequest request;
        request.broker_id = now().leader.value;
        request.broker_epoch = 1;
        auto& row = request.topics.emplace_back().partitions.emplace_back();
        request.topics[0].topic_id = kTopic;
        row.leader_epoch = now().leader_epoch;
        row.partition_epoch = now().partition_epoch;
        for (auto id : isr) row.new_isr_with_epochs.push_back({id, 1});
        auto response = cluster.commit(alter_partitions(cluster.state(), request));
        return response.topics.at(0).partitions.at(0).error_code;
    }
    void expect(const Plain& replicas, const Plain& adding, const Plain& removing) {
        EXPECT_EQ(plain(now().replicas), replicas);
        EXPECT_EQ(plain(now().adding_replicas), adding);
        EXPECT_EQ(plain(now().removing_replicas), removing);
    }

    TestCluster cluster{6};
};

TEST_F(Reassignments, AddFirstAndRemoveOnceTheNewOnesAreInSync) {
    EXPECT_EQ(move(Plain{3, 4, 1}), ErrorCode::none);
    expect({3, 4, 1, 0, 2}, {3, 4}, {0, 2});
    EXPECT_EQ(now().leader_epoch, 3) << "nothing ended yet";
    EXPECT_EQ(in_sync({0, 1, 2, 3}), ErrorCode::none);
    expect({3, 4, 1, 0, 2}, {3, 4}, {0, 2});
    EXPECT_EQ(in_sync({0, 1, 2, 3, 4}), ErrorCode::new_leader_elected);
    expect({3, 4, 1}, {}, {});
    EXPECT_EQ(plain(now().isr), (Plain{3, 4, 1}));
    EXPECT_EQ(now().leader, BrokerId{3});
    EXPECT_EQ(now().leader_epoch, 4);
    EXPECT_EQ(take_back(), ErrorCode::no_reassignment_in_progress);
}

TEST_F(Reassignments, OnlyAdd) {
    EXPECT_EQ(move(Plain{0, 1, 2, 3}), ErrorCode::none);
    expect({0, 1, 2, 3}, {3}, {});
    EXPECT_EQ(in_sync({0, 1, 2, 3}), ErrorCode::none);
    expect({0, 1, 2, 3}, {}, {});
    EXPECT_EQ(now().leader_epoch, 3) << "nobody has to stop following";
}

TEST_F(Reassignments, OnlyRemoveAtOnce) {
    EXPECT_EQ(move(Plain{0, 2}), ErrorCode::none);
    expect({0, 2}, {}, {});
    EXPECT_EQ(now().leader, BrokerId{0});
    EXPECT_EQ(now().leader_epoch, 4) << "the replica that went must not be followed any more";
}

TEST_F(Reassignments, OnlyReorder) {
    EXPECT_EQ(move(Plain{2, 1, 0}), ErrorCode::none);
    expect({2, 1, 0}, {}, {});
    EXPECT_EQ(now().leader, BrokerId{0}) << "until the preferred one is asked for";
    EXPECT_EQ(now().leader_epoch, 3);
    const auto epoch = now().partition_epoch;
    EXPECT_EQ(move(Plain{2, 1, 0}), ErrorCode::none);
    EXPECT_EQ(now().partition_epoch, epoch) << "it is there already";
}

TEST_F(Reassignments, RemoveTheLeader) {
    EXPECT_EQ(move(Plain{1, 2}), ErrorCode::none);
    expect({1, 2}, {}, {});
    EXPECT_EQ(now().leader, BrokerId{1});
    EXPECT_EQ(now().leader_epoch, 4);
}

TEST_F(Reassignments, KeepOldReplicasUntilEnoughOthersAreInSync) {
    EXPECT_EQ(in_sync({0, 1}), ErrorCode::none);
    EXPECT_EQ(move(Plain{0, 2}), ErrorCode::none);
    expect({0, 2, 1}, {}, {1});
    EXPECT_EQ(in_sync({0, 1, 2}), ErrorCode::none);
    expect({0, 2}, {}, {});
}

TEST_F(Reassignments, AFencedOneEndsAMoveOnlyIfEnoughAreLeft) {
    EXPECT_EQ(move(Plain{0, 3}), ErrorCode::none);
    EXPECT_EQ(in_sync({0, 1}), ErrorCode::none);
    cluster.commit(*fence_broker(cluster.state(), BrokerId{0}, 1));
    expect({0, 3, 1, 2}, {3}, {1, 2});
    EXPECT_EQ(now().leader, BrokerId{1});
    EXPECT_EQ(plain(now().elr), (Plain{0}));
    EXPECT_EQ(in_sync({1, 3}), ErrorCode::none);
    expect({0, 3, 1, 2}, {3}, {1, 2});
    EXPECT_EQ(plain(now().isr), (Plain{3, 1})) << "without 1 only 3 would be in sync";
    cluster.commit(*beat(cluster.state(), BrokerId{0}, 1));
    EXPECT_EQ(in_sync({0, 1, 3}), ErrorCode::new_leader_elected);
    expect({0, 3}, {}, {});
    EXPECT_EQ(now().leader, BrokerId{0});
}

TEST_F(Reassignments, AreTakenBack) {
    EXPECT_EQ(move(Plain{3, 4}), ErrorCode::none);
    EXPECT_EQ(in_sync({0, 1, 2, 3}), ErrorCode::none);
    EXPECT_EQ(take_back(), ErrorCode::none);
    expect({0, 1, 2}, {}, {});
    EXPECT_EQ(plain(now().isr), (Plain{0, 1, 2}));
    EXPECT_EQ(now().leader, BrokerId{0});
    EXPECT_EQ(now().leader_epoch, 4);
    EXPECT_EQ(take_back(), ErrorCode::no_reassignment_in_progress);
}

TEST_F(Reassignments, AreTakenBackFromTheNewLeaderToo) {
    EXPECT_EQ(move(Plain{3, 4, 5}), ErrorCode::none);
    EXPECT_EQ(in_sync({0, 1, 2, 3}), ErrorCode::none);
    kafka::ElectLeadersRequest prefer;
    prefer.topic_partitions->push_back({"t", {0}});
    cluster.commit(elect_leaders(cluster.state(), prefer));
    EXPECT_EQ(now().leader, BrokerId{3}) << "it is the first of the new ones";
    EXPECT_EQ(take_back(), ErrorCode::none);
    expect({0, 1, 2}, {}, {});
    EXPECT_EQ(now().leader, BrokerId{0});
}

TEST_F(Reassignments, AreNotTakenBackToTooFew) {
    EXPECT_EQ(move(Plain{3, 4}), ErrorCode::none);
    EXPECT_EQ(in_sync({0, 3}), ErrorCode::none);
    EXPECT_EQ(take_back(), ErrorCode::invalid_replica_assignment);
    expect({3, 4, 0, 1, 2}, {3, 4}, {0, 1, 2});
    EXPECT_EQ(in_sync({0, 2, 3}), ErrorCode::none);
    EXPECT_EQ(take_back(), ErrorCode::none);
    EXPECT_EQ(plain(now().isr), (Plain{0, 2}));
}

TEST_F(Reassignments, AreNotTakenBackFromTheOnlyOneThatMayLead) {
    ASSERT_EQ(move(Plain{0, 1, 3}), ErrorCode::none);
    auto p = now();
    p.isr = {};
    p.elr = {BrokerId{3}};
    p.leader = metadata::kNoBroker;
    cluster.replay({metadata::partition_record(kTopic, p)});
    EXPECT_EQ(take_back(), ErrorCode::invalid_replica_assignment);
    EXPECT_EQ(now(), p);

    p.elr = {};
    p.last_known_elr = {BrokerId{3}};
    cluster.replay({metadata::partition_record(kTopic, p)});
    EXPECT_EQ(take_back(), ErrorCode::invalid_replica_assignment) << "the last leader";
}

TEST_F(Reassignments, AreReplacedFromWhereTheyStarted) {
    EXPECT_EQ(move(Plain{3, 4}), ErrorCode::none);
    EXPECT_EQ(in_sync({0, 1, 2, 3}), ErrorCode::none);
    EXPECT_EQ(move(Plain{4, 1, 2}), ErrorCode::none) << "3 is not wanted any more";
    expect({4, 1, 2, 3, 0}, {4, 3}, {3, 0});
    EXPECT_EQ(plain(now().isr), (Plain{3, 0, 1, 2}));
    EXPECT_EQ(in_sync({0, 1, 2, 3, 4}), ErrorCode::new_leader_elected);
    expect({4, 1, 2}, {}, {});
    EXPECT_EQ(plain(now().isr), (Plain{4, 1, 2}));
}

TEST_F(Reassignments, AReplacedOneIsTakenBackToTheFirstStart) {
    EXPECT_EQ(move(Plain{3, 4}), ErrorCode::none);
    EXPECT_EQ(move(Plain{4, 5}), ErrorCode::none);
    expect({4, 5, 3, 0, 1, 2}, {4, 5, 3}, {3, 0, 1, 2});
    EXPECT_EQ(take_back(), ErrorCode::none);
    expect({0, 1, 2}, {}, {});
}

TEST_F(Reassignments, AReplacementByTheStartEndsTheMove) {
    EXPECT_EQ(move(Plain{3, 4, 5}), ErrorCode::none);
    EXPECT_EQ(move(Plain{0, 1, 2}), ErrorCode::none);
    expect({0, 1, 2}, {}, {});
}

TEST_F(Reassignments, OfOnlyOneReplica) {
    cluster.static_configs["min.insync.replicas"] = "1";
    EXPECT_EQ(move(Plain{0}), ErrorCode::none);
    expect({0}, {}, {});
    EXPECT_EQ(move(Plain{1}), ErrorCode::none);
    expect({1, 0}, {1}, {0});
    EXPECT_EQ(in_sync({0, 1}), ErrorCode::new_leader_elected);
    expect({1}, {}, {});
    EXPECT_EQ(now().leader, BrokerId{1});
}

TEST_F(Reassignments, ThatCannotBeAreRefused) {
    const auto before = now();
    EXPECT_EQ(move(Plain{}), ErrorCode::invalid_replica_assignment);
    EXPECT_EQ(move(Plain{1, 1}), ErrorCode::invalid_replica_assignment);
    EXPECT_EQ(move(Plain{1, 77}), ErrorCode::invalid_replica_assignment);
    EXPECT_EQ(move(Plain{1, -1}), ErrorCode::invalid_replica_assignment);
    EXPECT_EQ(move(Plain{1, 3}, false), ErrorCode::invalid_replication_factor);
    EXPECT_EQ(now(), before);
    EXPECT_EQ(move(Plain{1, 2, 3}, false), ErrorCode::none);
    EXPECT_EQ(move(Plain{1, 2, 3, 4}, false), ErrorCode::invalid_replication_factor)
        << "five replicas for a while, but three before and after";
}

TEST_F(Reassignments, EachPartitionHasItsOwnAnswer) {
    kafka::AlterPartitionReassignmentsRequest request;
    request.topics.push_back({"nowhere", {{0, Plain{1}}}});
    request.topics.push_back({"t", {{1, Plain{1}}, {-1, Plain{1}}, {0, Plain{3}}, {0, Plain{4}}}});
    const auto response = cluster.commit(alter_reassignments(cluster.state(), request));
    EXPECT_EQ(response.responses.at(0).partitions.at(0).error_code,
              ErrorCode::unknown_topic_or_partition);
    const auto& rows = response.responses.at(1).partitions;
    EXPECT_EQ(rows.at(0).error_code, ErrorCode::unknown_topic_or_partition);
    EXPECT_EQ(rows.at(1).error_code, ErrorCode::unknown_topic_or_partition);
    EXPECT_EQ(rows.at(2).error_code, ErrorCode::none);
    EXPECT_EQ(rows.at(3).error_code, ErrorCode::invalid_request) << "twice";
    expect({3, 0, 1, 2}, {3}, {0, 1, 2});
}

TEST_F(Reassignments, AreListedWhileTheyLast) {
    auto listed = [&](const kafka::ListPartitionReassignmentsRequest& request) {
        return list_reassignments(cluster.state(), request).topics;
    };
    kafka::ListPartitionReassignmentsRequest all, some;
    some.topics.emplace();
    some.topics->push_back({"nowhere", {0}});
    some.topics->push_back({"t", {1, 0}});
    EXPECT_TRUE(listed(all).empty());
    EXPECT_TRUE(listed(some).empty());
    EXPECT_EQ(move(Plain{3, 1}), ErrorCode::none);
    for (const auto& request : {all, some}) {
        const auto topics = listed(request);
        ASSERT_EQ(topics.size(), 1u);
        EXPECT_EQ(topics[0].name, "t");
        const auto& row = topics[0].partitions.at(0);
        EXPECT_EQ(row.replicas, (Plain{3, 1, 0, 2}));
        EXPECT_EQ(row.adding_replicas, (Plain{3}));
        EXPECT_EQ(row.removing_replicas, (Plain{0, 2}));
    }
    some.topics->pop_back();
    some.topics->push_back({"t", {1}});
    EXPECT_TRUE(listed(some).empty()) << "not asked for";
    EXPECT_EQ(in_sync({0, 1, 2, 3}), ErrorCode::new_leader_elected);
    EXPECT_TRUE(listed(all).empty());
}

}  // namespace
}  // namespace controller
