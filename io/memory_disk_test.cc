#include "io/memory_disk.h"

#include <gmock/gmock.h>

#include <set>
#include <string>
#include <thread>

namespace io {
namespace {

using Operation = MemoryDisk::Operation;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

base::Status append(File& file, const std::string& text) {
    base::View piece = base::as_bytes(text);
    return file.append({&piece, 1});
}

std::unique_ptr<File> created(Disk& disk, const std::string& path, const std::string& text = "") {
    auto file = disk.open(path, Open::create);
    EXPECT_TRUE(file.ok()) << file.status();
    EXPECT_TRUE(append(**file, text).ok());
    return *std::move(file);
}

std::string content(Disk& disk, const std::string& path) {
    auto file = disk.open(path, Open::read_only);
    if (!file.ok()) return "(none)";
    std::string text((*file)->size(), ' ');
    EXPECT_TRUE((*file)->read_at(0, std::as_writable_bytes(std::span(text))).ok());
    return text;
}

TEST(MemoryDisk, PowerLossKeepsSyncedContentUnderASyncedEntry) {
    MemoryDisk disk;
    ASSERT_TRUE(disk.make_directories("/data/topic").ok());
    ASSERT_TRUE(disk.sync_directory("/").ok());
    ASSERT_TRUE(disk.sync_directory("/data").ok());
    auto file = created(disk, "/data/topic/log", "synced");
    ASSERT_TRUE(file->sync().ok());
    ASSERT_TRUE(disk.sync_directory("/data/topic").ok());
    ASSERT_TRUE(append(*file, " and not").ok());
    std::set<std::string> seen;
    for (uint64_t seed = 0; seed < 100; ++seed) {
        auto image = disk.after_power_loss(seed);
        seen.insert(content(*image, "/data/topic/log").substr(0, 6));
        EXPECT_EQ(content(*image, "/data/topic/log"),
                  content(*disk.after_power_loss(seed), "/data/topic/log"));
    }
    EXPECT_THAT(seen, ElementsAre("synced"));
    EXPECT_EQ(content(disk, "/data/topic/log"), "synced and not") << "the disk itself goes on";
}

TEST(MemoryDisk, EntriesOfAnUnsyncedDirectoryMayBeLost) {
    MemoryDisk disk;
    ASSERT_TRUE(created(disk, "/a", "1")->sync().ok());
    ASSERT_TRUE(created(disk, "/b", "2")->sync().ok());
    std::set<std::string> seen;
    for (uint64_t seed = 0; seed < 100; ++seed) {
        auto image = disk.after_power_loss(seed);
        seen.insert(content(*image, "/a") + content(*image, "/b"));
    }
    EXPECT_THAT(seen, ElementsAre("(none)(none)", "(none)2", "1(none)", "12"));
}

TEST(MemoryDisk, ADirectoryMayBeLostUntilItsParentIsSynced) {
    MemoryDisk disk;
    ASSERT_TRUE(disk.make_directories("/data/topic").ok());
    ASSERT_TRUE(disk.sync_directory("/data").ok());
    std::set<bool> seen;
    for (uint64_t seed = 0; seed < 50; ++seed)
        seen.insert(disk.after_power_loss(seed)->exists("/data/topic"));
    EXPECT_THAT(seen, ElementsAre(false, true));
    ASSERT_TRUE(disk.sync_directory("/").ok());
    for (uint64_t seed = 0; seed < 50; ++seed)
        EXPECT_TRUE(disk.after_power_loss(seed)->exists("/data/topic"));
}

TEST(MemoryDisk, ARenameIsKeptOrLostWhole) {
    MemoryDisk disk;
    ASSERT_TRUE(created(disk, "/f", "old")->sync().ok());
    ASSERT_TRUE(disk.sync_directory("/").ok());
    ASSERT_TRUE(created(disk, "/f.new", "new")->sync().ok());
    ASSERT_TRUE(disk.rename("/f.new", "/f").ok());
    std::set<std::string> seen;
    for (uint64_t seed = 0; seed < 100; ++seed)
        seen.insert(content(*disk.after_power_loss(seed), "/f"));
    EXPECT_THAT(seen, UnorderedElementsAre("old", "new"));
    ASSERT_TRUE(disk.sync_directory("/").ok());
    for (uint64_t seed = 0; seed < 50; ++seed) {
        auto image = disk.after_power_loss(seed);
        EXPECT_EQ(content(*image, "/f"), "new");
        EXPECT_FALSE(image->exists("/f.new"));
    }
}

TEST(MemoryDisk, ARemovalMayBeUndone) {
    MemoryDisk disk;
    ASSERT_TRUE(created(disk, "/f", "text")->sync().ok());
    ASSERT_TRUE(disk.sync_directory("/").ok());
    ASSERT_TRUE(disk.remove("/f").ok());
    std::set<std::string> seen;
    for (uint64_t seed = 0; seed < 50; ++seed)
        seen.insert(content(*disk.after_power_loss(seed), "/f"));
    EXPECT_THAT(seen, UnorderedElementsAre("text", "(none)"));
}

TEST(MemoryDisk, SyncOfADirectoryTakesWhatItBuildsUponAlong) {
    MemoryDisk disk;
    ASSERT_TRUE(disk.make_directories("/a").ok());
    ASSERT_TRUE(disk.make_directories("/b").ok());
    ASSERT_TRUE(disk.sync_directory("/").ok());
    ASSERT_TRUE(created(disk, "/b/f", "first")->sync().ok());
    ASSERT_TRUE(created(disk, "/a/f", "second")->sync().ok());
    ASSERT_TRUE(disk.rename("/a/f", "/b/f").ok());
    ASSERT_TRUE(disk.sync_directory("/a").ok());
    for (uint64_t seed = 0; seed < 50; ++seed)
        EXPECT_EQ(content(*disk.after_power_loss(seed), "/b/f"), "second");
}

TEST(MemoryDisk, AProcessCrashKeepsEverythingButStillUnsynced) {
    MemoryDisk disk;
    ASSERT_TRUE(disk.make_directories("/d").ok());
    auto lock = disk.lock("/d");
    auto file = created(disk, "/d/f", "text");
    auto next = disk.after_process_crash();
    EXPECT_EQ(content(*next, "/d/f"), "text");
    EXPECT_TRUE(next->lock("/d").ok());
    ASSERT_TRUE(append(*file, " of the dead").ok());
    EXPECT_EQ(content(*next, "/d/f"), "text");
    std::set<bool> seen;
    for (uint64_t seed = 0; seed < 50; ++seed)
        seen.insert(next->after_power_loss(seed)->exists("/d/f"));
    EXPECT_THAT(seen, ElementsAre(false, true));
}

TEST(MemoryDisk, FillsUpInTheMiddleOfAnAppend) {
    MemoryDisk disk;
    disk.set_capacity(10);
    auto other = created(disk, "/other", "123456");
    auto file = created(disk, "/f");
    EXPECT_EQ(append(*file, "abcdef").code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(content(disk, "/f"), "abcd");
    EXPECT_EQ(*disk.free_bytes("/"), 0);
    ASSERT_TRUE(file->truncate(0).ok());
    ASSERT_TRUE(disk.remove("/other").ok());
    EXPECT_EQ(*disk.free_bytes("/"), 10);
    EXPECT_TRUE(append(*file, "abcdef").ok());
    EXPECT_EQ(*disk.free_bytes("/"), 4);
    EXPECT_EQ(*disk.after_process_crash()->free_bytes("/"), 4);
    disk.heal();
    EXPECT_TRUE(append(*file, "many more").ok());
}

TEST(MemoryDisk, FailsTheNthSyncAndLosesItsBlocks) {
    std::set<bool> lost;
    for (uint64_t seed = 0; seed < 30; ++seed) {
        MemoryDisk disk(seed);
        auto file = created(disk, "/f", std::string(9000, 'a'));
        ASSERT_TRUE(disk.sync_directory("/").ok());
        disk.fail(Operation::sync, 2);
        ASSERT_TRUE(file->sync().ok());
        ASSERT_TRUE(append(*file, std::string(9000, 'b')).ok());
        EXPECT_EQ(file->sync().code(), absl::StatusCode::kUnavailable);
        EXPECT_TRUE(file->sync().ok());
        EXPECT_EQ(disk.count(Operation::sync), 3);
        EXPECT_EQ(content(disk, "/f"), std::string(9000, 'a') + std::string(9000, 'b'));
        std::string after = content(*disk.after_power_loss(seed), "/f");
        EXPECT_EQ(after.substr(0, 9000), std::string(9000, 'a'));
        EXPECT_EQ(after.size(), 18'000);
        lost.insert(after.find('\0') != std::string::npos);
    }
    EXPECT_TRUE(lost.contains(true));
}

TEST(MemoryDisk, FailsAppendsReadsAndTheRestOnCommand) {
    MemoryDisk disk(3);
    auto file = created(disk, "/d.log");
    auto other = created(disk, "/d.index");
    disk.fail(Operation::append, 2, 2, ".log");
    ASSERT_TRUE(append(*file, "one").ok());
    ASSERT_TRUE(append(*other, "one").ok());
    EXPECT_EQ(append(*file, "two").code(), absl::StatusCode::kUnavailable);
    EXPECT_LE(file->size(), 6);
    EXPECT_EQ(append(*file, "two").code(), absl::StatusCode::kUnavailable);
    EXPECT_TRUE(append(*file, "two").ok());
    base::Bytes to(3);
    disk.fail(Operation::read);
    EXPECT_EQ(file->read_at(0, to).status().code(), absl::StatusCode::kUnavailable);
    EXPECT_TRUE(file->read_at(0, to).ok());
    disk.fail(Operation::rename);
    EXPECT_FALSE(disk.rename("/d.log", "/e").ok());
    EXPECT_TRUE(disk.exists("/d.log"));
    disk.fail(Operation::remove);
    EXPECT_FALSE(disk.remove("/d.log").ok());
    EXPECT_TRUE(disk.exists("/d.log"));
    disk.fail(Operation::truncate);
    EXPECT_FALSE(file->truncate(0).ok());
    EXPECT_GT(file->size(), 0);
    disk.fail(Operation::open);
    EXPECT_FALSE(disk.open("/d.log", Open::existing).ok());
    disk.fail(Operation::sync_directory);
    EXPECT_FALSE(disk.sync_directory("/").ok());
    disk.fail(Operation::sync);
    disk.heal();
    EXPECT_TRUE(file->sync().ok());
}

TEST(MemoryDisk, StopsAtAnyStep) {
    auto schedule = [](MemoryDisk& disk) -> base::Status {
        RETURN_IF_ERROR(disk.make_directories("/d"));
        ASSIGN_OR_RETURN(auto file, disk.open("/d/f", Open::create));
        RETURN_IF_ERROR(append(*file, "text"));
        RETURN_IF_ERROR(file->sync());
        return disk.sync_directory("/d");
    };
    MemoryDisk whole;
    ASSERT_TRUE(schedule(whole).ok());
    EXPECT_EQ(whole.changes(), 5);
    for (uint64_t stop = 0; stop < whole.changes(); ++stop) {
        MemoryDisk disk;
        disk.stop_after(stop);
        EXPECT_EQ(schedule(disk).code(), absl::StatusCode::kUnavailable);
        EXPECT_EQ(disk.changes(), stop);
        EXPECT_EQ(disk.open("/", Open::read_only).status().code(), absl::StatusCode::kUnavailable);
        EXPECT_EQ(disk.after_process_crash()->exists("/d/f"), stop >= 2);
    }
}

TEST(MemoryDisk, FlipsABit) {
    MemoryDisk disk;
    auto file = created(disk, "/f", "abc");
    disk.flip_bit("/f", 1, 0);
    EXPECT_EQ(content(disk, "/f"), "acc");
}

TEST(MemoryDisk, IsSafeFromSeveralThreads) {
    MemoryDisk disk;
    auto file = created(disk, "/shared");
    std::thread syncer([&] {
        for (int i = 0; i < 300; ++i) EXPECT_TRUE(file->sync().ok());
    });
    std::thread reader([&] {
        base::Bytes to(64);
        for (int i = 0; i < 300; ++i) EXPECT_TRUE(file->read_at(file->size() / 2, to).ok());
    });
    for (int i = 0; i < 300; ++i) {
        EXPECT_TRUE(append(*file, "some bytes").ok());
        created(disk, "/own" + std::to_string(i));
    }
    syncer.join();
    reader.join();
    EXPECT_EQ(file->size(), 3000);
}

}  // namespace
}  // namespace io
