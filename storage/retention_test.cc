#include "storage/retention.h"

#include <gtest/gtest.h>

namespace storage {
namespace {

constexpr base::TimestampMs now = 100'000;

/// Four segments of 10 records and 100 bytes, the newest record of each 10 s after the last's.
std::vector<SegmentFacts> four() {
    return {{10, 100, 60'000}, {20, 100, 70'000}, {30, 100, 80'000}, {40, 100, 90'000}};
}

LogConfig keep_all() {
    LogConfig config;
    config.retention_ms = -1;
    config.retention_bytes = -1;
    return config;
}

TEST(Retention, KeepsAllIfUnlimited) {
    EXPECT_EQ(decide_retention(four(), 0, 40, keep_all(), now).remove, 0u);
}

TEST(Retention, ByTimeFromTheOldest) {
    LogConfig config = keep_all();
    config.retention_ms = 25'000;
    EXPECT_EQ(decide_retention(four(), 0, 40, config, now).remove, 2u);
    config.retention_ms = 20'000;
    EXPECT_EQ(decide_retention(four(), 0, 40, config, now).remove, 2u) << "not yet older";
}

TEST(Retention, StopsAtTheFirstThatStays) {
    auto facts = four();
    facts[1].newest = now;
    LogConfig config = keep_all();
    config.retention_ms = 1000;
    EXPECT_EQ(decide_retention(facts, 0, 40, config, now).remove, 1u);
}

TEST(Retention, NeverPastTheHighWatermark) {
    LogConfig config = keep_all();
    config.retention_ms = 1000;
    EXPECT_EQ(decide_retention(four(), 0, 29, config, now).remove, 2u);
    EXPECT_EQ(decide_retention(four(), 0, 30, config, now).remove, 3u);
    EXPECT_EQ(decide_retention(four(), 25, 5, config, now).remove, 0u);
}

TEST(Retention, AllExpiredNeedsAnEmptySegmentToFollow) {
    LogConfig config = keep_all();
    config.retention_ms = 1000;
    const auto decided = decide_retention(four(), 0, 40, config, now);
    EXPECT_EQ(decided.remove, 4u);
    EXPECT_TRUE(decided.roll_first);
    auto facts = four();
    facts.push_back({40, 0, -1});
    const auto empty_last = decide_retention(facts, 0, 40, config, now);
    EXPECT_EQ(empty_last.remove, 4u);
    EXPECT_FALSE(empty_last.roll_first);
}

TEST(Retention, BySizeKeepsAtLeastTheLimit) {
    LogConfig config = keep_all();
    config.retention_bytes = 250;
    EXPECT_EQ(decide_retention(four(), 0, 40, config, now).remove, 1u);
    config.retention_bytes = 200;
    EXPECT_EQ(decide_retention(four(), 0, 40, config, now).remove, 2u);
    config.retention_bytes = 400;
    EXPECT_EQ(decide_retention(four(), 0, 40, config, now).remove, 0u);
}

TEST(Retention, BelowTheLogStart) {
    EXPECT_EQ(decide_retention(four(), 20, 40, keep_all(), now).remove, 2u);
    EXPECT_EQ(decide_retention(four(), 29, 40, keep_all(), now).remove, 2u);
    EXPECT_EQ(decide_retention(four(), 40, 40, keep_all(), now).remove, 3u) << "not the last";
}

TEST(Retention, WithoutDeleteOnlyTheLogStartCounts) {
    LogConfig config;
    config.cleanup_delete = false;
    config.cleanup_compact = true;
    config.retention_ms = 1;
    config.retention_bytes = 1;
    EXPECT_EQ(decide_retention(four(), 10, 40, config, now).remove, 1u);
}

}  // namespace
}  // namespace storage
