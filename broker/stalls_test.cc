#include "broker/stalls.h"

#include <gtest/gtest.h>

#include <functional>

namespace broker {
namespace {

using base::InstantMs;

class StallsTest : public testing::Test {
  protected:
    StallsTest() { look(); }
    bool look() { return stalls.look(since, now); }
    /// Looks every half second, as heartbeats do; tells when the answer has changed.
    InstantMs until(bool stalled, InstantMs most = 600'000) {
        const InstantMs from = now;
        while (now - from < most) {
            now += 500;
            if (each_look) each_look();
            if (look() == stalled) return now - from;
        }
        return most;
    }

    InstantMs now = 1'000'000;
    std::optional<InstantMs> since;
    std::function<void()> each_look;
    Stalls stalls{{.timeout_ms = 3000, .longest_gap_ms = 1000, .longest_calm_ms = 60'000}};
};

TEST_F(StallsTest, WhatTakesTooLongIsAStall) {
    since = now;
    EXPECT_EQ(until(true), 3000);
}

TEST_F(StallsTest, MuchThatIsSlowButDoneIsNone) {
    each_look = [this] {
        if (!since || now - *since >= 2500) since = now;
    };
    EXPECT_EQ(until(true, 60'000), 60'000);
}

TEST_F(StallsTest, AProcessThatWasPausedBlamesNoDisk) {
    since = now + 100;
    now += 60'000;
    EXPECT_FALSE(look());
    since = now;
    EXPECT_EQ(until(true), 3000);
}

TEST_F(StallsTest, ItIsOverAfterATimeWithout) {
    since = now;
    until(true);
    since.reset();
    EXPECT_EQ(until(false), 3000);
}

TEST_F(StallsTest, OneThatIsStillSlowIsNotOver) {
    since = now;
    until(true);
    since = now;
    each_look = [this] {
        if (now - *since >= 2500) since = now;
    };
    EXPECT_EQ(until(false, 60'000), 60'000);
    each_look = [this] { since = now; };
    EXPECT_LE(until(false), 3000);
}

TEST_F(StallsTest, TheNextOneSoonTakesLongerToBeOver) {
    InstantMs took = 0;
    for (InstantMs expected : {3000, 6000, 12'000, 24'000, 48'000, 60'000, 60'000}) {
        since = now;
        until(true);
        since.reset();
        EXPECT_EQ(took = until(false), expected);
    }
    for (int i = 0; i < 1300; ++i) {  // more than ten minutes without
        now += 500;
        look();
    }
    since = now;
    until(true);
    since.reset();
    EXPECT_EQ(until(false), 3000);
}

}  // namespace
}  // namespace broker
