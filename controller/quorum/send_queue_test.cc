#include "controller/quorum/send_queue.h"

#include <gmock/gmock.h>

#include <string>

#include "controller/quorum/wire.h"

namespace quorum {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

raft::Message append(raft::Term term, size_t bytes) {
    return {.term = term, .body = raft::Append{.entries = {{term, {}, std::string(bytes, 'x')}}}};
}
raft::Message vote(raft::Term term) { return {.term = term, .body = raft::VoteReply{}}; }

std::vector<raft::Term> terms(const std::vector<raft::Message>& messages) {
    std::vector<raft::Term> out;
    for (const auto& m : messages) out.push_back(m.term);
    return out;
}

TEST(SendQueue, KeepsTheOrder) {
    SendQueue queue(10'000);
    EXPECT_TRUE(queue.empty());
    EXPECT_THAT(queue.take(1000), IsEmpty());
    for (raft::Term t = 1; t <= 3; ++t) queue.push(vote(t));
    EXPECT_EQ(queue.bytes(), 3 * wire_bytes(vote(1)));
    EXPECT_THAT(terms(queue.take(10'000)), ElementsAre(1, 2, 3));
    EXPECT_EQ(queue.bytes(), 0u);
    EXPECT_EQ(queue.dropped(), 0u);
}

TEST(SendQueue, TakesAsMuchAsOneBatchHolds) {
    SendQueue queue(1 << 20);
    for (raft::Term t = 1; t <= 4; ++t) queue.push(append(t, 1000));
    const size_t two = 2 * wire_bytes(append(1, 1000));
    EXPECT_THAT(terms(queue.take(two)), ElementsAre(1, 2));
    EXPECT_THAT(terms(queue.take(1)), ElementsAre(3)) << "one at least";
    queue.clear();
    for (size_t i = 0; i < kMostMessages + 1; ++i) queue.push(vote(1));
    EXPECT_EQ(queue.take(1 << 20).size(), kMostMessages);
    EXPECT_EQ(queue.take(1 << 20).size(), 1u);
}

TEST(SendQueue, TakesNotMoreEntriesThanABatchMayHave) {
    SendQueue queue(64 << 20);
    raft::Message many{.term = 1, .body = raft::Append{}};
    std::get<raft::Append>(many.body).entries.resize(kMostEntries - 1);
    queue.push(many);
    queue.push(append(2, 1));
    queue.push(append(3, 1));
    EXPECT_THAT(terms(queue.take(64 << 20)), ElementsAre(1, 2));
    EXPECT_THAT(terms(queue.take(64 << 20)), ElementsAre(3));
}

TEST(SendQueue, DropsTheOldestAppendsAndHeartbeatsFirst) {
    const size_t small = wire_bytes(vote(1));
    SendQueue queue(5 * small);
    queue.push(vote(1));
    queue.push({.term = 2, .body = raft::Heartbeat{}});
    queue.push(vote(3));
    queue.push({.term = 4, .body = raft::Heartbeat{}});
    queue.push({.term = 5, .body = raft::Append{}});
    EXPECT_EQ(queue.dropped(), 0u);
    queue.push(vote(6));
    EXPECT_EQ(queue.dropped(), 1u);
    queue.push(vote(7));
    EXPECT_EQ(queue.dropped(), 2u);
    EXPECT_EQ(queue.bytes(), 5 * small);
    EXPECT_THAT(terms(queue.take(100 * small)), ElementsAre(1, 3, 5, 6, 7));
}

TEST(SendQueue, DropsTheOldestOfAllWhenNothingElseIsLeft) {
    const size_t small = wire_bytes(vote(1));
    SendQueue queue(3 * small);
    for (raft::Term t = 1; t <= 9; ++t) queue.push(vote(t));
    EXPECT_EQ(queue.dropped(), 6u);
    EXPECT_THAT(terms(queue.take(100 * small)), ElementsAre(7, 8, 9));
}

TEST(SendQueue, NeverHoldsMoreThanItsBound) {
    constexpr size_t kMost = 100'000;
    SendQueue queue(kMost);
    for (raft::Term t = 1; t <= 1000; ++t) {
        queue.push(t % 3 == 0 ? vote(t) : append(t, static_cast<size_t>(t) * 50));
        ASSERT_LE(queue.bytes(), kMost);
    }
    std::vector<raft::Term> left;
    while (!queue.empty()) left = terms(queue.take(kMost));
    EXPECT_EQ(left.back(), 1000) << "the newest stays";
}

TEST(SendQueue, CountsWhatIsThrownAway) {
    SendQueue queue(10'000);
    queue.push(vote(1));
    queue.push(vote(2));
    queue.clear();
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.bytes(), 0u);
    EXPECT_EQ(queue.dropped(), 2u);
}

TEST(SendQueueDeathTest, RefusesWhatCanNeverBeSent) {
    SendQueue queue(1000);
    EXPECT_DEATH(queue.push(append(1, 1000)), "a message of");
}

}  // namespace
}  // namespace quorum
