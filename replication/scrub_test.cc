#include "replication/scrub.h"

#include <algorithm>

#include "replication/partition_fixture.h"
#include "replication/partitions.h"
#include "storage/segment.h"

namespace replication {
namespace {

using base::BrokerId;
using base::Offset;
using kafka::ErrorCode;
using std::chrono::milliseconds;

/// Gives what it is told to, or nothing.
class FakeDonors final : public Donors {
  public:
    void fetch(io::Shard& on, const base::TopicPartition&, BrokerId from, Offset offset, uint32_t,
               Done done) override {
        asked.emplace_back(from.value, offset);
        const auto found = gives.find(from.value);
        base::Result<base::Bytes> answer = base::unavailable("it is gone");
        if (found != gives.end()) answer = found->second;
        on.post([done = std::move(done), answer = std::move(answer)]() mutable {
            done(std::move(answer));
        });
    }
    std::vector<std::pair<int, Offset>> asked;
    std::map<int, base::Bytes> gives;
};

/// Ten records of epoch 0 in segments 0, 4 and 8.
class ScrubTest : public ::testing::Test {
  protected:
    static constexpr size_t kBatchBytes = 61 + 9 + 100;

    ScrubTest() {
        EXPECT_TRUE(disk.make_directories("/data").ok());
        settings.log.segment_bytes = 4 * kBatchBytes + 3;
        settings.log.retention_ms = -1;
        partitions.connect({{&peers, &peers}});
        partitions.registered(replication::testing::kBrokerEpoch);
        shards.settle();
        partitions.open(kId, settings, replication::testing::led_alone(0),
                        [](const base::Status& status) { EXPECT_TRUE(status.ok()) << status; });
        shards.settle();
        for (int i = 0; i < 10; ++i) {
            kafka::BatchBuilder builder(kafka::BatchBuilder::Options{});
            builder.add(1000 + i, "", std::string(100, static_cast<char>('a' + i)));
            auto bytes = std::move(builder).build();
            partition().append(bytes, Acks::all, kTimeout,
                               [](const auto& outcome) { EXPECT_TRUE(outcome.ok()); });
            shards.settle();
        }
        peers.sent.clear();
    }
    ~ScrubTest() override { partition().abandon(); }

    Partition& partition() { return **partitions.find(kId); }
    std::string path(Offset base) {
        return "/data/" + kId.topic.to_string() + ".0/" + storage::segment_name(base);
    }
    base::Bytes content(Offset base) { return *io::read_file(disk, path(base), 1 << 20); }
    void flip(uint64_t at = kBatchBytes + 100) { disk.flip_bit(path(4), at, 2); }
    void scrub(int64_t bytes_per_s = 100 << 20) {
        partitions.scrub({.bytes_per_s = bytes_per_s, .interval = milliseconds(5000)}, donors);
        shards.settle();
    }
    void pass(milliseconds by) {
        for (; by.count() > 0; by -= milliseconds(10)) {
            shards.pass(milliseconds(10));
            shards.settle();
        }
    }
    void follow() {
        partitions.assign(kId, replication::testing::assigned(1, 1, {1, 0, 2}, {1, 0, 2}));
        shards.settle();
    }
    bool damaged() { return partition().log().damaged().has_value(); }
    ErrorCode read(Offset offset) {
        const auto found = partition().read({.offset = offset, .max_bytes = 1000});
        return found.ok() ? ErrorCode::none : found.error().code;
    }

