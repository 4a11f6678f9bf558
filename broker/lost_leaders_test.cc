#include "broker/lost_leaders.h"

#include <gmock/gmock.h>

#include "io/fake_shards.h"
#include "metadata/delta.h"
#include "metadata/records.h"

namespace broker {
namespace {

using base::BrokerId;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

enum class State : uint8_t { active, stopping, fenced };

metadata::ImagePtr brokers(const std::map<int, State>& states) {
    metadata::Delta delta(metadata::Image::empty());
    for (const auto& [id, state] : states) {
        metadata::Broker b;
        b.id = BrokerId{id};
        b.epoch = 1;
        b.fenced = state == State::fenced;
        b.in_controlled_shutdown = state == State::stopping;
        EXPECT_TRUE(delta.replay(metadata::broker_record(b)).ok());
    }
    return delta.apply({1, 1});
}

std::vector<BrokerId> lost(const std::map<int, State>& before, const std::map<int, State>& after) {
    return lost_brokers(*brokers(before), *brokers(after), BrokerId{0});
}

TEST(LostBrokers, AreThoseThatWereInServiceAndDidNotAskToStop) {
    using enum State;
    EXPECT_THAT(lost({{1, active}, {2, active}}, {{1, fenced}, {2, active}}),
                ElementsAre(BrokerId{1}));
    EXPECT_THAT(lost({{1, active}}, {}), ElementsAre(BrokerId{1}));
    EXPECT_THAT(lost({{1, active}}, {{1, stopping}}), IsEmpty());
    EXPECT_THAT(lost({{1, stopping}}, {{1, fenced}}), IsEmpty());
    EXPECT_THAT(lost({{1, fenced}}, {{1, active}}), IsEmpty());
    EXPECT_THAT(lost({{0, active}}, {{0, fenced}}), IsEmpty()) << "this broker itself";
}

TEST(LeadersTold, AreOutdatedUntilMoreIsAsked) {
    LeadersTold told;
    EXPECT_FALSE(told.outdated(BrokerId{1}, 0, 100));
    told.answered(50);
    told.told(BrokerId{1}, 50);
    EXPECT_TRUE(told.outdated(BrokerId{1}, 0, 100));
    EXPECT_FALSE(told.outdated(BrokerId{2}, 0, 100)) << "nobody was sent there";
    EXPECT_FALSE(told.outdated(BrokerId{1}, 51, 100)) << "that is too long ago";
    told.answered(60);
    EXPECT_TRUE(told.outdated(BrokerId{1}, 0, 100)) << "another topic, perhaps";
    told.answered(101);
    EXPECT_FALSE(told.outdated(BrokerId{1}, 0, 100));
}

TEST(LeadersTold, TheLastTimeCounts) {
    LeadersTold told;
    told.told(BrokerId{1}, 50);
    told.told(BrokerId{1}, 90);
    EXPECT_TRUE(told.outdated(BrokerId{1}, 80, 100));
}

TEST(LostLeaders, BrokersTakeTurns) {
    using enum State;
    const auto image = brokers({{0, active}, {1, fenced}, {2, active}, {3, active}});
    const auto first = LostLeaders::turn(*image, BrokerId{0});
    EXPECT_GT(first, milliseconds(0));
    EXPECT_EQ(LostLeaders::turn(*image, BrokerId{2}), first + milliseconds(400));
    EXPECT_EQ(LostLeaders::turn(*image, BrokerId{3}), first + milliseconds(800));
}

class LostLeadersTest : public testing::Test {
  protected:
    using enum State;
    struct Ended {
        BrokerId lost;
        base::InstantMs since, lost_at, at;
    };

    /// Broker 1 is lost, as broker `self` sees it.
    void lose(int self) {
        leaders = std::make_unique<LostLeaders>(
            home, BrokerId{self}, [this](BrokerId) { return gone; },
            [this](BrokerId id, base::InstantMs since, base::InstantMs lost_at) {
                ended.push_back({id, since, lost_at, home.now()});
            });
        leaders->changed(*before, *after);
    }

    const metadata::ImagePtr before = brokers({{0, active}, {1, active}, {2, active}});
    const metadata::ImagePtr after = brokers({{0, active}, {1, fenced}, {2, active}});
    bool gone = false;
    io::FakeShards shards;
    io::Shard& home = shards.at(0);
    std::unique_ptr<LostLeaders> leaders;
    std::vector<Ended> ended;
};

TEST_F(LostLeadersTest, WhoHangsIsForgottenByAllWhoWereSentThere) {
    lose(2);
    shards.pass(milliseconds(400));
    EXPECT_THAT(ended, IsEmpty()) << "broker 0 goes first";
    shards.pass(milliseconds(600));
    ASSERT_EQ(ended.size(), 1);
    EXPECT_EQ(ended[0].lost, BrokerId{1});
    EXPECT_LE(ended[0].since, 0);
}

TEST_F(LostLeadersTest, WhoIsGoneMisleadsOnlyThoseWhoWereToldLast) {
    lose(2);
    gone = true;
    shards.pass(milliseconds(100));
    ASSERT_EQ(ended.size(), 1);
    EXPECT_EQ(ended[0].since, ended[0].lost_at - 1000);
}

TEST_F(LostLeadersTest, NothingIsEndedOnceStopped) {
    lose(0);
    leaders->stop();
    leaders->changed(*before, *after);
    shards.pass(milliseconds(10'000));
    EXPECT_THAT(ended, IsEmpty());
}

}  // namespace
}  // namespace broker
