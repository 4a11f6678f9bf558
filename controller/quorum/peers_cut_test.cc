// What set_cut does is what a cable that is cut does: nothing tells it from a network that is gone.
#include <thread>

#include "controller/quorum/peers_fixture.h"

namespace quorum {
namespace {

const PeerOptions kQuick{.handshake_timeout = 300ms,
                         .keepalive_time = 100ms,
                         .keepalive_timeout = 1s,
                         .backoff_most = 100ms};

void cut(TestNode& node, std::set<int32_t> ids) {
    node.on_shard([&] { node.peers().set_cut(std::move(ids)); });
}

/// Sends until it comes through.
void expect_reaches(TestNode& from, TestNode& to) {
    const auto until = std::chrono::steady_clock::now() + 20s;
    const auto before = to.message_count();
    while (to.message_count() == before && std::chrono::steady_clock::now() < until) {
        from.send(to.self(), 1);
        std::this_thread::sleep_for(5ms);
    }
    EXPECT_GT(to.message_count(), before);
}

TEST(PeersCut, NothingPassesUntilItHeals) {
    TestNode a(member(0), 0, kQuick), b(member(1), 0, kQuick), c(member(2), 0, kQuick);
    introduce({&a, &b, &c});
    cut(a, {1});
    cut(b, {0});
    for (raft::Term t = 1; t <= 10; ++t) {
        a.send(b.self(), t);
        b.send(a.self(), t);
    }
    expect_reaches(a, c);
    expect_reaches(c, b);
    a.wait_trouble(Trouble::lost);  // and what was before they knew each other
    for (int i = 0; i < 3; ++i) EXPECT_EQ(a.wait_trouble().trouble, Trouble::silent);
    EXPECT_EQ(b.wait_messages(1).front().from, c.self());
    EXPECT_EQ(a.message_count(), 0u);

    cut(a, {});
    cut(b, {});
    a.wait_connected(b.self());
    b.wait_connected(a.self());
    expect_reaches(a, b);
    expect_reaches(b, a);
}

TEST(PeersCut, OneSideIsEnough) {
    TestNode a(member(0), 0, kQuick);
    auto b = std::make_unique<TestNode>(member(1), 0, kQuick);
    introduce({&a, b.get()});
    cut(a, {1});
    for (raft::Term t = 1; t <= 10; ++t) {
        a.send(b->self(), t);
        b->send(a.self(), t);
    }
    a.wait_trouble(Trouble::lost);  // and what was before they knew each other

    // One that comes anew is neither welcomed nor turned away.
    const auto port = b->port();
    b.reset();
    EXPECT_EQ(a.wait_trouble().trouble, Trouble::silent) << "even now that nobody is there";
    b = std::make_unique<TestNode>(member(1), port, kQuick);
    b->know({&a});
    EXPECT_EQ(b->wait_trouble().trouble, Trouble::silent);
    EXPECT_EQ(b->wait_trouble().trouble, Trouble::silent);
    EXPECT_EQ(a.message_count() + b->message_count(), 0u);

    cut(a, {});
    a.wait_connected(b->self());
    b->wait_connected(a.self());
    expect_reaches(a, *b);
    expect_reaches(*b, a);
}

TEST(PeersCut, AStreamThatWaitsIsLetInWhenItHeals) {
    TestNode a(member(0)), b(member(1));
    cut(a, {1});
    a.know({&b});
    b.know({&a});
    cut(a, {});
    b.wait_connected(a.self());
    a.wait_connected(b.self());
}

TEST(PeersCut, WhoIsRemovedMeanwhileLearnsItAfterwards) {
    TestNode a(member(0), 0, kQuick), b(member(1), 0, kQuick);
    introduce({&a, &b});
    cut(b, {0});
    cut(a, {1});
    b.set_roster({});
    a.wait_trouble(Trouble::silent);
    a.wait_trouble(Trouble::silent);
    cut(a, {});
    EXPECT_EQ(a.wait_trouble().trouble, Trouble::silent) << "the other end is cut still";
    cut(b, {});
    a.wait_trouble(Trouble::rejected);
}

TEST(PeersCut, AShortOneLosesTheStream) {
    TestNode a(member(0)), b(member(1));
    introduce({&a, &b});
    a.on_shard([&] {
        a.peers().set_cut({1});
        a.peers().set_cut({1});
        a.peers().set_cut({});
        a.peers().set_cut({});
    });
    a.wait_trouble(Trouble::lost);  // and what was before they knew each other
    a.wait_connected(b.self());
    expect_reaches(a, b);
    expect_reaches(b, a);
}

TEST(PeersCut, StopsWhileCut) {
    for (int i = 0; i < 5; ++i) {
        TestNode a(member(0)), b(member(1));
        introduce({&a, &b});
        cut(a, {1});
        b.set_roster({});
        b.know({&a});  // dials, and waits to be welcomed
        std::this_thread::sleep_for(20ms * i);
        i % 2 == 0 ? a.stop() : b.stop();
    }
}

}  // namespace
}  // namespace quorum
