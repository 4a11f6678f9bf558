// What every Disk must do alike, run on the real one and on the one in memory.
#include "io/disk.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <random>

#include "io/memory_disk.h"
#include "io/posix_disk.h"

namespace io {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto kNotFound = absl::StatusCode::kNotFound;
constexpr auto kFailedPrecondition = absl::StatusCode::kFailedPrecondition;

struct Kind {
    const char* name;
    std::function<std::unique_ptr<Disk>()> make;
};

class DiskTest : public testing::TestWithParam<Kind> {
  protected:
    DiskTest() : disk_(GetParam().make()) {
        const auto* info = testing::UnitTest::GetInstance()->current_test_info();
        std::string name = info->name();
        std::ranges::replace(name, '/', '.');
        root_ = std::filesystem::temp_directory_path() /
                ("moldau." + std::to_string(::getpid()) + "." + name);
        EXPECT_TRUE(disk_->make_directories(root_).ok());
    }
    ~DiskTest() override { EXPECT_TRUE(disk_->remove_all(root_).ok()); }

    std::string at(const std::string& name) const { return root_ + "/" + name; }
    std::unique_ptr<File> open(const std::string& name, Open how = Open::create) {
        auto file = disk_->open(at(name), how);
        EXPECT_TRUE(file.ok()) << file.status();
        return *std::move(file);
    }
    absl::StatusCode open_fails(const std::string& name, Open how) {
        return disk_->open(at(name), how).status().code();
    }
    static base::Status append(File& file, std::vector<std::string> texts) {
        std::vector<base::View> pieces;
        for (const std::string& text : texts) pieces.push_back(base::as_bytes(text));
        return file.append(pieces);
    }
    static std::string read(const File& file, uint64_t from, size_t size) {
        std::string text(size, ' ');
        auto n = file.read_at(from, std::as_writable_bytes(std::span(text)));
        EXPECT_TRUE(n.ok()) << n.status();
        return text.substr(0, n.value_or(0));
    }

