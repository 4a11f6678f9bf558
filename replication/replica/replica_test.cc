#include "replication/replica/replica.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

namespace replica {
namespace {

constexpr BrokerId me{0}, b{1}, c{2};
constexpr Options kOptions{.lag_max_ms = 1000, .join_wait_ms = 0, .retry_ms = 100};

/// A log of which only the ends and the lineage are known.
struct FakeLog final : LocalLog {
    Offset first = 0, next = 0, on_disk = 0;
    std::vector<std::pair<LeaderEpoch, Offset>> epochs;  // and where they begin

    Offset start() const override { return first; }
    Offset end() const override { return next; }
    Offset synced() const override { return on_disk; }
    LeaderEpoch last_epoch() const override { return epochs.empty() ? -1 : epochs.back().first; }
    EpochEnd end_of_epoch(LeaderEpoch epoch) const override {
        if (epochs.empty() || epoch > last_epoch()) return {};
        EpochEnd known{epoch, epochs.front().second};
        for (size_t i = 0; i < epochs.size() && epochs[i].first <= epoch; ++i)
            known = {epochs[i].first, i + 1 < epochs.size() ? epochs[i + 1].second : next};
        return known;
    }
};

class ReplicaTest : public testing::Test {
  protected:
    Assignment row(LeaderEpoch epoch, int32_t version, std::vector<BrokerId> isr,
                   BrokerId leader = me) {
        return {.row = {.epoch = epoch,
                        .version = version,
                        .leader = leader,
                        .replicas = {me, b, c},
                        .isr = std::move(isr)},
                .min_isr = 2,
                .brokers = {{me, {10, true}}, {b, {11, true}}, {c, {12, true}}}};
    }
    /// Leads in epoch 1 with a log of `end` records.
    void lead(std::vector<BrokerId> isr, Offset end = 0) {
        log.next = log.on_disk = end;
        const auto e = core.assign(row(1, 1, std::move(isr)), 0);
        ASSERT_TRUE(e.role_changed);
        ASSERT_TRUE(core.leading());
        log.epochs.push_back({1, end});
    }
    Effects attach(BrokerId who, Offset end, Offset synced, LeaderEpoch last = 1,
                   uint64_t session = 1) {
        return core.attach({.from = who,
                            .broker_epoch = 10 + who.value,
                            .epoch = core.epoch(),
                            .session = session,
                            .end = end,
                            .synced = synced,
                            .last_epoch = last},
                           now);
    }
    Effects acknowledge(BrokerId who, Offset held, Offset synced, uint64_t session = 1) {
        return core.acknowledged({.from = who,
                                  .broker_epoch = 10 + who.value,
                                  .epoch = core.epoch(),
                                  .session = session,
                                  .held = held,
                                  .synced = synced},
                                 now);
    }
    Effects append(Offset to, bool sync = true) {
        log.next = to;
        if (sync) log.on_disk = to;
        return core.log_moved(now);
    }
    template <class Outcome>
    static std::optional<Outcome> outcome(const Effects& e) {
        if (e.send.empty()) return std::nullopt;
        const auto* reply = std::get_if<AttachReply>(&e.send.back().message);
        const auto* outcome = reply ? std::get_if<Outcome>(&reply->outcome) : nullptr;
        return outcome ? std::optional(*outcome) : std::nullopt;
    }
    static std::optional<Attach> asked(const Effects& e) {
        const auto* attach = e.send.empty() ? nullptr : std::get_if<Attach>(&e.send.back().message);
        return attach ? std::optional(*attach) : std::nullopt;
    }
    static std::vector<BrokerId> proposed(const Effects& e) {
        std::vector<BrokerId> out;
        if (e.propose)
            for (const auto& member : e.propose->isr) out.push_back(member.id);
        return out;
    }

