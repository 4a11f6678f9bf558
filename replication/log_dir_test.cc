#include "replication/log_dir.h"

#include <gtest/gtest.h>

#include "io/memory_disk.h"
#include "replication/fake_shards.h"

namespace replication {
namespace {

class LogDirTest : public testing::Test {
  protected:
    LogDirTest() {
        disk.set_capacity(1000);
        CHECK(disk.make_directories("/d").ok());
        dir = std::make_shared<LogDir>(shards, disk, "/d", 400);
    }
    /// Something else fills the disk, or lets go of it.
    void fill(size_t bytes) {
        auto file = disk.open("/ballast", io::Open::create);
        ASSERT_TRUE(file.ok());
        ASSERT_TRUE((*file)->truncate(0).ok());
        const base::Bytes ballast(bytes);
        const base::View piece = ballast;
        ASSERT_TRUE((*file)->append({&piece, 1}).ok());
    }

    io::MemoryDisk disk;
    FakeShards shards;
    std::shared_ptr<LogDir> dir;
};

TEST_F(LogDirTest, WhatIsTakenCountsBeforeTheDiskIsAskedAgain) {
    EXPECT_TRUE(dir->take(500, 1));
    EXPECT_FALSE(dir->take(101, 1));
    EXPECT_TRUE(dir->take(100, 1));
    EXPECT_FALSE(dir->take(1, 1));
}

TEST_F(LogDirTest, TheDiskIsAskedOnceASecondAtMost) {
    for (base::InstantMs now = 1; now < 1000; ++now) dir->take(0, now);
    EXPECT_EQ(shards.blocking(), 0u);
    for (base::InstantMs now = 1000; now < 1900; ++now) {
        dir->take(0, now);
        if (now == 1000) shards.settle();
    }
    EXPECT_EQ(shards.blocking(), 0u);
}

TEST_F(LogDirTest, OneLookIsOutAtATime) {
    for (base::InstantMs now = 1000; now < 9000; now += 1000) dir->take(0, now);
    EXPECT_EQ(shards.blocking(), 1u);
    shards.settle();
    dir->take(0, 9000);
    EXPECT_EQ(shards.blocking(), 1u);
}

TEST_F(LogDirTest, RefusesInTimeAndRecoversByItself) {
    fill(700);
    dir->take(0, 1000);
    shards.settle();
    EXPECT_FALSE(dir->take(1, 1001));
    fill(0);
    EXPECT_FALSE(dir->take(1, 1100)) << "but it makes the broker look again";
    shards.settle();
    EXPECT_TRUE(dir->take(1, 1101));
}

TEST_F(LogDirTest, RecoversEvenIfNobodyProduces) {
    dir->recheck(1000);
    EXPECT_EQ(shards.blocking(), 0u) << "there was room";
    fill(700);
    dir->take(0, 1000);
    shards.settle();
    fill(0);
    dir->recheck(6000);
    shards.settle();
    EXPECT_TRUE(dir->take(1, 6001));
}

TEST_F(LogDirTest, AFenceStays) {
    EXPECT_TRUE(dir->health().ok());
    dir->fence(base::unavailable("EIO"));
    EXPECT_TRUE(dir->fenced());
    EXPECT_EQ(dir->health().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace replication
