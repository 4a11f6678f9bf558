#include "controller/liveness.h"

#include <gtest/gtest.h>

#include "controller/testing.h"

namespace controller {
namespace {

using base::BrokerId;
using Broker = Sessions::Broker;

constexpr BrokerId k0{0}, k1{1}, k2{2};

class Liveness : public testing::Test {
  protected:
    Liveness() { sessions.begin(now); }
    const metadata::Image& image() { return *cluster.image(); }
    /// Time passes, with ticks as often as it owes them.
    std::vector<Broker> pass(base::InstantMs ms) {
        for (; ms > 0; ms -= 100) {
            now += std::min<base::InstantMs>(ms, 100);
            if (auto out = sessions.expired(image(), now); !out.empty()) return out;
        }
        return {};
    }

    TestCluster cluster{3};
    Sessions sessions{{.session_ms = 3000, .longest_gap_ms = 250}};
    base::InstantMs now = 1'000'000;
};

TEST_F(Liveness, SilenceEndsASession) {
    EXPECT_TRUE(pass(1000).empty());
    sessions.heard({k1, 1}, 4, now);
    EXPECT_TRUE(sessions.alive(image(), k0, now));
    EXPECT_EQ(sessions.next_expiry(image(), now), now + 2000);
    EXPECT_EQ(pass(2000), (std::vector<Broker>{{k0, 1}, {k2, 1}}));
    EXPECT_FALSE(sessions.alive(image(), k0, now));
    cluster.fence(0);
    cluster.fence(2);
    EXPECT_TRUE(pass(900).empty());
    EXPECT_EQ(pass(200), (std::vector<Broker>{{k1, 1}}));
}

TEST_F(Liveness, ANewControllerGivesEverybodyAWholeSession) {
    EXPECT_EQ(pass(60'000).size(), 3u);
    sessions.begin(now);
    EXPECT_TRUE(pass(2900).empty());
    EXPECT_EQ(pass(100).size(), 3u);
}

TEST_F(Liveness, TheControllerBeforeHasBeenSilentForLonger) {
    sessions.begin(now, Sessions::Silent{k1, now - 1300});
    EXPECT_TRUE(pass(1600).empty());
    EXPECT_EQ(pass(100), (std::vector<Broker>{{k1, 1}}));
    sessions.begin(now, Sessions::Silent{k1, now - 60'000});
    EXPECT_TRUE(pass(1400).empty()) << "it has half a session to find the new controller";
    sessions.heard({k1, 1}, 4, now);
    EXPECT_EQ(pass(1600), (std::vector<Broker>{{k0, 1}, {k2, 1}}));
}

TEST_F(Liveness, TimeInWhichTheControllerStoodStillDoesNotCount) {
    for (auto id : {k0, k1, k2}) sessions.heard({id, 1}, 1, now);
    now += 60'000;
    EXPECT_TRUE(sessions.expired(image(), now).empty());
    EXPECT_TRUE(pass(2700).empty());
    EXPECT_EQ(pass(100).size(), 3u);
}

TEST_F(Liveness, ADeathThatIsSeenEndsTheSessionAtOnce) {
    for (auto id : {k0, k1, k2}) sessions.heard({id, 1}, 1, now);
    sessions.lost({k1, 1}, now);
    EXPECT_EQ(sessions.expired(image(), now), (std::vector<Broker>{{k1, 1}}));
    sessions.heard({k1, 1}, 1, now);
    EXPECT_TRUE(sessions.expired(image(), now).empty()) << "it was not dead";
    sessions.heard({k1, 9}, 1, now);
    sessions.lost({k1, 1}, now);
    EXPECT_TRUE(sessions.expired(image(), now).empty()) << "another process lives";
}

TEST_F(Liveness, AFencedBrokerIsAliveOnlyIfHeard) {
    cluster.fence(0);
    EXPECT_FALSE(sessions.alive(image(), k0, now));
    sessions.heard({k0, 1}, 1, now);
    EXPECT_TRUE(sessions.alive(image(), k0, now));
    EXPECT_FALSE(sessions.alive(image(), BrokerId{7}, now));
}

TEST_F(Liveness, AWithdrawalIsSeenByAllWhenTheSlowestHasIt) {
    EXPECT_EQ(sessions.withdrawal(image(), {k0, 1}).seen_by_all, 0);
    sessions.heard({k0, 1}, 2, now);
    sessions.heard({k1, 1}, 7, now);
    sessions.heard({k2, 1}, 5, now);
    sessions.heard({k2, 1}, 4, now);
    sessions.withdrawn({k0, 1}, 6);
    sessions.withdrawn({k0, 1}, 8);
    auto w = sessions.withdrawal(image(), {k0, 1});
    EXPECT_EQ(w.done, 6);
    EXPECT_EQ(w.seen_by_all, 5);
    cluster.fence(2);
    EXPECT_EQ(sessions.withdrawal(image(), {k0, 1}).seen_by_all, 7);
    sessions.withdrawn({k0, 1}, std::nullopt);
    EXPECT_FALSE(sessions.withdrawal(image(), {k0, 1}).done) << "called off";
    sessions.withdrawn({k0, 1}, 9);
    EXPECT_EQ(sessions.withdrawal(image(), {k0, 1}).done, 9) << "begun anew";
    sessions.heard({k0, 2}, 2, now);
    EXPECT_FALSE(sessions.withdrawal(image(), {k0, 2}).done) << "another process";
}

}  // namespace
}  // namespace controller
