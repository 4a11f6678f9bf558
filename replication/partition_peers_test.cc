// A partition that leads or follows others on other brokers.
#include <gmock/gmock.h>

#include "replication/partition_fixture.h"

namespace replication {
namespace {

using base::Offset;
using kafka::ErrorCode;
using replication::testing::assigned;
using replication::testing::kBrokerEpoch;
using replication::testing::kSelf;
using replication::testing::led_alone;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Broker 0 leads, broker 1 follows and says what it has.
class LeadingPartitionTest : public PartitionTest {
  protected:
    LeadingPartitionTest() {
        partition->assign(assigned(1, 1, {0, 1}, {0, 1}, 2));
        shards.settle();
    }
    void attach(Offset end = 0, base::LeaderEpoch last_epoch = -1) {
        partition->receive(replica::Attach{.from = {1},
                                           .broker_epoch = kBrokerEpoch,
                                           .epoch = 1,
                                           .session = ++session,
                                           .end = end,
                                           .synced = end,
                                           .last_epoch = last_epoch});
    }
    void acknowledge(Offset held, Offset synced) {
        partition->receive(replica::Acknowledgement{.from = {1},
                                                    .broker_epoch = kBrokerEpoch,
                                                    .epoch = 1,
                                                    .session = session,
                                                    .held = held,
                                                    .synced = synced});
    }
    uint64_t session = 0;
};

TEST_F(LeadingPartitionTest, AcksAllWaitsForTheDiskOfTheFollower) {
    attach();
    ASSERT_EQ(peers.sent.size(), 1u);
    EXPECT_EQ(peers.last<replica::AttachReply>().session, 1u);
    const int grown = peers.grown_count;
    append("a", 2);
    EXPECT_GT(peers.grown_count, grown) << "before this disk has it";
    shards.settle();
    EXPECT_THAT(take_done(), IsEmpty());
    acknowledge(2, 0);
    EXPECT_THAT(take_done(), IsEmpty()) << "in memory only";
    acknowledge(2, 2);
    EXPECT_THAT(take_done(), ElementsAre("a=0-1"));
    EXPECT_EQ(partition->high_watermark(), 2);
}

TEST_F(LeadingPartitionTest, WithWriteCachingTheMemoryOfTheFollowerIsEnough) {
    partition->set_config(config, {.write_caching = true});
    attach();
    append("a", 1);
    EXPECT_THAT(take_done(), IsEmpty());
    acknowledge(1, 0);
    EXPECT_THAT(take_done(), ElementsAre("a=0-0"));
}

TEST_F(LeadingPartitionTest, AfterAFailureItResigns) {
    attach();
    disk.fail(io::MemoryDisk::Operation::sync);
    append("a", 1);
    shards.settle();
    EXPECT_THAT(take_done(), ElementsAre("a!56"));
    ASSERT_EQ(peers.proposals.size(), 1u);
    ASSERT_EQ(peers.proposals[0].isr.size(), 1u);
    EXPECT_EQ(peers.proposals[0].isr[0].id, base::BrokerId{1});
    EXPECT_EQ(peers.proposals[0].broker_epoch, kBrokerEpoch);
    EXPECT_THAT(peers.detached, ElementsAre(1));
    // Another change came first.
    partition->assign(assigned(1, 2, {0, 1}, {0, 1}, 1));
    ASSERT_EQ(peers.proposals.size(), 2u);
    EXPECT_EQ(peers.proposals[1].version, 2);
}

/// It could still write until it is told, and may be read.
TEST_F(LeadingPartitionTest, InAFencedDirectoryItResignsAndCanBeRead) {
    dir = std::make_shared<LogDir>(shards, disk, "/data", 0);
    reopen({}, -1);
    partition->assign(assigned(2, 2, {0, 1}, {0, 1}, 2));
    dir->fence(base::unavailable("EIO"));
    partition->tick();
    ASSERT_EQ(peers.proposals.size(), 1u);
    EXPECT_EQ(peers.proposals[0].isr.size(), 1u);
    EXPECT_TRUE(partition->leading());
    EXPECT_EQ(read_error({.offset = 0}), ErrorCode::none);
    partition->assign(assigned(3, 3, {0, 1}, {1}, 2));
    EXPECT_FALSE(partition->leading());
    EXPECT_TRUE(peers.last<replica::Attach>().leaves);
}

TEST_F(LeadingPartitionTest, AnIsrThatBecomesTooSmallAnswersWhatWaits) {
    attach();
    append("a", 1);
    partition->assign(assigned(1, 2, {0, 1}, {0}, 2));
    EXPECT_THAT(take_done(), ElementsAre("a!20"));
    shards.settle();
    EXPECT_EQ(partition->high_watermark(), 0) << "whoever left the ISR has all that is committed";
    append("b", 1);
    EXPECT_THAT(take_done(), ElementsAre("b!19"));
}

TEST_F(LeadingPartitionTest, ASilentFollowerIsToLeaveTheIsr) {
    attach();
    append("a", 1);
    shards.settle();
    shards.pass(milliseconds(30'500));
    partition->tick();
    ASSERT_EQ(peers.proposals.size(), 1u);
    EXPECT_EQ(peers.proposals[0].isr.size(), 1u);
    partition->answered(peers.proposals[0].number, replica::Answer::taken);
    EXPECT_EQ(partition->high_watermark(), 0) << "an answer moves nothing";
    partition->assign(assigned(1, 2, {0, 1}, {0}, 1));
    EXPECT_EQ(partition->high_watermark(), 1);
}

TEST_F(LeadingPartitionTest, ALostFollowerAndOneOfAnotherLifeAreDetached) {
    attach();
    partition->follower_lost({1});
    EXPECT_EQ(peers.detached, std::vector<int>{1});
    attach();
    auto anew = assigned(1, 1, {0, 1}, {0, 1}, 2);
    anew.brokers[base::BrokerId{1}].epoch = kBrokerEpoch + 1;
    partition->assign(anew);
    EXPECT_EQ(peers.detached, (std::vector<int>{1, 1}));
}

TEST_F(LeadingPartitionTest, WhoIsCutOffFromControllerAndFollowerTurnsClientsAway) {
    attach();
    append("a", 1);
    partition->set_in_session(false);
    EXPECT_THAT(take_done(), IsEmpty()) << "the follower is there: it can go on";
    partition->follower_lost({1});
    watch("w", 1);
    partition->tick();
    EXPECT_THAT(take_done(), ElementsAre("w", "a!6"));
    append("b", 1);
    EXPECT_THAT(take_done(), ElementsAre("b!6"));
    EXPECT_EQ(read_error({.offset = 0}), ErrorCode::not_leader_or_follower);
    attach(1, 1);
    EXPECT_EQ(read_error({.offset = 0}), ErrorCode::none);
    partition->follower_lost({1});
    partition->set_in_session(true);
    append("c", 1, Acks::leader);
    EXPECT_THAT(take_done(), ElementsAre("c=1-1"));
}

/// One that was in sync when there were enough may be elected.
TEST_F(LeadingPartitionTest, WhoIsAloneInSyncAndUnheardOfTurnsClientsAwayIfTwoAreNeeded) {
    partition->assign(assigned(1, 2, {0, 1}, {0}, 2));
    EXPECT_EQ(read_error({.offset = 0}), ErrorCode::none);
    partition->set_in_session(false);
    EXPECT_EQ(read_error({.offset = 0}), ErrorCode::not_leader_or_follower);
    partition->assign(assigned(1, 3, {0, 1}, {0}, 1));
    EXPECT_EQ(read_error({.offset = 0}), ErrorCode::none) << "nobody else can have been elected";
}

TEST_F(LeadingPartitionTest, AFailedSyncDetachesItsFollowersAndLeadsNoMore) {
    attach();
    append("a", 1);
    disk.fail(io::MemoryDisk::Operation::sync);
    shards.settle();
    EXPECT_THAT(take_done(), ElementsAre("a!56"));
    EXPECT_EQ(peers.detached, std::vector<int>{1});
    EXPECT_FALSE(partition->leading());
}

TEST_F(LeadingPartitionTest, ADeletedStartIsForItsFollowersToKnow) {
    attach();
    append("a", 2);
    shards.settle();
    acknowledge(2, 2);
    const int grown = peers.grown_count;
    EXPECT_EQ(*partition->delete_records(1), 1);
    EXPECT_GT(peers.grown_count, grown);
}

/// Broker 1 leads, broker 0 follows.
class FollowingPartitionTest : public PartitionTest {
  protected:
    FollowingPartitionTest() { follow(1); }
    void follow(base::LeaderEpoch epoch) {
        partition->assign(assigned(epoch, epoch, {0, 1}, {1, 0}));
        shards.settle();
    }
    replica::Attach asked() const { return peers.last<replica::Attach>(); }
    void answer(decltype(replica::AttachReply::outcome) outcome) {
        partition->receive(replica::AttachReply{
            .epoch = asked().epoch, .session = asked().session, .outcome = outcome});
    }
    base::Bytes numbered(Offset first, int records, base::LeaderEpoch epoch) {
        auto bytes = batch(records);
        kafka::BatchEditor editor(bytes);
        editor.set_base_offset(first);
        editor.set_leader_epoch(epoch);
        return bytes;
    }
    replica::Offer offer(const replica::Attach& to, Offset from, Offset high_watermark) const {
        return {.epoch = to.epoch,
                .session = to.session,
                .from = from,
                .high_watermark = high_watermark,
                .start = 0};
    }
};

TEST_F(FollowingPartitionTest, WhoWaitsForARoleIsWokenOnceTheLeaderAcceptsIt) {
    watch("w", 0);
    EXPECT_THAT(take_done(), ElementsAre("w")) << "a client looks elsewhere";
    const auto await = [&] { partition->await(0, [this] { done.push_back("a"); }); };
    await();
    partition->tick();
    EXPECT_THAT(take_done(), IsEmpty());
    answer(replica::Accepted{0, 0, 0});
    EXPECT_THAT(take_done(), ElementsAre("a"));
    await();
    partition->leader_lost();
    EXPECT_THAT(take_done(), IsEmpty());
    answer(replica::Accepted{0, 0, 0});
    EXPECT_THAT(take_done(), ElementsAre("a"));
}

TEST_F(FollowingPartitionTest, ItTakesWhatTheLeaderSendsAndTellsWhatItHas) {
    const auto attach = asked();
    EXPECT_EQ(peers.sent.back().first, 1);
    EXPECT_EQ(attach.end, 0);
    answer(replica::Accepted{0, 0, 0});
    partition->receive(offer(attach, 0, 0), numbered(0, 3, 1));
    EXPECT_EQ(partition->log().end(), 3);
    EXPECT_EQ(peers.last<replica::Acknowledgement>().held, 3);
    EXPECT_EQ(peers.last<replica::Acknowledgement>().synced, 0);
    shards.settle();
    EXPECT_EQ(peers.last<replica::Acknowledgement>().synced, 3);
    watch("w", 1);
    EXPECT_THAT(take_done(), IsEmpty());
    partition->receive(offer(attach, 3, 2), {});
    EXPECT_EQ(partition->high_watermark(), 2);
    EXPECT_THAT(take_done(), ElementsAre("w"));
    EXPECT_EQ(read_error({.offset = 0}), ErrorCode::not_leader_or_follower);
    const auto read = partition->read({.offset = 0, .max_bytes = 1000, .from_follower = true});
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->high_watermark, 2);
}

TEST_F(FollowingPartitionTest, ItCutsWhatItsLeaderHasNotAndStoresALowerHighWatermark) {
    partition->assign(led_alone(2));
    append("a", 4);
    shards.settle();
    partition->maintain(100'000);
    EXPECT_EQ(partition->log().stored_high_watermark(), 4);
    follow(3);
    EXPECT_EQ(asked().end, 4);
    EXPECT_EQ(asked().last_epoch, 2);
    answer(replica::Diverged{{1, 0}});
    EXPECT_EQ(partition->log().end(), 0);
    EXPECT_EQ(partition->log().stored_high_watermark(), 0);
    EXPECT_EQ(partition->high_watermark(), 0);
    EXPECT_EQ(asked().end, 0) << "it asks again";
}

TEST_F(FollowingPartitionTest, ItBeginsAnewWhereItsLeaderBegins) {
    answer(replica::Restart{70});
    EXPECT_EQ(partition->log().start(), 70);
    EXPECT_EQ(asked().end, 70);
    const auto attach = asked();
    answer(replica::Accepted{70, 70, 70});
    partition->receive(offer(attach, 70, 70), numbered(70, 1, 1));
    EXPECT_EQ(partition->log().end(), 71);
}

TEST_F(FollowingPartitionTest, WhatCanNotBeTakenIsAskedForAgainLater) {
    const auto attach = asked();
    answer(replica::Accepted{0, 0, 0});
    auto damaged = numbered(0, 1, 1);
    damaged.back() ^= std::byte{1};
    const auto sent = peers.sent.size();
    partition->receive(offer(attach, 0, 0), damaged);
    partition->receive(offer(attach, 0, 0), numbered(0, 1, 1));
    EXPECT_EQ(partition->log().end(), 0);
    EXPECT_EQ(peers.sent.size(), sent) << "not at once, that would go on and on";
    shards.pass(milliseconds(1000));
    partition->tick();
    EXPECT_GT(asked().session, attach.session);
    const auto again = asked();
    answer(replica::Accepted{0, 0, 0});
    partition->receive(offer(again, 0, 0), numbered(0, 1, 1));
    EXPECT_EQ(partition->log().end(), 1);
}

TEST_F(FollowingPartitionTest, AFullDiskTakesNothingOfTheReserve) {
    ASSERT_TRUE(disk.make_directories("/data").ok());
    disk.set_capacity(500);
    dir = std::make_shared<LogDir>(shards, disk, "/data", 1000);
    reopen({}, -1);
    follow(1);
    const auto attach = asked();
    answer(replica::Accepted{0, 0, 0});
    partition->receive(offer(attach, 0, 0), numbered(0, 1, 1));
    EXPECT_EQ(partition->log().end(), 0);
    EXPECT_TRUE(partition->health().ok());
}

TEST_F(FollowingPartitionTest, NothingHappensByAnImageThatKnowsAnotherProcess) {
    partition->registered(kBrokerEpoch + 1);
    const auto sent = peers.sent.size();
    follow(2);
    EXPECT_EQ(peers.sent.size(), sent);
    auto known = assigned(2, 2, {0, 1}, {1, 0});
    known.brokers[kSelf].epoch = kBrokerEpoch + 1;
    partition->assign(known);
    EXPECT_EQ(asked().broker_epoch, kBrokerEpoch + 1);
}

}  // namespace
}  // namespace replication
