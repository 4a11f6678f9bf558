#include "replication/streams/streams.h"

#include <gtest/gtest.h>

#include <atomic>

#include "replication/streams/test_broker.h"

namespace replication::streams {
namespace {

TEST(StreamsTest, WhatALeaderAppendsIsPushedToItsFollowers) {
    TestBroker a(1, 2), b(2, 2), c(3, 2);
    set_up({&a, &b, &c}, 4);
    for (int i = 0; i < 4; ++i) a.append(i, 1000, 10);
    EXPECT_TRUE(soon([&] { return in_step({&a, &b, &c}, 4); }));
    for (int round = 0; round < 200; ++round) a.append(round % 4, 2000);
    EXPECT_TRUE(soon([&] { return in_step({&a, &b, &c}, 4); }));
}

TEST(StreamsTest, ABatchThatIsLargerThanAMessageGoesAlone) {
    TestBroker a(1, 1), b(2, 1);
    set_up({&a, &b}, 2);
    a.append(0, (6 << 20) / kLess);
    a.append(1, 100, 5);
    EXPECT_TRUE(soon([&] { return in_step({&a, &b}, 2); }));
}

TEST(StreamsTest, BrokersMayHaveDifferentNumbersOfShards) {
    TestBroker a(1, 3), b(2, 2), c(3, 1);
    set_up({&a, &b, &c}, 7);
    for (int i = 0; i < 7; ++i) a.append(i, 1000, 3);
    EXPECT_TRUE(soon([&] { return in_step({&a, &b, &c}, 7); }));
    // The other way round.
    for (int i = 0; i < 7; ++i) {
        for (auto* broker : {&a, &b, &c}) broker->assign(i, c.id(), 2, {a.id(), b.id(), c.id()});
        c.append(i, 1000, 3);
    }
    EXPECT_TRUE(soon([&] { return in_step({&c, &a, &b}, 7); }));
}

TEST(StreamsTest, AFollowerFarBehindCatchesUpBesideTheTail) {
    auto options = TestBroker::quick();
    options.feed.near_bytes = (64 << 10) / kLess;
    TestBroker a(1, 1, options), b(2, 1);
    a.know({&a, &b});
    b.know({&a, &b});
    for (int i = 0; i < 3; ++i) a.assign(i, a.id(), 1, {a.id(), b.id()});
    for (int i = 0; i < 2; ++i) a.append(i, 10'000 / kLess, 200);
    for (int i = 0; i < 3; ++i) b.assign(i, a.id(), 1, {a.id(), b.id()});
    for (int i = 0; i < 50; ++i) a.append(2, 1000);
    EXPECT_TRUE(soon([&] { return in_step({&a, &b}, 3); }));
}

TEST(StreamsTest, TheThrottleHoldsBackWhoIsNotInSync) {
    auto options = TestBroker::quick();
    options.feed.near_bytes = (16 << 10) / kLess;
    options.feed.message_bytes = (64 << 10) / kLess;
    TestBroker a(1, 1, options), b(2, 1);
    a.know({&a, &b});
    b.know({&a, &b});
    a.streams().set_throttle(400'000 / kLess);
    a.assign(0, a.id(), 1, {a.id(), b.id()}, {a.id()});
    a.append(0, 20'000 / kLess, 30);
    const auto begun = std::chrono::steady_clock::now();
    b.assign(0, a.id(), 1, {a.id(), b.id()}, {a.id()});
    EXPECT_TRUE(soon([&] { return b.end(0) == 30; }));
    // A second's worth goes at once.
    EXPECT_GE(std::chrono::steady_clock::now() - begun, 300ms);
}

TEST(StreamsTest, AnAttachThatIsEarlyWaitsForThePartition) {
    TestBroker a(1, 2), b(2, 2);
    a.know({&a, &b});
    b.know({&a, &b});
    b.assign(0, a.id(), 1, {a.id(), b.id()});
    std::this_thread::sleep_for(50ms);
    a.assign(0, a.id(), 1, {a.id(), b.id()});
    a.append(0, 1000, 3);
    EXPECT_TRUE(soon([&] { return in_step({&a, &b}, 1); }));
}

TEST(StreamsTest, AClosedPartitionIsLeftAlone) {
    TestBroker a(1, 1), b(2, 1);
    set_up({&a, &b}, 2);
    a.append(0, 1000);
    a.append(1, 1000);
    EXPECT_TRUE(soon([&] { return in_step({&a, &b}, 2); }));
    b.remove(0);
    a.append(0, 1000, 10);
    a.append(1, 1000, 10);
    EXPECT_TRUE(soon([&] { return b.end(1) == 11; }));
    a.remove(0);
    b.assign(0, a.id(), 1, {a.id(), b.id()});
    a.append(1, 1000, 10);
    EXPECT_TRUE(soon([&] { return b.end(1) == 21; }));
}

TEST(StreamsTest, ALeaderThatStopsIsLostAndComesBackElsewhere) {
    TestBroker b(2, 1);
    auto a = std::make_unique<TestBroker>(1, 1);
    set_up({a.get(), &b}, 1);
    a->append(0, 1000, 3);
    EXPECT_TRUE(soon([&] { return in_step({a.get(), &b}, 1); }));
    a.reset();
    EXPECT_TRUE(soon([&] { return !b.following(0); }));
    TestBroker again(1, 2);
    again.know({&again, &b});
    again.assign(0, again.id(), 2, {again.id(), b.id()});
    b.know({&again, &b});
    b.assign(0, again.id(), 2, {again.id(), b.id()});
    again.append(0, 1000, 5);
    EXPECT_TRUE(soon([&] { return in_step({&again, &b}, 1); }));
}

TEST(StreamsTest, ACutIsNoticedOnBothSidesAndHealsAtOnce) {
    TestBroker a(1, 2), b(2, 2);
    set_up({&a, &b}, 2);
    a.append(0, 1000, 3);
    EXPECT_TRUE(soon([&] { return in_step({&a, &b}, 2); }));
    a.streams().set_cut({2});
    b.streams().set_cut({1});
    (void)a.end(0), (void)b.end(0);  // the cut is there
    a.append(0, 1000, 3);
    std::this_thread::sleep_for(100ms);
    EXPECT_EQ(b.end(0), 3);
    EXPECT_TRUE(a.attached(0, b.id())) << "nobody has noticed yet";
    EXPECT_TRUE(soon([&] { return !a.attached(0, b.id()); }));
    EXPECT_TRUE(soon([&] { return !b.following(0); }));
    b.streams().set_cut({});
    std::this_thread::sleep_for(20ms);
    a.streams().set_cut({});
    const auto healed = std::chrono::steady_clock::now();
    EXPECT_TRUE(soon([&] { return in_step({&a, &b}, 2); }));
    EXPECT_LT(std::chrono::steady_clock::now() - healed, 1s);
    // Mended before anybody noticed.
    a.streams().set_cut({2});
    b.streams().set_cut({1});
    (void)a.end(0), (void)b.end(0);
    a.append(0, 1000, 3);
    std::this_thread::sleep_for(50ms);
    a.streams().set_cut({});
    b.streams().set_cut({});
    EXPECT_TRUE(soon([&] { return in_step({&a, &b}, 2); }));
}

TEST(StreamsTest, WhoIsTakenOutOfTheClusterIsTurnedAway) {
    TestBroker a(1, 1), b(2, 1);
    set_up({&a, &b}, 1);
    a.append(0, 1000, 3);
    EXPECT_TRUE(soon([&] { return in_step({&a, &b}, 1); }));
    a.know({&a});
    EXPECT_TRUE(soon([&] { return !a.attached(0, b.id()); }));
    a.append(0, 1000, 3);
    std::this_thread::sleep_for(100ms);
    EXPECT_EQ(b.end(0), 3);
    a.know({&a, &b});
    EXPECT_TRUE(soon([&] { return in_step({&a, &b}, 1); }));
}

TEST(StreamsTest, StopsAtOnceUnderLoad) {
    for (const bool leader_first : {true, false}) {
        TestBroker a(1, 2), b(2, 2), c(3, 2);
        set_up({&a, &b, &c}, 4);
        std::atomic<bool> done = false;
        std::thread load([&] {
            for (int i = 0; !done; ++i) {
                a.append(i % 4, 50'000 / kLess);
                std::this_thread::sleep_for(1ms);
            }
        });
        EXPECT_TRUE(soon([&] { return b.end(0) > 20; }));
        const auto begun = std::chrono::steady_clock::now();
        auto& first = leader_first ? a : b;
        first.stop();
        EXPECT_LT(std::chrono::steady_clock::now() - begun, 3s * kLess);
        std::this_thread::sleep_for(20ms);
        done = true;
        load.join();
        c.stop();
        EXPECT_LT(std::chrono::steady_clock::now() - begun, 6s * kLess);
    }
}

}  // namespace
}  // namespace replication::streams
