#include "replication/log_dir.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <thread>

#include "io/fake_shards.h"
#include "io/memory_disk.h"

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
    io::FakeShards shards;
    std::shared_ptr<LogDir> dir;
};

TEST_F(LogDirTest, WhatIsTakenCountsBeforeTheDiskIsAskedAgain) {
    EXPECT_TRUE(dir->take(500, 1));
    EXPECT_FALSE(dir->take(101, 1));
    EXPECT_TRUE(dir->take(100, 1));
    EXPECT_FALSE(dir->take(1, 1));
}

TEST_F(LogDirTest, TellsOfTheOldestSyncThatIsOut) {
    EXPECT_FALSE(dir->oldest_sync());
    const auto before = io::monotonic_clock();
    auto first = std::make_unique<LogDir::Syncing>(*dir);
    const auto since = dir->oldest_sync();
    ASSERT_TRUE(since);
    EXPECT_GE(*since, before);
    EXPECT_LE(*since, io::monotonic_clock());
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    std::vector<std::unique_ptr<LogDir::Syncing>> more;
    for (int i = 0; i < 100; ++i) more.push_back(std::make_unique<LogDir::Syncing>(*dir));
    EXPECT_EQ(dir->oldest_sync(), since);
    first.reset();
    EXPECT_GT(dir->oldest_sync(), since);
    more.clear();
    EXPECT_FALSE(dir->oldest_sync());
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

TEST_F(LogDirTest, IsFullUntilWhatWasRefusedFits) {
    fill(550);
    dir->take(0, 1000);
    shards.settle();
    EXPECT_FALSE(dir->full());
    EXPECT_FALSE(dir->take(100, 1100)) << "50 are left above the reserve";
    shards.settle();
    EXPECT_TRUE(dir->full());
    fill(520);
    dir->recheck(1200);
    shards.settle();
    EXPECT_TRUE(dir->full()) << "80";
    fill(0);
    dir->recheck(1300);
    shards.settle();
    EXPECT_FALSE(dir->full());
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

/// A batch that does not fit must not stand in the way of one that does, not even for a moment.
TEST_F(LogDirTest, WhatDoesNotFitTakesNothing) {
    std::atomic<bool> over = false;
    std::thread large([&] {
        while (!over) EXPECT_FALSE(dir->take(601, 1));
    });
    size_t taken = 0;
    for (int i = 0; i < 600; ++i) taken += dir->take(1, 1) ? 1 : 0;
    over = true;
    large.join();
    EXPECT_EQ(taken, 600u);
}

TEST_F(LogDirTest, ADiskThatDoesNotSayHowFullItIsIsTakenAtItsWord) {
    fill(700);
    dir->take(0, 1000);
    shards.settle();
    EXPECT_FALSE(dir->take(1, 1001));
    ASSERT_TRUE(disk.remove_all("/d").ok());
    EXPECT_FALSE(dir->take(1, 2000));
    shards.settle();
    EXPECT_TRUE(dir->take(1, 2001));
    // No word, and a reserve larger than any disk.
    const auto greedy =
        std::make_shared<LogDir>(shards, disk, "/d", std::numeric_limits<uint64_t>::max());
    EXPECT_TRUE(greedy->take(1, 1));
}

TEST_F(LogDirTest, AFailedSyncOfAnyFileOrDirectoryFences) {
    auto file = dir->disk().open("/d/f", io::Open::create);
    ASSERT_TRUE(file.ok());
    EXPECT_TRUE((*file)->sync().ok());
    EXPECT_FALSE(dir->disk().sync_directory("/d/none").ok());
    EXPECT_FALSE(dir->fenced()) << "the directory is gone, that is all";
    disk.fail(io::MemoryDisk::Operation::append);
    const base::Bytes bytes(1);
    const base::View piece = bytes;
    EXPECT_FALSE((*file)->append({&piece, 1}).ok());
    EXPECT_FALSE(dir->fenced()) << "a failed write is known to its file";
    disk.fail(io::MemoryDisk::Operation::sync_directory);
    EXPECT_FALSE(dir->disk().sync_directory("/d").ok());
    EXPECT_TRUE(dir->fenced());

    const auto other = std::make_shared<LogDir>(shards, disk, "/d", 400);
    auto again = other->disk().open("/d/f", io::Open::existing);
    ASSERT_TRUE(again.ok());
    disk.fail(io::MemoryDisk::Operation::sync);
    EXPECT_FALSE((*again)->sync().ok());
    EXPECT_TRUE(other->fenced());
}

TEST_F(LogDirTest, AFenceStays) {
    EXPECT_TRUE(dir->health().ok());
    dir->fence(base::unavailable("EIO"));
    EXPECT_TRUE(dir->fenced());
    EXPECT_EQ(dir->health().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace replication
