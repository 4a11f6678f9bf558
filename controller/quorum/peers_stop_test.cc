// Ends of all kinds: whatever is under way, no thread, stream or event is left behind.
#include <gmock/gmock.h>

#include <atomic>

#include "controller/quorum/peers_fixture.h"

namespace quorum {
namespace {

raft::Append append(size_t bytes) {
    return {.prev = {1, 1}, .entries = {{1, raft::EntryKind::data, std::string(bytes, 'x')}}};
}

/// Sends from the shard itself as fast as it can, until the node is gone.
void flood(TestNode& from, const raft::Member& to, const std::shared_ptr<std::atomic<bool>>& stop) {
    from.shard().post([&from, to, stop] {
        if (*stop) return;
        for (int i = 0; i < 10; ++i) from.peers().send(from.message(to, 1, append(100'000)));
        flood(from, to, stop);
    });
}

TEST(PeersStop, BeforeAnythingHasBegun) {
    TestNode a(member(0));
    a.stop();
    a.stop();
}

TEST(PeersStop, WhileItDials) {
    TestNode b(member(1));
    for (int i = 0; i < 20; ++i) {
        TestNode a(member(0));
        a.set_roster({.members = {{b.self(), b.address()},
                                  {member(2), "127.0.0.1:1"},
                                  {member(3), "no-such-host.invalid:1"}}});
    }
}

TEST(PeersStop, WhileBothSend) {
    for (int i = 0; i < 5; ++i) {
        TestNode a(member(0)), b(member(1));
        introduce({&a, &b});
        const auto stop = std::make_shared<std::atomic<bool>>(false);
        flood(a, b.self(), stop);
        flood(b, a.self(), stop);
        a.wait_messages(20);
        b.wait_messages(20);
        a.peers().stop();
        *stop = true;
    }
}

TEST(PeersStop, WhileAMessageIsOnItsWayToASlowShard) {
    TestNode a(member(0)), b(member(1));
    introduce({&a, &b});
    std::promise<void> go;
    b.shard().post([&] { go.get_future().wait(); });
    for (int i = 0; i < 100; ++i) a.send(b.self(), 1, append(500'000));
    a.stop();
    auto stopped = std::async(std::launch::async, [&] { b.stop(); });
    go.set_value();
    stopped.get();
}

TEST(PeersStop, TheServerMayGoFirst) {
    TestNode a(member(0)), b(member(1));
    introduce({&a, &b});
    a.send(b.self(), 1);
    b.wait_messages(1);
    b.server().stop();
    a.wait_trouble(Trouble::refused);
    b.peers().stop();
}

TEST(PeersStop, WhoComesLaterIsTurnedAway) {
    TestNode a(member(0)), b(member(1));
    b.know({&a});
    b.peers().stop();
    a.know({&b});
    const auto seen = a.wait_trouble(Trouble::unreachable);
    EXPECT_EQ(base::message(seen.status), "the node is stopping");
    EXPECT_EQ(b.message_count(), 0u);
}

TEST(PeersStop, AnEventMayChangeTheRoster) {
    auto shards = io::Shards::start(1, 1);
    TestNode b(member(1));
    const PeerOptions options{.cluster = kTestCluster, .self = member(0), .address = "127.0.0.1:1"};
    Peers* peers = nullptr;
    std::promise<void> left;
    const auto leave = [&] {
        peers->set_roster({});
        left.set_value();
    };
    Peers a(shards->at(0), options,
            {[](const raft::Message&) {}, [&](const raft::Member&) { leave(); },
             [](const raft::Member&, Trouble, const base::Status&) {}});
    peers = &a;
    b.set_roster({.members = {{member(0), "127.0.0.1:1"}}});
    shards->at(0).post([&] { a.set_roster({.members = {{b.self(), b.address()}}}); });
    left.get_future().wait();
    a.stop();
    shards->stop();
}

}  // namespace
}  // namespace quorum
