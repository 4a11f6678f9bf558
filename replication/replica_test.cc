#include "replication/replica.h"

#include <gtest/gtest.h>

namespace replication {
namespace {

using base::BrokerId;

constexpr BrokerId self{0}, b{1}, c{2};

Assignment row(int epoch, int version, std::set<BrokerId> isr, BrokerId leader = self) {
    return {
        .epoch = epoch, .version = version, .leader = leader, .replicas = {self, b, c}, .isr = isr};
}

TEST(Replica, AloneItIsSafeAsFarAsItIsItself) {
    Replica r(self, 1, 5);
    const auto lead = r.assign(
        {.epoch = 0, .version = 0, .leader = self, .replicas = {self}, .isr = {self}}, 9, 5);
    EXPECT_TRUE(lead.role_changed);
    EXPECT_FALSE(lead.high_watermark);
    EXPECT_TRUE(r.leading());
    EXPECT_EQ(r.epoch_start(), 9);
    EXPECT_EQ(r.progressed(9).high_watermark, 9);
    EXPECT_EQ(r.high_watermark(), 9);
}

TEST(Replica, MinIsrIsAtMostTheNumberOfReplicas) {
    Replica r(self, 3, 0);
    r.assign({.epoch = 0, .version = 0, .leader = self, .replicas = {self}, .isr = {self}}, 0, 0);
    EXPECT_TRUE(r.enough_in_sync());
}

TEST(Replica, TheSlowestInSyncReplicaHoldsTheHighWatermark) {
    Replica r(self, 2, 0);
    r.assign(row(1, 1, {self, b, c}), 0, 0);
    EXPECT_FALSE(r.progressed(10).high_watermark);
    EXPECT_FALSE(r.follower_progressed(b, 8).high_watermark) << "c has not been heard of";
    EXPECT_EQ(r.follower_progressed(c, 3).high_watermark, 3);
    EXPECT_EQ(r.follower_progressed(c, 9).high_watermark, 8);
    EXPECT_FALSE(r.follower_progressed(c, 2).high_watermark) << "it never goes back";
    EXPECT_EQ(r.high_watermark(), 8);
}

TEST(Replica, ASmallerIsrFromTheMetadataFreesTheHighWatermark) {
    Replica r(self, 2, 0);
    r.assign(row(1, 1, {self, b, c}), 0, 0);
    r.progressed(10);
    r.follower_progressed(b, 10);
    EXPECT_EQ(r.high_watermark(), 0);
    const auto e = r.assign(row(1, 2, {self, b}), 10, 10);
    EXPECT_EQ(e.high_watermark, 10);
    EXPECT_FALSE(e.role_changed);
}

TEST(Replica, StandsStillWhileTooFewAreInSync) {
    Replica r(self, 2, 0);
    r.assign(row(1, 1, {self}), 0, 0);
    EXPECT_FALSE(r.enough_in_sync());
    EXPECT_FALSE(r.progressed(10).high_watermark);
    EXPECT_EQ(r.set_min_isr(1).high_watermark, 10);
}

TEST(Replica, OldRowsAreIgnored) {
    Replica r(self, 1, 0);
    r.assign(row(4, 7, {self}), 0, 0);
    EXPECT_FALSE(r.assign(row(3, 6, {self}, b), 0, 0).role_changed);
    EXPECT_FALSE(r.assign(row(5, 7, {self}, b), 0, 0).role_changed);
    EXPECT_TRUE(r.leading());
    EXPECT_EQ(r.epoch(), 4);
}

TEST(Replica, AFollowerDoesNotMoveTheHighWatermarkItself) {
    Replica r(self, 1, 4);
    EXPECT_FALSE(r.leading());
    EXPECT_TRUE(r.assign(row(1, 1, {self, b}, b), 10, 10).role_changed);
    EXPECT_FALSE(r.progressed(10).high_watermark);
    EXPECT_FALSE(r.follower_progressed(b, 10).high_watermark);
    EXPECT_FALSE(r.enough_in_sync());
    EXPECT_EQ(r.high_watermark(), 4);
}

TEST(Replica, ANewEpochForgetsWhatFollowersToldTheOldOne) {
    Replica r(self, 1, 0);
    r.assign(row(1, 1, {self, b}), 0, 0);
    r.progressed(10);
    r.follower_progressed(b, 6);
    EXPECT_EQ(r.high_watermark(), 6);
    EXPECT_TRUE(r.assign(row(2, 2, {self, b}), 10, 10).role_changed);
    EXPECT_EQ(r.epoch_start(), 10);
    EXPECT_FALSE(r.progressed(12).high_watermark);
    EXPECT_EQ(r.follower_progressed(b, 11).high_watermark, 11);
}

}  // namespace
}  // namespace replication