    std::unique_ptr<Disk> disk_;
    std::string root_;
};

TEST_P(DiskTest, AppendsPiecesAndReadsThemBack) {
    auto file = open("f");
    EXPECT_EQ(file->size(), 0);
    EXPECT_EQ(file->path(), at("f"));
    ASSERT_TRUE(append(*file, {"one", "", "two"}).ok());
    ASSERT_TRUE(append(*file, {}).ok());
    ASSERT_TRUE(append(*file, {""}).ok());
    ASSERT_TRUE(append(*file, {"three"}).ok());
    EXPECT_EQ(file->size(), 11);
    EXPECT_EQ(read(*file, 0, 11), "onetwothree");
    EXPECT_EQ(read(*file, 3, 3), "two");
    EXPECT_EQ(read(*file, 6, 100), "three");
    EXPECT_EQ(read(*file, 11, 1), "");
    EXPECT_EQ(read(*file, 1000, 1), "");
    EXPECT_TRUE(file->sync().ok());
}

TEST_P(DiskTest, AppendsThousandsOfPiecesAtOnce) {
    auto file = open("f");
    std::mt19937_64 random(1);
    std::string all;
    std::vector<std::string> texts;
    for (int i = 0; i < 3000; ++i) {
        texts.emplace_back(random() % 50, static_cast<char>('a' + i % 26));
        all += texts.back();
    }
    ASSERT_TRUE(append(*file, texts).ok());
    EXPECT_EQ(file->size(), all.size());
    EXPECT_EQ(read(*file, 0, all.size()), all);
}

TEST_P(DiskTest, TruncatesAndGoesOnFromThere) {
    auto file = open("f");
    ASSERT_TRUE(append(*file, {"abcdef"}).ok());
    ASSERT_TRUE(file->truncate(2).ok());
    EXPECT_EQ(file->size(), 2);
    ASSERT_TRUE(append(*file, {"XY"}).ok());
    EXPECT_EQ(read(*file, 0, 10), "abXY");
    ASSERT_TRUE(file->truncate(6).ok());
    EXPECT_EQ(read(*file, 0, 10), std::string("abXY\0\0", 6));
}

TEST_P(DiskTest, OpensAsAsked) {
    EXPECT_EQ(open_fails("f", Open::existing), kNotFound);
    EXPECT_EQ(open_fails("f", Open::read_only), kNotFound);
    EXPECT_EQ(open_fails("none/f", Open::create), kNotFound);
    ASSERT_TRUE(append(*open("f", Open::create_new), {"text"}).ok());
    EXPECT_EQ(open_fails("f", Open::create_new), absl::StatusCode::kAlreadyExists);
    EXPECT_EQ(open("f", Open::create)->size(), 4);
    auto again = open("f", Open::existing);
    EXPECT_EQ(again->size(), 4);
    ASSERT_TRUE(append(*again, {" more"}).ok());
    auto reader = open("f", Open::read_only);
    EXPECT_EQ(read(*reader, 0, 100), "text more");
    EXPECT_FALSE(append(*reader, {"x"}).ok());
    EXPECT_FALSE(reader->truncate(0).ok());
    EXPECT_EQ(open_fails("f/g", Open::create), kNotFound);
    ASSERT_TRUE(disk_->make_directories(at("d")).ok());
    EXPECT_EQ(open_fails("d", Open::read_only), kFailedPrecondition);
    EXPECT_EQ(open_fails("d", Open::existing), kFailedPrecondition);
}

TEST_P(DiskTest, AnOpenFileOutlivesItsName) {
    auto file = open("f");
    ASSERT_TRUE(append(*file, {"text"}).ok());
    ASSERT_TRUE(disk_->remove(at("f")).ok());
    EXPECT_FALSE(disk_->exists(at("f")));
    ASSERT_TRUE(append(*file, {" more"}).ok());
    EXPECT_EQ(read(*file, 0, 100), "text more");
}

TEST_P(DiskTest, RemovesRenamesAndLists) {
    for (const char* name : {"c", "a", "b"}) ASSERT_TRUE(append(*open(name), {name}).ok());
    ASSERT_TRUE(disk_->make_directories(at("d/e")).ok());
    EXPECT_THAT(*disk_->list(root_), ElementsAre("a", "b", "c", "d"));
    ASSERT_TRUE(disk_->rename(at("a"), at("b")).ok());
    EXPECT_THAT(*disk_->list(root_), ElementsAre("b", "c", "d"));
    EXPECT_EQ(read(*open("b"), 0, 10), "a");
    ASSERT_TRUE(disk_->rename(at("c"), at("d/e/c")).ok());
    EXPECT_EQ(read(*open("d/e/c"), 0, 10), "c");
    ASSERT_TRUE(disk_->rename(at("d/e"), at("e")).ok());
    EXPECT_EQ(read(*open("e/c"), 0, 10), "c");
    ASSERT_TRUE(disk_->remove(at("b")).ok());
    EXPECT_FALSE(disk_->exists(at("b")));
    EXPECT_EQ(disk_->remove(at("b")).code(), kNotFound);
    EXPECT_EQ(disk_->remove(at("d")).code(), kFailedPrecondition);
    EXPECT_EQ(disk_->rename(at("b"), at("x")).code(), kNotFound);
    EXPECT_EQ(disk_->rename(at("e/c"), at("none/x")).code(), kNotFound);
    EXPECT_TRUE(disk_->remove_all(at("e")).ok());
    EXPECT_TRUE(disk_->remove_all(at("e")).ok());
    EXPECT_THAT(*disk_->list(root_), ElementsAre("d"));
    EXPECT_THAT(*disk_->list(at("d")), IsEmpty());
    EXPECT_EQ(disk_->list(at("e")).status().code(), kNotFound);
}

TEST_P(DiskTest, MakesDirectories) {
    ASSERT_TRUE(disk_->make_directories(at("x/y/z")).ok());
    ASSERT_TRUE(disk_->make_directories(at("x/y/z")).ok());
    ASSERT_TRUE(disk_->make_directories(at("x/y2/")).ok());
    EXPECT_TRUE(disk_->exists(at("x/y/z")));
    EXPECT_THAT(*disk_->list(at("x")), ElementsAre("y", "y2"));
    open("f");
    EXPECT_EQ(disk_->make_directories(at("f")).code(), kFailedPrecondition);
    EXPECT_EQ(disk_->make_directories(at("f/g")).code(), kFailedPrecondition);
    EXPECT_TRUE(disk_->sync_directory(at("x/y")).ok());
    EXPECT_EQ(disk_->sync_directory(at("none")).code(), kNotFound);
}

TEST_P(DiskTest, LocksADirectoryOnce) {
    auto lock = disk_->lock(root_);
    ASSERT_TRUE(lock.ok()) << lock.status();
    EXPECT_EQ(disk_->lock(root_).status().code(), kFailedPrecondition);
    EXPECT_THAT(*disk_->list(root_), IsEmpty());
    lock->reset();
    EXPECT_TRUE(disk_->lock(root_).ok());
    EXPECT_EQ(disk_->lock(at("none")).status().code(), kNotFound);
}

TEST_P(DiskTest, KnowsItsFreeSpace) {
    EXPECT_GT(*disk_->free_bytes(root_), 0);
    EXPECT_EQ(disk_->free_bytes(at("none")).status().code(), kNotFound);
}

TEST_P(DiskTest, ReadsAndReplacesSmallFiles) {
    EXPECT_EQ(read_file(*disk_, at("f"), 100).status().code(), kNotFound);
    ASSERT_TRUE(replace_file(*disk_, at("f"), base::as_bytes("a longer text")).ok());
    ASSERT_TRUE(append(*open("f.new"), {"what a crash left behind"}).ok());
    ASSERT_TRUE(replace_file(*disk_, at("f"), base::as_bytes("text")).ok());
    EXPECT_EQ(base::as_text(*read_file(*disk_, at("f"), 4)), "text");
    EXPECT_EQ(read_file(*disk_, at("f"), 3).status().code(), absl::StatusCode::kDataLoss);
    ASSERT_TRUE(replace_file(*disk_, at("f"), {}).ok());
    EXPECT_THAT(*read_file(*disk_, at("f"), 0), IsEmpty());
    EXPECT_THAT(*disk_->list(root_), ElementsAre("f"));
}

INSTANTIATE_TEST_SUITE_P(Disks, DiskTest,
                         testing::Values(Kind{"Posix", posix_disk},
                                         Kind{"Memory",
                                              [] { return std::make_unique<MemoryDisk>(); }}),
                         [](const auto& info) { return info.param.name; });

TEST(ReplaceFile, LeavesTheOldOrTheNewAtEveryCrash) {
    for (uint64_t stop = 0; stop < 12; ++stop) {
        MemoryDisk disk;
        ASSERT_TRUE(disk.make_directories("/d").ok());
        ASSERT_TRUE(disk.sync_directory("/").ok());
        ASSERT_TRUE(replace_file(disk, "/d/f", base::as_bytes("old")).ok());
        disk.stop_after(stop);
        bool done = replace_file(disk, "/d/f", base::as_bytes("the new one")).ok();
        for (uint64_t seed = 0; seed < 100; ++seed) {
            auto content = read_file(*disk.after_power_loss(seed), "/d/f", 100);
            ASSERT_TRUE(content.ok()) << content.status();
            std::string text(base::as_text(*content));
            ASSERT_TRUE(text == "the new one" || (text == "old" && !done)) << text;
        }
    }
}

TEST(ReplaceFile, FreesTheSpaceItCouldNotUse) {
    MemoryDisk disk;
    ASSERT_TRUE(replace_file(disk, "/f", base::as_bytes("old")).ok());
    disk.set_capacity(8);
    EXPECT_EQ(replace_file(disk, "/f", base::as_bytes("too long")).code(),
              absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(base::as_text(*read_file(disk, "/f", 100)), "old");
    EXPECT_EQ(*disk.free_bytes("/"), 5);
}

}  // namespace
}  // namespace io
