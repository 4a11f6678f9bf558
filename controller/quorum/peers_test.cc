#include "controller/quorum/peers.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <map>
#include <thread>

#include "base/crc32c.h"
#include "controller/quorum/peers_fixture.h"
#include "controller/quorum/wire.h"

namespace quorum {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

raft::Append append(raft::Term term, size_t bytes) {
    return {.prev = {1, 1}, .entries = {{term, raft::EntryKind::data, std::string(bytes, 'x')}}};
}

TEST(Peers, TwoExchangeMessages) {
    TestNode a(member(0)), b(member(1));
    introduce({&a, &b});
    a.send(b.self(), 7, raft::VoteRequest{{5, 4}, true, false});
    const auto got = b.wait_messages(1).front();
    EXPECT_EQ(got.cluster, kTestCluster);
    EXPECT_EQ(got.from, a.self());
    EXPECT_EQ(got.to, b.self());
    EXPECT_EQ(got.term, 7);
    EXPECT_EQ(std::get<raft::VoteRequest>(got.body).last, (raft::Position{5, 4}));
    b.send(a.self(), 8);
    EXPECT_EQ(a.wait_messages(1).front().from, b.self());
}

TEST(Peers, ThreeKeepTheOrderOfEachSender) {
    constexpr raft::Term kMessages = 2000;
    TestNode a(member(0)), b(member(1)), c(member(2));
    introduce({&a, &b, &c});
    for (raft::Term t = 1; t <= kMessages; ++t) {
        a.on_shard([&] { a.peers().send(a.message(c.self(), t)); });
        b.on_shard([&] { b.peers().send(b.message(c.self(), t, append(t, 100))); });
    }
    std::map<raft::Member, raft::Term> last;
    for (const auto& m : c.wait_messages(2 * kMessages)) EXPECT_EQ(m.term, ++last[m.from]);
    EXPECT_EQ(last[a.self()], kMessages);
    EXPECT_EQ(last[b.self()], kMessages);
    EXPECT_EQ(a.message_count() + b.message_count(), 0u);
}

TEST(Peers, CarriesALargeSnapshotChunk) {
    TestNode a(member(0)), b(member(1));
    introduce({&a, &b});
    raft::SnapshotChunk chunk;
    chunk.snapshot.position = {9, 3};
    chunk.snapshot.configuration.voters[a.self()] = a.address();
    chunk.number = 4;
    chunk.bytes.assign(16 << 20, 'z');
    chunk.crc = base::crc32c(base::as_bytes(chunk.bytes));
    a.send(b.self(), 3, chunk);
    const auto got = b.wait_messages(1).front();
    const auto& body = std::get<raft::SnapshotChunk>(got.body);
    EXPECT_EQ(body.snapshot, chunk.snapshot);
    EXPECT_EQ(body.bytes, chunk.bytes);
    EXPECT_EQ(body.crc, chunk.crc);
}

TEST(Peers, TellsAtOnceThatNobodyListens) {
    auto gone = std::make_unique<TestNode>(member(1));
    TestNode a(member(0), 0, {.handshake_timeout = 1h});  // which is not what tells it
    const auto address = gone->address();
    gone.reset();
    a.set_roster({.members = {{member(1), address}}});
    const auto seen = a.wait_trouble(Trouble::refused);
    EXPECT_EQ(seen.member, member(1));
    EXPECT_EQ(seen.status.code(), absl::StatusCode::kUnavailable);
    const auto states = a.states();
    ASSERT_THAT(states, SizeIs(1));
    EXPECT_FALSE(states[0].connected);
    EXPECT_EQ(states[0].address, address);
}

TEST(Peers, TellsThatANameIsUnknown) {
    TestNode a(member(0));
    a.set_roster({.members = {{member(1), "no-such-host.invalid:1"}}});
    const auto seen = a.wait_trouble();
    EXPECT_TRUE(seen.trouble == Trouble::unreachable || seen.trouble == Trouble::silent)
        << seen.status;
}

TEST(Peers, GivesUpOnWhoNeverAnswers) {
    // The kernel accepts, nobody reads.
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in bound{};
    bound.sin_family = AF_INET;
    bound.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(bound);
    auto* address = reinterpret_cast<sockaddr*>(&bound);
    ASSERT_EQ(::bind(listener, address, size), 0);
    ASSERT_EQ(::listen(listener, 4), 0);
    ASSERT_EQ(::getsockname(listener, address, &size), 0);
    const auto port = ntohs(bound.sin_port);

    TestNode a(member(0), 0, {.handshake_timeout = 100ms});
    a.set_roster({.members = {{member(1), "127.0.0.1:" + std::to_string(port)}}});
    EXPECT_EQ(a.wait_trouble(Trouble::silent).member, member(1));
    a.wait_trouble(Trouble::silent);
    ::close(listener);
}

TEST(Peers, ReconnectsToAPeerThatRestartsOnTheSamePort) {
    TestNode a(member(0));
    auto b = std::make_unique<TestNode>(member(1));
    introduce({&a, b.get()});
    const auto port = b->port();
    b.reset();
    a.wait_trouble(Trouble::refused);
    a.send(member(1), 1);
    b = std::make_unique<TestNode>(member(1), port);
    b->know({&a, b.get()});
    a.wait_connected(b->self());
    b->wait_connected(a.self());
    a.send(b->self(), 2);
    EXPECT_EQ(b->wait_messages(1).front().term, 2) << "what was sent to nobody is gone";
    EXPECT_EQ(a.states().front().dropped, 1u);
}

TEST(Peers, ABreakIsFollowedByADialAtOnce) {
    TestNode a(member(0), 0, {.backoff_least = 1h, .backoff_most = 1h});
    TestNode b(member(1));
    introduce({&a, &b});
    b.set_roster({.members = {}});
    a.wait_trouble(Trouble::rejected);
    b.know({&a});
    a.wait_connected(b.self());  // woken by the one that came, without a pause
}

TEST(Peers, WhoWasLongAwayIsStillFoundGoneAtOnce) {
    TestNode a(member(0), 0, {.backoff_least = 50ms, .backoff_most = 60s});
    auto b = std::make_unique<TestNode>(member(1));
    introduce({&a, b.get()});
    const auto port = b->port();
    b.reset();
    for (int i = 0; i < 7; ++i) a.wait_trouble(Trouble::refused);
    b = std::make_unique<TestNode>(member(1), port);
    b->know({&a, b.get()});
    a.wait_connected(b->self());
    std::this_thread::sleep_for(200ms);
    b.reset();
    const auto gone = std::chrono::steady_clock::now();
    a.wait_trouble(Trouble::refused);
    EXPECT_LT(std::chrono::steady_clock::now() - gone, 4s) << "an eighth pause is twice as long";
}

TEST(Peers, FollowsAMemberThatMoves) {
    TestNode a(member(0));
    TestNode here(member(1));
    introduce({&a, &here});
    TestNode there(member(1));
    there.know({&a});
    a.set_roster({.members = {{member(1), there.address()}}});
    a.wait_connected(member(1));
    a.send(member(1), 5);
    EXPECT_EQ(there.wait_messages(1).front().term, 5);
    EXPECT_EQ(here.message_count(), 0u);
}

TEST(Peers, BreaksWithWhoLeaves) {
    TestNode a(member(0)), b(member(1));
    introduce({&a, &b});
    b.set_roster({});
    const auto seen = a.wait_trouble(Trouble::rejected);
    EXPECT_EQ(seen.status.code(), absl::StatusCode::kPermissionDenied) << seen.status;
    EXPECT_THAT(b.states(), IsEmpty());
    b.set_roster({.members = {{member(0, 9), a.address()}}});
    // It may have dialled once more before.
    auto then = a.wait_trouble(Trouble::rejected);
    while (absl::IsPermissionDenied(then.status)) then = a.wait_trouble(Trouble::rejected);
    EXPECT_EQ(then.status.code(), absl::StatusCode::kAborted) << then.status;
}

TEST(Peers, AnOpenRosterAnswersStrangers) {
    const auto port = TestNode(member(0)).port();  // one that is free, to be told before it is used
    TestNode leader(member(0), port), blank(member(1));
    blank.set_roster({.open = true});
    leader.know({&blank});
    leader.wait_connected(blank.self());
    blank.wait_connected(leader.self());
    leader.send(blank.self(), 3);
    EXPECT_EQ(blank.wait_messages(1).front().from, leader.self());
    blank.send(leader.self(), 4);
    EXPECT_EQ(leader.wait_messages(1).front().from, blank.self());
    blank.set_roster({});
    EXPECT_THAT(blank.states(), IsEmpty());
    leader.wait_trouble(Trouble::rejected);
}

TEST(Peers, ASlowReaderDoesNotGrowMemory) {
    const PeerOptions options{.most_message_bytes = 1 << 20, .most_queued_bytes = 4 << 20};
    TestNode a(member(0), 0, options), b(member(1), 0, options);
    introduce({&a, &b});
    std::promise<void> go;
    b.shard().post([&] { go.get_future().wait(); });

    constexpr size_t kBytes = 200'000;
    constexpr raft::Term kMessages = 1000;
    for (raft::Term t = 1; t <= kMessages; ++t) {
        a.send(b.self(), t, append(t, kBytes));
        EXPECT_LE(a.states()[0].queued_bytes, options.most_queued_bytes);
    }
    a.send(b.self(), kMessages + 1);
    const auto dropped = a.states()[0].dropped;
    EXPECT_GT(dropped, kMessages / 2);
    go.set_value();

    const auto got = b.wait_messages(kMessages + 1 - dropped);
    EXPECT_EQ(got.back().term, kMessages + 1) << "the newest comes";
    // The queue, one batch that is written, one that is read, and what gRPC and the kernel hold.
    EXPECT_LT(got.size() * kBytes, options.most_queued_bytes + (24u << 20));
}

TEST(Peers, SendsToNobodyWithoutHarm) {
    TestNode a(member(0));
    a.send(member(5), 1);
    EXPECT_THAT(a.states(), IsEmpty());
}

TEST(PeersDeathTest, RefusesWhatIsNotItsOwnOrTooLarge) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    TestNode a(member(0), 0, {.most_message_bytes = 1000});
    EXPECT_DEATH(a.send(member(1), 1, append(1, 1000)), "a message of");
    EXPECT_DEATH(a.on_shard([&] {
        auto m = a.message(member(1), 1);
        m.from = member(1);
        a.peers().send(std::move(m));
    }),
                 "a message of another");
}

}  // namespace
}  // namespace quorum
