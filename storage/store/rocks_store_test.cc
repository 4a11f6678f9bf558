// What only the store on disk does; what all do alike is in store_test.cc.
#include "storage/store/rocks_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace storage {
namespace {

using Durability = Store::Durability;

class RocksStoreTest : public testing::TestWithParam<int> {
  protected:
    RocksStoreTest() {
        // A death test runs the program anew: the child finds the parent's directory here.
        const char* given = std::getenv("MOLDAU_ROCKS_STORE_TEST");
        directory_ = given ? given
                           : std::filesystem::temp_directory_path() /
                                 ("moldau.rocks." + std::to_string(::getpid()));
        ::setenv("MOLDAU_ROCKS_STORE_TEST", directory_.c_str(), 1);
    }
    ~RocksStoreTest() override {
        ::unsetenv("MOLDAU_ROCKS_STORE_TEST");
        std::filesystem::remove_all(directory_);
    }

    std::string directory_;
};

std::string key(const std::string& side, int i) { return side + "/" + std::to_string(i); }

/// Writes synced and buffered batches in turn, notes each synced one in a file once it is, and is
/// killed somewhere in between.
void write_until_killed(const std::string& directory, int after_ms) {
    std::thread([after_ms] {
        std::this_thread::sleep_for(std::chrono::milliseconds(after_ms));
        ::kill(::getpid(), SIGKILL);
    }).detach();
    auto store = open_rocks_store(directory + "/db");
    int notes = ::open((directory + "/synced").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    for (int i = 0;; ++i) {
        WriteBatch batch;
        batch.put(key("left", i), std::string(3000, 'x'));
        batch.put(key("right", i), "");
        bool sync = i % 3 == 0;
        auto status = (*store)->write(batch, sync ? Durability::synced : Durability::buffered);
        std::string note = std::to_string(i) + "\n";
        if (!status.ok()) ::_exit(1);
        if (sync && ::write(notes, note.data(), note.size()) < 0) ::_exit(2);
    }
}

using RocksStoreDeathTest = RocksStoreTest;

TEST_P(RocksStoreDeathTest, AKilledWriterLosesNoSyncedBatch) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    std::filesystem::create_directories(directory_);
    EXPECT_EXIT(write_until_killed(directory_, GetParam()), testing::KilledBySignal(SIGKILL), "");
    int last = -1;
    std::ifstream notes(directory_ + "/synced");
    for (int i; notes >> i;) last = i;
    auto store = open_rocks_store(directory_ + "/db");
    ASSERT_TRUE(store.ok()) << store.status();
    int n = 0;
    while ((*store)->get(key("left", n))->has_value()) {
        ASSERT_TRUE((*store)->get(key("right", n))->has_value()) << n;
        ++n;
    }
    EXPECT_GT(n, last);
    int rows = 0;
    EXPECT_TRUE((*store)->scan("", [&](auto, auto) { return ++rows > 0; }).ok());
    EXPECT_EQ(rows, 2 * n) << "a batch after a lost one";
}

INSTANTIATE_TEST_SUITE_P(AfterMilliseconds, RocksStoreDeathTest,
                         testing::Values(200, 317, 450, 700));

TEST_F(RocksStoreTest, IsThereAfterAClose) {
    for (int i = 0; i < 3; ++i) {
        auto store = open_rocks_store(directory_);
        ASSERT_TRUE(store.ok()) << store.status();
        WriteBatch batch;
        batch.put(std::to_string(i), "x");
        ASSERT_TRUE((*store)->write(batch, Durability::buffered).ok());
        for (int k = 0; k <= i; ++k) EXPECT_TRUE((*store)->get(std::to_string(k))->has_value());
    }
}

TEST_F(RocksStoreTest, OpensOnce) {
    auto store = open_rocks_store(directory_);
    ASSERT_TRUE(store.ok());
    EXPECT_EQ(open_rocks_store(directory_).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(RocksStoreTest, RefusesBrokenFilesAndUnusableDirectories) {
    {
        auto store = open_rocks_store(directory_);
        ASSERT_TRUE(store.ok());
    }
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
        if (entry.path().filename().string().starts_with("MANIFEST"))
            std::ofstream(entry.path()) << "no manifest";
    }
    EXPECT_EQ(open_rocks_store(directory_).status().code(), absl::StatusCode::kDataLoss);
    std::ofstream(directory_ + "/file") << "x";
    EXPECT_EQ(open_rocks_store(directory_ + "/file/db").status().code(),
              absl::StatusCode::kFailedPrecondition);
}

TEST_F(RocksStoreTest, StaysSmall) {
    auto store = open_rocks_store(directory_);
    ASSERT_TRUE(store.ok());
    // The same keys again and again, as checkpoints are: old values must not pile up.
    for (int i = 0; i < 40'000; ++i) {
        WriteBatch batch;
        batch.put(key("checkpoint", i % 100), std::string(2'000, static_cast<char>(i)));
        ASSERT_TRUE((*store)->write(batch, Durability::buffered).ok());
    }
    uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
        std::error_code gone;
        uint64_t size = entry.file_size(gone);
        if (!gone) bytes += size;
    }
    EXPECT_LT(bytes, 40U << 20);
}

}  // namespace
}  // namespace storage
