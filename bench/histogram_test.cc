#include "bench/histogram.h"

#include <gtest/gtest.h>

namespace bench {
namespace {

TEST(Histogram, EmptyHasNothing) {
    const Histogram h;
    EXPECT_EQ(h.count(), 0u);
    EXPECT_EQ(h.percentile(99), 0u);
}

TEST(Histogram, SmallValuesAreExact) {
    Histogram h;
    for (uint64_t v = 1; v <= 100; ++v) h.add(v);
    EXPECT_EQ(h.percentile(50), 50u);
    EXPECT_EQ(h.percentile(99), 99u);
    EXPECT_EQ(h.percentile(99.9), 100u);
    EXPECT_EQ(h.percentile(0), 1u);
    EXPECT_EQ(h.max(), 100u);
}

TEST(Histogram, LargeValuesAreRightWithinABucket) {
    for (uint64_t v = 1; v < (uint64_t{1} << 40); v = v * 3 + 1) {
        Histogram h;
        h.add(v);
        h.add(uint64_t{1} << 41);  // so that the largest value doesn't cap the edge
        const uint64_t found = h.percentile(50);
        EXPECT_GE(found, v);
        EXPECT_LE(static_cast<double>(found), static_cast<double>(v) * 1.008 + 1);
    }
}

TEST(Histogram, ValuesBeyondTheRangeCountAsTheLargest) {
    Histogram h;
    h.add(uint64_t{1} << 50);
    EXPECT_EQ(h.count(), 1u);
    EXPECT_EQ(h.max(), uint64_t{1} << 50);
    EXPECT_GE(h.percentile(50), (uint64_t{1} << 40) - 1);
}

TEST(Histogram, SumsAddUp) {
    Histogram a, b;
    for (int i = 0; i < 90; ++i) a.add(10);
    for (int i = 0; i < 10; ++i) b.add(1000);
    a.add(b);
    EXPECT_EQ(a.count(), 100u);
    EXPECT_EQ(a.percentile(90), 10u);
    EXPECT_GE(a.percentile(91), 1000u);
}

}  // namespace
}  // namespace bench
