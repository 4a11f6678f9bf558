#include "lab/replica_hash.h"

#include <gtest/gtest.h>

#include <map>

#include "storage/log_fixture.h"

namespace lab {
namespace {

class ReplicaHashTest : public storage::LogTest {
  protected:
    using Blocks = std::map<base::Offset, uint64_t>;

    base::Result<ReplicaSummary> hash(base::Offset block, Blocks& into) {
        return hash_replica(*disk, "data/topic-0", block,
                            [&](base::Offset begin, uint64_t hash) { into[begin] = hash; });
    }
};

TEST_F(ReplicaHashTest, IsTheSameHoweverTheLogIsCutIntoSegments) {
    open();
    append_many(25);
    Blocks small;
    const auto summary = hash(10, small);
    ASSERT_TRUE(summary.ok()) << summary.status();
    EXPECT_EQ(summary->start, 0);
    EXPECT_EQ(summary->end, 25);
    EXPECT_EQ(summary->batches, 25U);
    EXPECT_EQ(small.size(), 3U);
    EXPECT_GT(files().size(), 3U);

    ASSERT_TRUE(log->restart_at(0).ok());
    config.segment_bytes = 1 << 20;
    log->set_config(config);
    append_many(25);
    Blocks large;
    ASSERT_TRUE(hash(10, large).ok());
    EXPECT_EQ(small, large);
}

TEST_F(ReplicaHashTest, DiffersOnlyWhereALogDiffers) {
    open();
    append_many(25);
    Blocks before;
    ASSERT_TRUE(hash(10, before).ok());
    ASSERT_TRUE(log->truncate_to(15).ok());
    for (int i = 15; i < 25; ++i) ASSERT_TRUE(append(batch(now + i + (i == 17 ? 1 : 0))).ok());
    Blocks after;
    ASSERT_TRUE(hash(10, after).ok());
    EXPECT_EQ(before[0], after[0]);
    EXPECT_NE(before[10], after[10]);
    EXPECT_EQ(before[20], after[20]);
}

TEST_F(ReplicaHashTest, DamageIsNamedByFile) {
    open();
    append_many(10);
    disk->flip_bit(path(4), 100, 3);
    Blocks blocks;
    const auto damaged = hash(10, blocks);
    EXPECT_TRUE(absl::IsDataLoss(damaged.status()));
    EXPECT_NE(base::message(damaged.status()).find(path(4)), std::string::npos);
}

TEST_F(ReplicaHashTest, AMissingSegmentIsTold) {
    open();
    append_many(12);
    ASSERT_TRUE(disk->remove(path(4)).ok());
    Blocks blocks;
    EXPECT_TRUE(absl::IsDataLoss(hash(10, blocks).status()));
}

}  // namespace
}  // namespace lab