    FakeLog log;
    Replica core{{me, 10}, kOptions, log, 0};
    InstantMs now = 0;
};

using Ids = std::vector<BrokerId>;

TEST_F(ReplicaTest, CommitsWhatEveryMemberHasOnItsDisk) {
    lead({me, b, c});
    attach(b, 0, 0, -1);
    attach(c, 0, 0, -1);
    EXPECT_FALSE(append(10).high_watermark);
    EXPECT_FALSE(acknowledge(b, 10, 10).high_watermark);
    EXPECT_FALSE(acknowledge(c, 10, 4).high_watermark == 10) << "held is not synced";
    EXPECT_EQ(core.high_watermark(), 4);
    EXPECT_EQ(acknowledge(c, 10, 10).high_watermark, 10);
    EXPECT_FALSE(append(12, false).high_watermark);
    acknowledge(b, 12, 12);
    EXPECT_FALSE(acknowledge(c, 12, 12).high_watermark) << "its own disk counts as well";
    EXPECT_EQ(append(12).high_watermark, 12);
}

TEST_F(ReplicaTest, WithWriteCachingMemoryIsEnough) {
    core.set_options({.durable = false}, 0);
    lead({me, b});
    attach(b, 0, 0, -1);
    append(10, false);
    EXPECT_EQ(acknowledge(b, 10, 0).high_watermark, 10);
}

TEST_F(ReplicaTest, AMemberThatIsNotHeardOfHoldsTheHighWatermark) {
    lead({me, b, c}, 5);
    attach(b, 5, 5);
    EXPECT_EQ(core.high_watermark(), 0);
    EXPECT_EQ(attach(c, 3, 3).high_watermark, 3);
    EXPECT_FALSE(core.knows_committed()) << "the leader before may have committed up to 5";
}

TEST_F(ReplicaTest, CommitsNothingWithTooFewInSync) {
    lead({me}, 5);
    EXPECT_FALSE(core.enough_in_sync());
    EXPECT_FALSE(append(9).high_watermark);
    const auto e = attach(b, 9, 9);
    EXPECT_EQ(proposed(e), (Ids{me, b}));
    EXPECT_FALSE(e.high_watermark) << "not before the row says so";
    const auto joined = core.assign(row(1, 2, {me, b}), now);
    EXPECT_EQ(joined.high_watermark, 9);
    EXPECT_TRUE(core.enough_in_sync());
    EXPECT_TRUE(core.assign(row(1, 3, {me}), now).too_few_in_sync);
}

TEST_F(ReplicaTest, JoinsOnceItHasTheEpochsStartOnDisk) {
    lead({me, b}, 7);
    EXPECT_FALSE(attach(c, 6, 6).propose) << "the leader before may have committed 6";
    EXPECT_FALSE(acknowledge(c, 7, 6).propose);
    const auto e = acknowledge(c, 7, 7);
    ASSERT_EQ(proposed(e), (Ids{me, b, c}));
    EXPECT_EQ(e.propose->isr[2].broker_epoch, 12);
    EXPECT_EQ(e.propose->version, 1);
    EXPECT_FALSE(acknowledge(c, 7, 7).propose) << "one at a time";
}

TEST_F(ReplicaTest, WhoIsProposedCountsUntilTheRowAnswers) {
    lead({me, b});
    attach(b, 0, 0, -1);
    const auto e = attach(c, 0, 0, -1);
    ASSERT_TRUE(e.propose);
    append(10);
    EXPECT_FALSE(acknowledge(b, 10, 10).high_watermark);
    core.answered(e.propose->number, Answer::stale, now);
    core.answered(e.propose->number, Answer::unknown, now);
    EXPECT_EQ(core.high_watermark(), 0);
    now = 100;
    EXPECT_EQ(core.tick(now).propose, e.propose) << "sent again";
    EXPECT_EQ(core.maximal_isr(), (Ids{me, b, c}));
    EXPECT_EQ(core.assign(row(1, 2, {me, b}), now).high_watermark, 10);
}

TEST_F(ReplicaTest, ARefusalIsMadeFinalByANewRow) {
    lead({me, b});
    attach(b, 0, 0, -1);
    const auto e = attach(c, 0, 0, -1);
    const auto refused = core.answered(e.propose->number, Answer::ineligible, now);
    EXPECT_EQ(proposed(refused), (Ids{me, b})) << "so that no copy of the first is taken after";
    EXPECT_EQ(core.maximal_isr(), (Ids{me, b, c}));
    core.assign(row(1, 2, {me, b}), now);
    EXPECT_EQ(core.maximal_isr(), (Ids{me, b}));
    EXPECT_FALSE(acknowledge(c, 0, 0).propose) << "not at once again";
    now = 100;
    EXPECT_EQ(proposed(core.tick(now)), (Ids{me, b, c}));
}

TEST_F(ReplicaTest, WhoLagsLeavesButCountsUntilTheRowSaysSo) {
    lead({me, b, c});
    attach(b, 0, 0, -1);
    attach(c, 0, 0, -1);
    now = 900;  // idle so long: nobody lags
    append(10);
    acknowledge(b, 10, 10);
    now = 1900;
    EXPECT_FALSE(core.tick(now).propose);
    now = 1901;
    EXPECT_EQ(proposed(core.tick(now)), (Ids{me, b}));
    EXPECT_EQ(core.high_watermark(), 0);
    EXPECT_EQ(core.assign(row(1, 2, {me, b}), now).high_watermark, 10);
}

TEST_F(ReplicaTest, WhoHasNoStreamLeavesSooner) {
    core.set_options({.lag_max_ms = 1000, .lost_max_ms = 300, .join_wait_ms = 0, .retry_ms = 100},
                     now);
    lead({me, b, c});
    attach(b, 0, 0, -1);
    attach(c, 0, 0, -1);
    core.follower_lost(c);
    now = 900;
    EXPECT_FALSE(core.tick(now).propose) << "it has all there is";
    append(10);
    acknowledge(b, 10, 10);
    now = 1200;
    EXPECT_FALSE(core.tick(now).propose) << "it may be back soon";
    now = 1201;
    EXPECT_EQ(proposed(core.tick(now)), (Ids{me, b}));
}

TEST_F(ReplicaTest, WhoKeepsPaceUnderLoadStays) {
    lead({me, b});
    attach(b, 0, 0, -1);
    for (Offset end = 1; end < 400; ++end) {  // ten behind, always
        now += 10;
        append(end);
        if (end > 10) acknowledge(b, end - 10, end - 10);
        EXPECT_FALSE(core.tick(now).propose) << end;
    }
}

TEST_F(ReplicaTest, AnotherProcessOfABrokerStartsFromNothing) {
    lead({me, b, c});
    attach(b, 0, 0, -1);
    attach(c, 0, 0, -1);
    append(10);
    acknowledge(b, 10, 10);
    auto next = row(1, 2, {me, b});
    next.brokers[c].epoch = 20;
    const auto e = core.assign(next, now);
    EXPECT_EQ(e.detached, (Ids{c}));
    EXPECT_EQ(core.held_and_synced(c).first, -1);
    EXPECT_FALSE(acknowledge(c, 10, 10).propose) << "of the process before";
    EXPECT_TRUE(outcome<NotNow>(attach(c, 10, 10, 1, 9)));
}

TEST_F(ReplicaTest, AFollowerThatKnowsMoreWaitsForTheLeaderToLearn) {
    EXPECT_TRUE(
        core.attach({.from = b, .broker_epoch = 11, .epoch = 1, .session = 1}, now).send.empty());
    const auto e = core.assign(row(1, 1, {me, b, c}), now);
    ASSERT_TRUE(outcome<Accepted>(e));
    EXPECT_TRUE(core.attached(b));
}

TEST_F(ReplicaTest, FindsWhereLogsPart) {
    log.epochs = {{0, 0}};
    lead({me, b, c}, 20);  // epoch 1 from 20
    const auto shorter = outcome<Diverged>(attach(b, 25, 25, 0));
    ASSERT_TRUE(shorter);
    EXPECT_EQ(shorter->known, (EpochEnd{0, 20}));
    EXPECT_FALSE(core.attached(b));
    EXPECT_TRUE(outcome<Accepted>(attach(b, 18, 18, 0, 2)));
    log.first = 5;
    const auto below = outcome<Restart>(attach(c, 4, 4, 0));
    ASSERT_TRUE(below);
    EXPECT_EQ(below->at, 5);
    EXPECT_TRUE(attach(b, 18, 18, 0, 2).send.empty()) << "a copy";
}

TEST_F(ReplicaTest, AFollowerCutsItsLogUntilItIsPartOfTheLeaders) {
    log.next = log.on_disk = 30;
    log.epochs = {{0, 0}, {2, 10}};
    const auto first = asked(core.assign(row(4, 1, {b}, b), now));
    ASSERT_TRUE(first);
    EXPECT_EQ(first->last_epoch, 2);
    auto e = core.attach_answered({4, 1, Diverged{{1, 15}}}, now);
    ASSERT_TRUE(e.cut);
    EXPECT_EQ(e.cut->to, 10) << "its own end of epoch 0: it has no epoch 1";
    log.next = log.on_disk = 10;
    log.epochs.pop_back();
    e = core.cut_done(now);
    ASSERT_TRUE(asked(e));
    EXPECT_EQ(asked(e)->session, 2u);
    core.attach_answered({4, 1, Accepted{30}}, now);
    EXPECT_FALSE(core.following()) << "an answer to the first";
    core.attach_answered({4, 2, Accepted{10, 0, 12}}, now);
    EXPECT_TRUE(core.following());
    EXPECT_EQ(core.high_watermark(), 10) << "no more than it has";
}

TEST_F(ReplicaTest, AFollowerTakesWhatComesNextAndAcknowledgesIt) {
    core.assign(row(1, 1, {b, me}, b), now);
    core.attach_answered({1, 1, Accepted{0}}, now);
    EXPECT_FALSE(core.offered({.epoch = 0, .session = 1, .from = 0}, now).append);
    EXPECT_FALSE(core.offered({.epoch = 1, .session = 7, .from = 0}, now).append);
    const Offer offer{.epoch = 1, .session = 1, .from = 0, .high_watermark = 3};
    ASSERT_TRUE(core.offered(offer, now).append);
    log.next = 5;
    log.on_disk = 2;
    const auto e = core.taken(offer);
    EXPECT_EQ(e.high_watermark, 2) << "as far as it is on its disk";
    ASSERT_EQ(e.send.size(), 1u);
    const auto& ack = std::get<Acknowledgement>(e.send[0].message);
    EXPECT_EQ(ack.held, 5);
    EXPECT_EQ(ack.synced, 2);
    log.on_disk = 5;
    EXPECT_EQ(core.log_moved(now).high_watermark, 3);
    EXPECT_EQ(core.lag(), 0);
    EXPECT_FALSE(core.offered(offer, now).append) << "a copy";
    const auto gap = core.offered({.epoch = 1, .session = 1, .from = 8}, now);
    EXPECT_FALSE(gap.append);
    ASSERT_TRUE(asked(gap));
    EXPECT_EQ(asked(gap)->session, 2u);
}

TEST_F(ReplicaTest, AFollowersLagIsWhatItLacksOfWhatIsCommitted) {
    core.assign(row(1, 1, {b, me}, b), now);
    EXPECT_EQ(core.lag(), 0) << "it does not know yet";
    core.attach_answered({1, 1, Accepted{.high_watermark = 7}}, now);
    EXPECT_EQ(core.lag(), 7);
    log.next = 3;
    EXPECT_EQ(core.lag(), 4);
    log.next = 9;
    EXPECT_EQ(core.lag(), 0);
    core.assign(row(2, 2, {me}), now);
    EXPECT_EQ(core.lag(), 0) << "a leader's log is what others lag behind";
}

TEST_F(ReplicaTest, AStoredHighWatermarkIsNeitherPastTheLogNorBeforeIt) {
    log.first = 3;
    log.next = 5;
    EXPECT_EQ(Replica({me, 10}, kOptions, log, 9).high_watermark(), 5);
    EXPECT_EQ(Replica({me, 10}, kOptions, log, 1).high_watermark(), 3);
}

TEST_F(ReplicaTest, LeadsOnlyInItsOwnLife) {
    auto before = row(1, 1, {me});
    before.brokers[me].epoch = 9;
    EXPECT_FALSE(core.assign(before, now).role_changed);
    EXPECT_FALSE(core.leading());
    EXPECT_TRUE(core.assign(row(2, 2, {me}), now).role_changed);
    auto after = row(2, 3, {me});
    after.brokers[me].epoch = 30;
    EXPECT_TRUE(core.assign(after, now).role_changed);
    EXPECT_FALSE(core.leading());
}

TEST_F(ReplicaTest, AfterAFailureItHasNoPartInAnything) {
    lead({me, b});
    EXPECT_TRUE(core.log_failed(now).role_changed);
    EXPECT_FALSE(core.leading());
    EXPECT_FALSE(core.assign(row(2, 2, {me, b}), now).role_changed);
    EXPECT_FALSE(core.set_fit(false, now).role_changed);
    EXPECT_FALSE(core.set_fit(true, now).role_changed) << "not before the process starts anew";
}

TEST_F(ReplicaTest, AfterAFailureALeaderResigns) {
    lead({me, b, c});
    const auto e = core.log_failed(now);
    EXPECT_EQ(proposed(e), (Ids{b, c}));
    EXPECT_EQ(e.propose->version, 1);
    EXPECT_EQ(e.propose->broker_epoch, 10);
    now += 99;
    EXPECT_FALSE(core.tick(now).propose);
    EXPECT_EQ(proposed(core.tick(++now)), (Ids{b, c})) << "again, as nothing has come of it";
    // A change of the ISR that was on its way came first.
    EXPECT_EQ(proposed(core.assign(row(1, 2, {me, b}), now)), (Ids{b}));
    EXPECT_FALSE(core.assign(row(2, 3, {b}, b), now).propose);
    EXPECT_FALSE(core.tick(now + 500).propose);
    EXPECT_TRUE(core.assign(row(3, 4, {me}), now).propose) << "elected again, in favour of the ELR";
}

TEST_F(ReplicaTest, AFollowerThatFailsTellsItsLeader) {
    core.assign(row(1, 1, {me, b}, b), now);
    const auto e = core.log_failed(now);
    ASSERT_TRUE(asked(e));
    EXPECT_TRUE(asked(e)->leaves);
    EXPECT_FALSE(core.tick(now + 500).propose);
    const auto next = core.assign(row(2, 2, {me, c}, c), now);
    ASSERT_TRUE(asked(next));
    EXPECT_EQ(next.send[0].to, c);
    EXPECT_TRUE(asked(next)->leaves);
}

TEST_F(ReplicaTest, WhoLeavesIsInTheIsrNoMoreThoughItHasAll) {
    lead({me, b, c});
    attach(b, 0, 0, -1);
    attach(c, 0, 0, -1);
    const auto e = core.attach(
        {.from = b, .broker_epoch = 11, .epoch = 1, .session = 2, .last_epoch = -1, .leaves = true},
        now);
    EXPECT_EQ(e.detached, Ids{b});
    EXPECT_TRUE(e.send.empty());
    EXPECT_EQ(proposed(e), (Ids{me, c}));
    EXPECT_FALSE(core.assign(row(1, 2, {me, c}), now).propose);
    EXPECT_EQ(proposed(attach(b, 0, 0, -1, 3)), (Ids{me, b, c})) << "it is fit again";
}

TEST_F(ReplicaTest, WhoIsNotFitLeadsUntilAnotherDoes) {
    lead({me, b, c});
    attach(b, 0, 0, -1);
    attach(c, 0, 0, -1);
    EXPECT_EQ(proposed(core.set_fit(false, now)), (Ids{b, c}));
    EXPECT_TRUE(core.leading());
    append(5);
    acknowledge(b, 5, 5);
    EXPECT_EQ(acknowledge(c, 5, 5).high_watermark, 5) << "it goes on";
    const auto e = core.assign(row(2, 2, {b, c}, b), now);
    EXPECT_TRUE(e.role_changed);
    ASSERT_TRUE(asked(e));
    EXPECT_TRUE(asked(e)->leaves);
    EXPECT_FALSE(core.following());
    const auto fit = core.set_fit(true, now);
    ASSERT_TRUE(asked(fit));
    EXPECT_FALSE(asked(fit)->leaves);
}

TEST_F(ReplicaTest, WhoIsFullResignsOnlyIfEnoughAreInSyncWithoutIt) {
    lead({me, b, c});
    attach(b, 0, 0, -1);
    attach(c, 0, 0, -1);
    EXPECT_EQ(proposed(core.set_full(true, now)), (Ids{b, c}));
    EXPECT_EQ(proposed(core.assign(row(1, 2, {me, b}), now)), (Ids{me, b, c})) << "two are needed";
    EXPECT_EQ(proposed(core.tick(now += 500)), (Ids{me, b, c}));
    EXPECT_TRUE(core.leading());
    EXPECT_EQ(proposed(core.assign(row(1, 3, {me, b, c}), now)), (Ids{b, c}));
    const auto e = core.assign(row(2, 4, {b, c}, b), now);
    ASSERT_TRUE(asked(e));
    EXPECT_TRUE(asked(e)->leaves);
    EXPECT_FALSE(core.following());
    EXPECT_FALSE(asked(core.set_full(false, now))->leaves);
}

TEST_F(ReplicaTest, AFollowerThatIsFullLeaves) {
    core.assign(row(1, 1, {me, b}, b), now);
    EXPECT_TRUE(asked(core.set_full(true, now))->leaves);
    EXPECT_FALSE(core.set_fit(false, now).role_changed);
    EXPECT_FALSE(core.set_full(false, now).role_changed) << "there is room, but it is not fit";
    EXPECT_FALSE(asked(core.set_fit(true, now))->leaves);
}

TEST_F(ReplicaTest, AnOnlyReplicaDoesNotResign) {
    auto alone = row(1, 1, {me});
    alone.row.replicas = {me};
    core.assign(alone, now);
    EXPECT_FALSE(core.set_fit(false, now).propose);
    EXPECT_FALSE(core.tick(now + 500).propose);
}

TEST_F(ReplicaTest, AnUncleanLeaderSaysThatItIsInOrder) {
    auto unclean = row(1, 1, {me});
    unclean.row.recovering = true;
    EXPECT_EQ(proposed(core.assign(unclean, now)), (Ids{me}));
}

TEST_F(ReplicaTest, AFencedFollowerIsNotProposed) {
    lead({me, b});
    auto fenced = row(1, 2, {me, b});
    fenced.brokers[c].active = false;
    core.assign(fenced, now);
    EXPECT_FALSE(attach(c, 0, 0, -1).propose);
    EXPECT_EQ(proposed(core.assign(row(1, 2, {me, b}), now)), (Ids{me, b, c}));
}

TEST_F(ReplicaTest, WaitsForWhoIsAboutToJoin) {
    core.set_options({.join_wait_ms = 500, .retry_ms = 100}, 0);
    lead({me, b}, 7);
    attach(b, 7, 7);
    auto e = attach(c, 7, 7);
    const auto number = e.propose->number;
    core.answered(number, Answer::ineligible, now);
    core.assign(row(1, 2, {me, b}), now);
    append(10);
    EXPECT_FALSE(acknowledge(b, 10, 10).high_watermark);
    now = 501;
    EXPECT_EQ(core.tick(now).high_watermark, 10);
}

}  // namespace
}  // namespace replica
