// What went wrong with others, told again: nothing may be lost, and every invariant is checked
// after each step.
#include <algorithm>

#include "tests/replication/story.h"

namespace replica::sim {
namespace {

using Ids = std::vector<BrokerId>;

constexpr BrokerId k0{0}, k1{1}, k2{2};

class Stories : public Story {};

TEST_F(Stories, AllIsWell) {
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(produce(0));
    settle();
    EXPECT_EQ(cluster.ghost().acks, 5u);
    for (int id : {0, 1, 2}) EXPECT_EQ(high_watermark(id), 5);
}

// KAFKA-1211: a follower restarts before it hears of the high watermark, and the leader dies.
TEST_F(Stories, TheAcknowledgedTailStaysWhereItsHighWatermarkIsNotKnown) {
    produce(0);
    produce(0);
    cut = {{k0, k1}};
    for (const auto& e : mail) cluster.deliver(e);
    mail.clear();
    settle();
    ASSERT_EQ(cluster.ghost().acks, 2u);
    EXPECT_EQ(high_watermark(1), 0) << "nobody has told it";
    cut.clear();
    kill(1);
    start(1);
    kill(0);
    fence(0);
    fence(2);
    settle();
    serve(2);
    settle();
    EXPECT_EQ(end(1), 2);
    start(0);
    settle();
    EXPECT_EQ(end(0), 2);
}

// KAFKA-6361: two elections in a row, of which the leader that comes back has missed one.
TEST_F(Stories, TwoElectionsInARowLeaveEqualLogs) {
    produce(0);
    settle();
    isolate(0);
    produce(0, Acks::leader);  // epoch 0 at 1, which nobody else has
    produce(0, Acks::leader);
    fence(0);
    settle();
    ASSERT_EQ(row().leader, k1);
    sequence = 1;
    cut.insert({k1, k2});
    ASSERT_TRUE(produce(1));  // of epoch 1 at 1, which only broker 1 has
    settle();
    fence(1);
    kill(1);
    settle();
    ASSERT_EQ(row().leader, k2);
    sequence = 1;
    heal();
    serve(0);
    settle();
    ASSERT_TRUE(produce(2));
    settle();
    start(1);
    settle();
    for (int id : {0, 1}) {
        EXPECT_EQ(end(id), end(2));
        EXPECT_EQ(node(id).log->at(1), node(2).log->at(1));
    }
}

// KAFKA-7415: elections with nothing written between them.
TEST_F(Stories, ElectionsWithoutARecordCutNothing) {
    for (int i = 0; i < 3; ++i) produce(0);
    settle();
    for (int leader : {0, 1, 2, 0, 1}) {
        fence(leader);
        settle();
        serve(leader);
        settle();
    }
    EXPECT_EQ(cluster.ghost().last(), 3);
    for (int id : {0, 1, 2}) EXPECT_EQ(end(id), 3);
}

// KAFKA-7128: a follower has all below the new leader's high watermark, which is old.
TEST_F(Stories, NobodyJoinsBelowTheEpochsStart) {
    cut = {{k0, k2}};
    for (int i = 0; i < 3; ++i) produce(0);
    settle();
    pass(1'001);  // broker 2 leaves the ISR, and the three are committed
    ASSERT_EQ(row().isr, (Ids{k0, k1}));
    ASSERT_EQ(cluster.ghost().acks, 3u);
    cut = {{k1, k2}, {k0, k1}};
    kill(0);
    fence(0);
    settle();
    ASSERT_EQ(row().leader, k1);
    cluster.broke(k1, k2);
    settle();
    EXPECT_EQ(row().isr, (Ids{k1})) << "it has none of the three";
    cut.clear();
    cluster.broke(k1, k2);
    settle();
    EXPECT_EQ(row().isr, (Ids{k1, k2}));
    EXPECT_EQ(end(2), 3);
}

// KIP-966: the ISR shrinks to one, which loses its disk.
TEST_F(Stories, WhoLeftASmallIsrMayLead) {
    produce(0);
    settle();
    fence(2);
    fence(1);
    settle();
    EXPECT_EQ(row().isr, (Ids{k0}));
    EXPECT_EQ(row().elr, (Ids{k1}));
    EXPECT_FALSE(produce(0)) << "too few are in sync";
    EXPECT_TRUE(produce(0, Acks::leader));
    settle();
    kill(0);
    cluster.wipe(node(0));
    start(0);
    serve(1);
    settle();
    EXPECT_EQ(row().leader, k1);
    EXPECT_EQ(cluster.ghost().unclean, 0u);
    EXPECT_EQ(cluster.ghost().last(), end(0));
}

// KAFKA-19522: ISR and ELR are empty, and the last leader is dead.
TEST_F(Stories, NobodyLeadsWhereOnlyADeadLeaderCould) {
    produce(0);
    settle();
    for (int id : {2, 1}) {
        kill(id);
        fence(id);
    }
    settle();
    kill(0);
    fence(0);
    start(1);  // after an unclean end each
    start(2);
    settle();
    ASSERT_EQ(row().elr, (Ids{k0}));
    EXPECT_EQ(row().leader, kNobody);
    start(0);
    settle();
    EXPECT_EQ(row().leader, k0);
    EXPECT_EQ(cluster.ghost().losses, 0u);
    EXPECT_EQ(cluster.ghost().last(), 1);
}

// KAFKA-14704: what an old leader alone has is never shown, there or later.
TEST_F(Stories, AnOldLeaderShowsNothingUncommitted) {
    produce(0);
    settle();
    isolate(0);
    ASSERT_TRUE(produce(0));
    fence(0);
    settle();
    sequence = 1;
    ASSERT_TRUE(produce(1));
    settle();
    EXPECT_EQ(high_watermark(0), 1);
    heal();
    serve(0);
    settle();
    EXPECT_EQ(high_watermark(0), cluster.ghost().last());
    EXPECT_EQ(node(0).log->at(1), node(1).log->at(1));
}

// KAFKA-13916: a follower is fenced when it has just caught up.
TEST_F(Stories, AFencedFollowerDoesNotJoin) {
    fence(2);
    settle();
    hold_proposals = true;
    serve(2);
    settle();
    ASSERT_EQ(proposals.size(), 1u);
    fence(2);
    behind = {k0};
    const auto [from, proposal] = proposals.front();
    proposals.pop_front();
    EXPECT_EQ(decide(*from, proposal), Answer::ineligible);
    EXPECT_EQ(node(0).core->maximal_isr().size(), 3u) << "a copy may come yet";
    hold_proposals = false;
    behind.clear();
    settle();
    EXPECT_EQ(node(0).core->maximal_isr(), (Ids{k0, k1}));
}

// A copy of a refused proposal comes when the follower is eligible again.
TEST_F(Stories, ARefusedProposalIsNotTakenLater) {
    fence(2);
    settle();
    hold_proposals = true;
    serve(2);
    settle();
    const auto [from, proposal] = proposals.front();
    proposals.pop_front();
    isolate(2);
    fence(2);
    behind = {k0, k2};
    ASSERT_EQ(decide(*from, proposal), Answer::ineligible);
    hold_proposals = false;
    behind = {k2};
    settle();
    produce(0);
    settle();
    EXPECT_EQ(cluster.ghost().acks, 1u) << "without broker 2";
    serve(2);  // eligible, and it has not the record
    EXPECT_EQ(metadata.alter(k0, from->epoch, proposal), Answer::stale);
    settle();
    EXPECT_EQ(row().isr, (Ids{k0, k1}));
}

// CVE-2018-1288: somebody says that a follower has what it has not.
TEST_F(Stories, ForgedAcknowledgementsChangeNothing) {
    slow = {k1, k2};
    produce(0);
    settle();
    Acknowledgement forged{.from = k1,
                           .broker_epoch = node(1).epoch,
                           .epoch = 0,
                           .session = 99,
                           .held = 1,
                           .synced = 1};
    cluster.deliver({k1, k0, forged});
    forged.session = 1;
    forged.broker_epoch = 7'777;
    cluster.deliver({k1, k0, forged});
    forged.broker_epoch = node(1).epoch;
    forged.held = forged.synced = 1'000;
    cluster.deliver({k1, k0, forged});
    EXPECT_EQ(high_watermark(0), 0);
}

// NATS 7564: all lose power at once.
TEST_F(Stories, WhatIsAcknowledgedSurvivesTheLossOfPowerOfAll) {
    for (int i = 0; i < 3; ++i) produce(0);
    settle();
    slow = {k0, k1, k2};
    for (int i = 0; i < 3; ++i) produce(0);
    settle();
    ASSERT_EQ(cluster.ghost().acks, 3u);
    for (int id : {0, 1, 2}) lose_power(id);
    slow.clear();
    syncs.clear();
    for (int id : {2, 1, 0}) start(id);
    settle();
    pass(200);
    EXPECT_EQ(cluster.ghost().losses, 0u);
    for (int id : {0, 1, 2}) EXPECT_EQ(end(id), 3);
    EXPECT_EQ(row().isr.size(), 3u);
}

// A follower held and did not sync; in the ISR it would lead, and lose power.
TEST_F(Stories, WhoHasNotSyncedDoesNotJoin) {
    fence(2);
    settle();
    slow = {k2};
    produce(0);
    settle();
    ASSERT_EQ(cluster.ghost().acks, 1u);
    serve(2);
    settle();
    ASSERT_EQ(end(2), 1);
    EXPECT_EQ(row().isr, (Ids{k0, k1}));
    slow.clear();
    settle();
    EXPECT_EQ(row().isr, (Ids{k0, k1, k2}));
}

// Seed 21: a follower has records of its own below where the leader's log begins by now.
TEST_F(Stories, WhatNobodyCanCheckAnyMoreGoes) {
    produce(0);
    settle();
    isolate(0);
    produce(0, Acks::leader);
    produce(0, Acks::leader);
    fence(0);
    settle();
    sequence = 1;
    for (int i = 0; i < 3; ++i) produce(1);
    settle();
    cluster.delete_records(node(1), 3);
    heal();
    serve(0);
    settle();
    EXPECT_EQ(node(0).log->start(), 3);
    EXPECT_EQ(end(0), 4);
}

// Seed 168: a new leader has committed all before it leads, and nothing comes after.
TEST_F(Stories, AnIdlePartitionsFollowersLearnTheHighWatermark) {
    cut = {{k0, k2}};
    produce(0);
    settle();
    pass(1'001);
    ASSERT_EQ(cluster.ghost().acks, 1u);
    cut.clear();
    heal();
    settle();
    EXPECT_EQ(high_watermark(2), 1);
}

// A broker starts again before anybody has noticed, with an image of the time before.
TEST_F(Stories, NobodyLeadsByAnImageOfTheLifeBefore) {
    produce(0);
    settle();
    slow = {k0};
    produce(0);
    lose_power(0);
    slow.clear();
    syncs.clear();
    cluster.start(node(0));
    EXPECT_FALSE(node(0).core->leading());
    EXPECT_FALSE(produce(0));
    start(0);
    settle();
    EXPECT_EQ(row().leader, k1);
    EXPECT_EQ(end(0), end(1));
}

TEST_F(Stories, AFailedDiskTakesNoMoreRecords) {
    produce(0);
    settle();
    cluster.fail_disk(node(1));
    produce(0);
    settle();
    EXPECT_EQ(end(1), 1);
    EXPECT_EQ(row().isr, (Ids{k0, k2})) << "it has said so";
    EXPECT_EQ(cluster.ghost().acks, 2u);
}

TEST_F(Stories, ALeaderWhoseDiskFailsResigns) {
    produce(0);
    settle();
    cluster.fail_disk(node(0));
    settle();
    EXPECT_EQ(row().leader, k1);
    EXPECT_EQ(row().isr, (Ids{k1, k2}));
    produce(1);
    settle();
    EXPECT_EQ(cluster.ghost().acks, 2u);
    fence(1);
    fence(2);
    settle();
    EXPECT_NE(row().leader, k0) << "it lives, but may lack something";
}

TEST_F(Stories, AMoveBringsTheDataFirst) {
    for (int i = 0; i < 3; ++i) produce(0);
    settle();
    metadata.move({k1, k2});
    settle();
    EXPECT_EQ(row().leader, k1);
    EXPECT_EQ(node(0).log, nullptr);
    metadata.move({k0, k2});
    settle();
    EXPECT_EQ(row().replicas, (Ids{k0, k2}));
    EXPECT_EQ(end(0), 3);
    EXPECT_EQ(cluster.ghost().last(), 3);
}

}  // namespace
}  // namespace replica::sim
