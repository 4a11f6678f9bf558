// What only the real disk does; what all do alike is in disk_test.cc.
#include "io/posix_disk.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "io/errno_status.h"

namespace io {
namespace {

class PosixDiskTest : public testing::Test {
  protected:
    PosixDiskTest()
        : disk_(posix_disk()),
          root_(std::filesystem::temp_directory_path() /
                ("moldau.posix." + std::to_string(::getpid()))) {
        EXPECT_TRUE(disk_->make_directories(root_).ok());
    }
    ~PosixDiskTest() override { EXPECT_TRUE(disk_->remove_all(root_).ok()); }

    std::unique_ptr<Disk> disk_;
    std::string root_;
};

/// Runs `body` in a child process and returns its result.
int in_child(const std::function<int()>& body) {
    pid_t child = ::fork();
    if (child == 0) ::_exit(body());
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(PosixDiskTest, AnAppendCutShortByTheSystemGoesOnAndThenSaysWhy) {
    // A limit on the file's size lets a write through in part, as a full disk does.
    int result = in_child([&] {
        rlimit limit{10'000, 10'000};
        if (std::signal(SIGXFSZ, SIG_IGN) == SIG_ERR || ::setrlimit(RLIMIT_FSIZE, &limit) != 0)
            return 1;
        auto file = disk_->open(root_ + "/f", Open::create);
        if (!file.ok()) return 2;
        std::string text(6'000, 'x');
        std::vector<base::View> pieces = {base::as_bytes(text), base::as_bytes(text)};
        auto status = (*file)->append(pieces);
        if (status.code() != absl::StatusCode::kResourceExhausted) return 3;
        return (*file)->size() == 10'000 ? 0 : 4;
    });
    EXPECT_EQ(result, 0);
    EXPECT_EQ(std::filesystem::file_size(root_ + "/f"), 10'000);
}

TEST_F(PosixDiskTest, ALockHoldsAgainstOtherProcessesAndEndsWithItsHolder) {
    auto lock = disk_->lock(root_);
    ASSERT_TRUE(lock.ok());
    auto try_lock = [&] { return disk_->lock(root_).ok() ? 1 : 0; };
    EXPECT_EQ(in_child(try_lock), 0);
    lock->reset();
    EXPECT_EQ(in_child(try_lock), 1);
    EXPECT_TRUE(disk_->lock(root_).ok());
}

TEST_F(PosixDiskTest, FilesAreNotInheritedByPrograms) {
    auto file = disk_->open(root_ + "/f", Open::create);
    ASSERT_TRUE(file.ok());
    ASSERT_GE((*file)->descriptor(), 0);
    std::string test = "test -e /proc/self/fd/" + std::to_string((*file)->descriptor());
    EXPECT_NE(::system(test.c_str()), 0);
}

TEST(ErrnoStatus, SortsFailures) {
    auto code = [](int error) { return errno_status(error, "x").code(); };
    EXPECT_EQ(code(ENOSPC), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(code(EDQUOT), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(code(EIO), absl::StatusCode::kUnavailable);
    EXPECT_EQ(code(EROFS), absl::StatusCode::kUnavailable);
    EXPECT_EQ(code(ENOENT), absl::StatusCode::kNotFound);
    EXPECT_EQ(code(EBADF), absl::StatusCode::kInternal);
    EXPECT_EQ(errno_status(ENOSPC, "/a: append").message(), "/a: append: No space left on device");
}

}  // namespace
}  // namespace io
