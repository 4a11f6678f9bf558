#include "storage/lineage.h"

#include <gtest/gtest.h>

namespace storage {
namespace {

Lineage three() { return Lineage({{1, 0}, {3, 10}, {6, 25}}); }

TEST(Lineage, EndOfEpochFollowsKafkasRules) {
    const Lineage lineage({{2, 5}, {3, 10}, {6, 25}});
    EXPECT_EQ(lineage.end_of(6, 40).end, 40) << "the latest ends where the log does";
    EXPECT_EQ(lineage.end_of(7, 40).epoch, -1) << "above all known";
    EXPECT_EQ(lineage.end_of(1, 40).epoch, 1) << "below all: itself, up to the first";
    EXPECT_EQ(lineage.end_of(1, 40).end, 5);
    EXPECT_EQ(lineage.end_of(5, 40).epoch, 3) << "between: the floor's epoch";
    EXPECT_EQ(lineage.end_of(5, 40).end, 25);
    EXPECT_EQ(lineage.end_of(2, 40).end, 10);
    EXPECT_EQ(Lineage().end_of(0, 40).epoch, -1);
    EXPECT_EQ(lineage.end_of(-1, 40).epoch, -1);
}

TEST(Lineage, AnEpochWithoutRecordsIsForgotten) {
    Lineage lineage = three();
    lineage.assign(7, 40);
    lineage.assign(8, 40);
    EXPECT_EQ(lineage.entries().back(), (Lineage::Entry{8, 40}));
    EXPECT_EQ(lineage.entries().size(), 4u);
    lineage.assign(8, 50);
    EXPECT_EQ(lineage.entries().back().start, 40) << "an epoch begins once";
}

TEST(Lineage, TruncationForgetsWhatBeganLater) {
    Lineage lineage = three();
    lineage.cut_back(25);
    EXPECT_EQ(lineage.last_epoch(), 3);
    lineage.cut_back(11);
    EXPECT_EQ(lineage.last_epoch(), 3);
}

TEST(Lineage, TheEpochThatHoldsTheStartBeginsThere) {
    Lineage lineage = three();
    lineage.cut_front(12);
    EXPECT_EQ(lineage.entries(), (std::vector<Lineage::Entry>{{3, 12}, {6, 25}}));
    lineage.cut_front(25);
    EXPECT_EQ(lineage.entries(), (std::vector<Lineage::Entry>{{6, 25}}));
}

TEST(Lineage, RisesStrictly) {
    EXPECT_TRUE(Lineage::valid(three().entries()));
    EXPECT_FALSE(Lineage::valid({{1, 0}, {1, 5}}));
    EXPECT_FALSE(Lineage::valid({{1, 5}, {2, 5}}));
    EXPECT_FALSE(Lineage::valid({{-1, 0}}));
}

}  // namespace
}  // namespace storage