    io::MemoryDisk disk;
    storage::MemoryStore store;
    io::FakeShards shards;
    Peers peers;
    FakeDonors donors;
    Partitions::Settings settings;
    Partitions partitions{shards, disk, store, replication::testing::kSelf, {"/data"}};
};

TEST_F(ScrubTest, AFollowersSegmentIsFetchedAgain) {
    const auto whole = content(4);
    donors.gives[1] = whole;
    flip();
    follow();
    scrub();
    pass(milliseconds(100));
    EXPECT_EQ(donors.asked, (std::vector<std::pair<int, Offset>>{{1, 4}}));
    EXPECT_FALSE(damaged());
    EXPECT_EQ(content(4), whole);
    std::vector<bool> said;
    for (const auto& [to, message] : peers.sent)
        if (const auto* attach = std::get_if<replica::Attach>(&message))
            said.push_back(attach->leaves);
    EXPECT_EQ(said, (std::vector<bool>{false, true, false}));
    pass(milliseconds(6000));
    EXPECT_EQ(donors.asked.size(), 1u) << "the next pass finds nothing";
}

TEST_F(ScrubTest, ALeaderLeavesItselfOutOfTheIsr) {
    flip();
    partitions.assign(kId, replication::testing::assigned(1, 1, {0, 1, 2}, {0, 1, 2}, 2));
    scrub();
    pass(milliseconds(100));
    ASSERT_EQ(peers.proposals.size(), 1u);
    EXPECT_EQ(peers.proposals[0].isr.size(), 2u);
    EXPECT_EQ(peers.proposals[0].isr[0].id, BrokerId{1});
    EXPECT_EQ(read(5), ErrorCode::corrupt_message);
    EXPECT_EQ(read(3), ErrorCode::none);
    EXPECT_EQ(read(8), ErrorCode::none);
}

TEST_F(ScrubTest, WhoGivesNothingGoodIsFollowedByTheNext) {
    const auto whole = content(4);
    donors.gives[1] = whole;
    donors.gives[1][100] ^= std::byte{1};
    donors.gives[2] = whole;
    flip();
    follow();
    scrub();
    pass(milliseconds(100));
    EXPECT_EQ(donors.asked, (std::vector<std::pair<int, Offset>>{{1, 4}, {2, 4}}));
    EXPECT_EQ(content(4), whole);
    EXPECT_FALSE(damaged());
}

TEST_F(ScrubTest, ItTriesAgainUntilSomebodyHasIt) {
    const auto whole = content(4);
    flip();
    follow();
    scrub();
    pass(milliseconds(100));
    EXPECT_TRUE(damaged());
    EXPECT_FALSE(disk.exists(path(4) + ".copy"));
    donors.gives[2] = whole;
    pass(milliseconds(4000));
    EXPECT_FALSE(damaged());
    EXPECT_EQ(content(4), whole);
}

TEST_F(ScrubTest, AnOnlyReplicaServesTheRest) {
    flip();
    scrub();
    pass(milliseconds(100));
    EXPECT_TRUE(donors.asked.empty());
    EXPECT_EQ(read(5), ErrorCode::corrupt_message);
    EXPECT_EQ(read(0), ErrorCode::none);
    EXPECT_TRUE(partition().leading());
    EXPECT_TRUE(partition().delete_records(8).ok());
    partition().maintain(io::wall_clock());
    partition().tick();
    EXPECT_FALSE(damaged()) << "what is deleted is no damage";
}

TEST_F(ScrubTest, AReadThatComesUponDamageIsEnough) {
    const auto whole = content(4);
    donors.gives[1] = whole;
    scrub(0);
    flip(16);  // the magic byte of offset 4
    pass(milliseconds(6000));
    EXPECT_FALSE(damaged()) << "nobody looks";
    partitions.assign(kId, replication::testing::assigned(1, 1, {0, 1, 2}, {0, 1, 2}, 3));
    EXPECT_EQ(read(4), ErrorCode::corrupt_message);
    shards.settle();
    EXPECT_EQ(content(4), whole);
    EXPECT_FALSE(damaged());
    EXPECT_EQ(read(4), ErrorCode::none);
}

TEST_F(ScrubTest, ReadsSlowly) {
    flip();
    scrub(4 * kBatchBytes);  // a segment takes a second
    pass(milliseconds(900));
    EXPECT_FALSE(damaged()) << "the first segment's time is not over";
    pass(milliseconds(200));
    EXPECT_TRUE(damaged());
}

}  // namespace
}  // namespace replication
