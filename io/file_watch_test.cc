#include "io/file_watch.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <condition_variable>
#include <fstream>
#include <mutex>
#include <string>

#include "io/run_on.h"

namespace io {
namespace {

class FileWatchTest : public testing::Test {
  protected:
    FileWatchTest() {
        char name[] = "/tmp/file_watch_XXXXXX";
        folder = ::mkdtemp(name);
    }
    ~FileWatchTest() override { std::filesystem::remove_all(folder); }

    auto start(const std::string& file) {
        return FileWatch::start(shards->at(0), folder / file, [this] {
            const std::lock_guard lock(mutex);
            ++told;
            changed.notify_all();
        });
    }
    void write(const std::string& file) { std::ofstream(folder / file) << "text"; }
    /// Waits for that many; hangs if they don't come.
    void wait_for(int count) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return told >= count; });
    }

    std::filesystem::path folder;
    std::mutex mutex;
    std::condition_variable changed;
    int told = 0;
    std::unique_ptr<Shards> shards = Shards::start(1, 1);
};

TEST_F(FileWatchTest, TellsOfWhatIsWrittenOrRenamedToTheName) {
    auto watch = start("file");
    ASSERT_TRUE(watch.ok()) << watch.status();
    write("file");
    wait_for(1);
    write("another");
    std::filesystem::rename(folder / "another", folder / "file");
    wait_for(2);
    run_on(shards->at(0), [&] { watch->reset(); });
    EXPECT_EQ(told, 2) << "nothing of the other file";
    write("file");
    run_on(shards->at(0), [] {});
    EXPECT_EQ(told, 2);
}

TEST_F(FileWatchTest, NeedsTheFolder) {
    EXPECT_EQ(start("none/file").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace io
