#include <algorithm>

#include "groups/coordinator_fixture.h"
#include "kafka/records/batch.h"

namespace groups {
namespace {

using base::LeaderEpoch;
using base::Offset;
using replication::testing::assigned;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t not_here = -100 - static_cast<int>(ErrorCode::not_coordinator);
constexpr int64_t loading = -100 - static_cast<int>(ErrorCode::coordinator_load_in_progress);
constexpr int64_t unreadable = -100 - static_cast<int>(ErrorCode::coordinator_not_available);

/// Broker 0 has a replica of the partition, which broker 1 leads for a while.
class FollowingTest : public CoordinatorTest {
  protected:
    FollowingTest() {
        shards.settle();
        follow(1);
        attach();
    }
    void follow(LeaderEpoch epoch) {
        partition->assign(assigned(epoch, 10 * epoch, {0, 1}, {1, 0}));
        coordinators->follow(0, *partition);
        shards.settle();
    }
    void answer(decltype(replica::AttachReply::outcome) outcome) {
        partition->receive(replica::AttachReply{
            .epoch = peers.asked.epoch, .session = peers.asked.session, .outcome = outcome});
    }
    /// The leader accepts it where it stands.
    void attach() {
        const Offset end = partition->log().end();
        answer(replica::Accepted{end, partition->log().start(), partition->high_watermark()});
        pass(50);
    }
    void offer(base::Bytes batch, Offset high_watermark) {
        const Offset from = partition->log().end();
        kafka::BatchEditor editor(batch);
        editor.set_base_offset(from);
        editor.set_leader_epoch(peers.asked.epoch);
        partition->receive({.epoch = peers.asked.epoch,
                            .session = peers.asked.session,
                            .from = from,
                            .high_watermark = high_watermark,
                            .start = partition->log().start()},
                           batch);
        shards.run_posted();
    }
    /// One commit of the group, in one batch.
    base::Bytes position(int64_t offset, int32_t index = 0) {
        const auto record = to_record(OffsetKey{"g", "t", index},
                                      {.offset = offset, .commit_timestamp = clock->now().wall});
        kafka::BatchBuilder builder;
        builder.add({.timestamp = 1, .key = record.key, .value = base::View(*record.value)});
        return std::move(builder).build();
    }
    void become_leader(LeaderEpoch epoch, std::vector<int> isr = {0}) {
        partition->assign(assigned(epoch, 10 * epoch, {0, 1}, isr));
        serve(epoch);
    }
    void replay_all() {
        shards.settle();
        pass(200);
    }
};

TEST_F(FollowingTest, ItReplaysWhatComesAndTakesOverWithoutReadingItAgain) {
    offer(position(5), 1);
    replay_all();
    EXPECT_THAT(read_from, ElementsAre(0));
    EXPECT_EQ(fetched(), not_here);
    offer(position(6), 2);
    replay_all();
    EXPECT_THAT(read_from, ElementsAre(0, 1));
    become_leader(2);
    EXPECT_EQ(fetched(), 6) << "at once";
    shards.settle();
    EXPECT_THAT(read_from, ElementsAre(0, 1));
}

TEST_F(FollowingTest, WhatComesInQuickSuccessionIsReadTogether) {
    offer(position(1), 1);
    replay_all();
    read_from.clear();
    for (int i = 2; i < 10; ++i) {
        offer(position(i), i);
        shards.settle();
    }
    pass(200);
    EXPECT_THAT(read_from, ElementsAre(1));
    become_leader(2);
    EXPECT_EQ(fetched(), 9);
}

TEST_F(FollowingTest, WhatIsNotCommittedIsNotReplayedAndWaitedForByANewLeader) {
    offer(position(5), 1);
    offer(position(6), 1);
    replay_all();
    EXPECT_THAT(read_from, ElementsAre(0));
    become_leader(2, {0, 1});
    shards.settle();
    EXPECT_EQ(fetched(), loading) << "broker 1 may lack the last";
    partition->assign(assigned(2, 21, {0, 1}, {0}));
    replay_all();
    EXPECT_THAT(read_from, ElementsAre(0, 1));
    EXPECT_EQ(fetched(), 6);
}

TEST_F(FollowingTest, ALeaderThatLagsReadsTheRestFirst) {
    offer(position(5), 1);
    replay_all();
    offer(position(6), 2);
    offer(position(7), 3);
    become_leader(2, {0});
    EXPECT_EQ(fetched(), loading);
    shards.settle();
    EXPECT_EQ(fetched(), 7);
    EXPECT_EQ(std::ranges::count(read_from, 0), 1) << "the rest, not all";
}

TEST_F(FollowingTest, ACommitThatIsNotSafeGoesWithTheLeadership) {
    offer(position(5), 1);
    replay_all();
    become_leader(2, {0, 1});
    ASSERT_EQ(fetched(), 5);
    std::optional<kafka::OffsetCommitResponse> answered;
    coordinators->commit(shards.at(0), commit_request(6), client(8), into(answered));
    shards.settle();
    EXPECT_EQ(partition->log().end(), 2);
    EXPECT_FALSE(answered);
    follow(3);
    ASSERT_TRUE(answered);
    EXPECT_EQ(answered->topics[0].partitions[0].error_code, ErrorCode::not_coordinator);
    EXPECT_EQ(fetched(), not_here);
    answer(replica::Diverged{{1, 1}});
    ASSERT_EQ(partition->log().end(), 1);
    attach();
    read_from.clear();
    replay_all();
    become_leader(4);
    shards.settle();
    EXPECT_EQ(fetched(), 5);
}

TEST_F(FollowingTest, AfterTheLossOfLeadershipItReplaysInTheBackground) {
    offer(position(5), 1);
    replay_all();
    become_leader(2);
    shards.settle();
    commit(6, topics.ids["t"]);
    follow(3);
    read_from.clear();
    attach();
    EXPECT_THAT(read_from, ElementsAre(0));
    become_leader(4);
    EXPECT_EQ(fetched(), 6) << "at once";
}

TEST_F(FollowingTest, WhatAnUncleanElectionCutOffIsForgotten) {
    offer(position(5, 0), 1);
    offer(position(6, 1), 2);
    offer(position(7, 2), 3);
    replay_all();
    EXPECT_THAT(read_from, ElementsAre(0));
    follow(2);
    answer(replica::Diverged{{1, 1}});
    ASSERT_EQ(partition->high_watermark(), 1);
    attach();
    replay_all();
    EXPECT_THAT(read_from, ElementsAre(0, 0));
    become_leader(3);
    EXPECT_EQ(fetched(0), 5);
    EXPECT_EQ(fetched(1), -1);
    EXPECT_EQ(fetched(2), -1);
}

/// The high watermark is past where it was before anybody looks.
TEST_F(FollowingTest, WhatWasCutOffIsForgottenHoweverMuchCameInItsPlace) {
    offer(position(5, 0), 1);
    offer(position(6, 1), 2);
    replay_all();
    offer(position(7, 2), 3);
    pass(100);
    ASSERT_EQ(shards.blocking(), 0u);
    partition->assign(assigned(2, 20, {0, 1}, {1, 0}));
    answer(replica::Diverged{{1, 1}});
    answer(replica::Accepted{1, 0, 1});
    for (int i = 1; i < 5; ++i) offer(position(80 + i, 3), i + 1);
    shards.settle();
    ASSERT_EQ(partition->high_watermark(), 5);
    coordinators->follow(0, *partition);
    replay_all();
    become_leader(3);
    EXPECT_EQ(fetched(0), 5);
    EXPECT_EQ(fetched(1), -1);
    EXPECT_EQ(fetched(2), -1);
    EXPECT_EQ(fetched(3), 84);
}

/// While a thread reads it, what it reads is cut off, and other records are put in its place.
TEST_F(FollowingTest, WhatWasReplacedWhileItWasReadIsNotTaken) {
    offer(position(5, 0), 1);
    replay_all();
    offer(position(6, 1), 2);
    clock->time += 100;
    while (shards.blocking() > 0) {  // the sync
        shards.run_one_blocking();
        shards.run_posted();
    }
    shards.pass(milliseconds(100));
    ASSERT_EQ(shards.blocking(), 1u);
    ASSERT_THAT(read_from, ElementsAre(0, 1));
    partition->assign(assigned(2, 20, {0, 1}, {1, 0}));
    answer(replica::Diverged{{1, 0}});
    answer(replica::Accepted{0, 0, 0});
    offer(position(8, 2), 1);
    offer(position(9, 3), 2);
    replay_all();
    become_leader(3);
    EXPECT_EQ(fetched(0), -1);
    EXPECT_EQ(fetched(1), -1);
    EXPECT_EQ(fetched(2), 8);
    EXPECT_EQ(fetched(3), 9);
}

TEST_F(FollowingTest, ItBeginsAnewWhereTheLogBeginsAnew) {
    offer(position(5, 0), 1);
    replay_all();
    follow(2);
    answer(replica::Restart{70});
    attach();
    offer(position(6, 1), 71);
    replay_all();
    become_leader(3);
    EXPECT_EQ(fetched(0), -1);
    EXPECT_EQ(fetched(1), 6);
}

TEST_F(FollowingTest, SessionsCountFromWhenItLeads) {
    follow(2);
    become_leader(3);
    shards.settle();
    const auto member = settle_one_member();
    follow(4);
    attach();
    pass(60'000);
    EXPECT_EQ(heartbeat(member, 1), ErrorCode::not_coordinator);
    become_leader(5);
    pass(9'900);
    EXPECT_EQ(heartbeat(member, 1), ErrorCode::none);
    pass(11'000);
    EXPECT_EQ(heartbeat(member, 1), ErrorCode::unknown_member_id);
}

TEST_F(FollowingTest, ItNeitherExpiresNorDropsAnythingWhileItFollows) {
    offer(position(5), 1);
    topics.ids.clear();
    coordinators->topic_deleted("t", {7, 1});
    pass(700'000);
    EXPECT_EQ(partition->log().end(), 1);
    become_leader(2);
    shards.settle();
    EXPECT_EQ(partition->log().end(), 2) << "a tombstone";
    EXPECT_EQ(positions(), 0u);
}

TEST_F(FollowingTest, ItDoesNotServeBeforeTheMetadataIsInEffect) {
    offer(position(5), 1);
    replay_all();
    partition->assign(assigned(2, 20, {0, 1}, {0}));
    replay_all();
    ASSERT_TRUE(partition->leading());
    EXPECT_EQ(fetched(), not_here);
    serve(2);
    EXPECT_EQ(fetched(), 5);
}

TEST_F(FollowingTest, ARowThatChangesInterruptsNothing) {
    become_leader(2, {0, 1});
    shards.settle();
    std::optional<kafka::OffsetCommitResponse> answered;
    coordinators->commit(shards.at(0), commit_request(6), client(8), into(answered));
    shards.settle();
    partition->assign(assigned(3, 30, {0, 1}, {0, 1}));
    shards.settle();
    EXPECT_EQ(fetched(), -1);
    serve(3);
    EXPECT_EQ(fetched(), -1);
    EXPECT_FALSE(answered);
    partition->assign(assigned(3, 31, {0, 1}, {0}));
    serve(3);
    shards.settle();
    ASSERT_TRUE(answered);
    EXPECT_EQ(answered->topics[0].partitions[0].error_code, ErrorCode::none);
    EXPECT_EQ(fetched(), 6);
    EXPECT_THAT(read_from, IsEmpty());
}

/// Another may lead already, and have given the same partitions to others.
TEST_F(FollowingTest, ACoordinatorThatIsCutOffLetsItsMembersGoUntilItIsHeardAgain) {
    become_leader(2, {0, 1});
    shards.settle();
    std::optional<kafka::JoinGroupResponse> joined;
    coordinators->join(shards.at(0), join_request(), client(3), into(joined));
    shards.settle();
    EXPECT_EQ(fetched(), -1);
    partition->set_in_session(false);
    shards.settle();
    ASSERT_TRUE(joined);
    EXPECT_EQ(joined->error_code, ErrorCode::not_coordinator);
    EXPECT_EQ(fetched(), not_here);
    pass(2'000);
    EXPECT_EQ(fetched(), not_here);
    partition->set_in_session(true);
    pass(1'000);
    EXPECT_EQ(fetched(), -1) << "nobody else was elected";
}

/// Its registration ran out, and came back before anybody else led.
TEST_F(FollowingTest, AProcessThatIsRegisteredAnewLeadsOnAfterAFreshReplay) {
    become_leader(2);
    shards.settle();
    commit(6, topics.ids["t"]);
    partition->registered(replication::testing::kBrokerEpoch + 1);
    shards.settle();
    EXPECT_EQ(fetched(), not_here);
    pass(5'000);
    EXPECT_EQ(fetched(), not_here);
    auto known = assigned(3, 30, {0, 1}, {0});
    known.brokers[replication::testing::kSelf].epoch = replication::testing::kBrokerEpoch + 1;
    partition->assign(known);
    pass(1'000);
    EXPECT_EQ(fetched(), not_here) << "the metadata is not in effect";
    EXPECT_THAT(read_from, ElementsAre(0));
    serve(3);
    EXPECT_EQ(fetched(), 6);
}

TEST_F(FollowingTest, ADamagedRecordIsTriedAgainOnceItLeads) {
    offer(position(5), 1);
    kafka::BatchBuilder builder;
    builder.add(1, "?", "nonsense");
    offer(std::move(builder).build(), 2);
    offer(position(6), 3);
    replay_all();
    EXPECT_EQ(fetched(), not_here);
    const auto reads = read_from.size();
    pass(60'000);
    EXPECT_EQ(read_from.size(), reads);
    become_leader(2);
    shards.settle();
    EXPECT_EQ(read_from.size(), reads + 1);
    EXPECT_EQ(fetched(), unreadable);
    EXPECT_TRUE(partition->leading());
    follow(3);
    EXPECT_EQ(fetched(), not_here);
}

TEST_F(FollowingTest, ItMayBeRemovedWhileItReads) {
    offer(position(5), 1);
    while (shards.blocking() > 0) {
        shards.run_one_blocking();
        shards.run_posted();
    }
    shards.pass(milliseconds(100));
    ASSERT_EQ(shards.blocking(), 1u);
    bool done = false;
    coordinators->remove(0, [&] { done = true; });
    EXPECT_TRUE(done);
    shards.settle();
    EXPECT_EQ(fetched(), not_here);
    EXPECT_EQ(shards.timers(), 0u);
}

TEST_F(FollowingTest, ItIsIdleWhenItHasEverything) {
    offer(position(5), 1);
    replay_all();
    EXPECT_EQ(shards.timers(), 0u);
    EXPECT_EQ(shards.blocking(), 0u);
}

}  // namespace
}  // namespace groups
