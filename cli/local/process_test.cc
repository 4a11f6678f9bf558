#include "cli/local/process.h"

#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace cli::local {
namespace {

std::chrono::steady_clock::time_point soon() {
    return std::chrono::steady_clock::now() + std::chrono::seconds(20);
}

class ProcessTest : public testing::Test {
  protected:
    ProcessTest()
        : log_((std::filesystem::temp_directory_path() /
                ("moldau_process_test_" + std::to_string(getpid()) + ".log"))
                   .string()) {}
    ~ProcessTest() override { std::filesystem::remove(log_); }

    Process start(const std::string& script) const {
        auto process = launch({{"/bin/sh", "-c", script}, log_, true});
        EXPECT_TRUE(process.ok()) << process.status();
        return *process;
    }
    std::string log() const {
        std::ifstream in(log_);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    std::string log_;
};

TEST_F(ProcessTest, ATextNamesAProcess) {
    const auto self = Process::running(getpid());
    ASSERT_TRUE(self);
    EXPECT_EQ(Process::parse(self->text()), self);
    for (const char* text : {"", "x", "1", "1 2", "0 1 boot", "-5 1 boot"})
        EXPECT_FALSE(Process::parse(text)) << text;
}

TEST_F(ProcessTest, AProcessEndsWhenToldTo) {
    const Process process = start("exec sleep 1000");
    EXPECT_TRUE(look(process));
    EXPECT_TRUE(send_signal(process, SIGTERM).ok());
    EXPECT_TRUE(wait_until_gone(process, soon()));
    EXPECT_FALSE(look(process)) << "a zombie is gone";
    EXPECT_TRUE(absl::IsNotFound(send_signal(process, SIGTERM)));
    const auto ended = reap_children();
    ASSERT_EQ(ended.size(), 1u);
    EXPECT_EQ(ended[0].first, process.pid);
    EXPECT_EQ(ending_text(ended[0].second), "signal 15 (Terminated)");
}

TEST_F(ProcessTest, AProcessKeepsNoDescriptorOfItsStarter) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const Process process = start("exec sleep 1000");
    close(ends[1]);
    // The other end reads the end of the pipe only if nobody else holds it open.
    pollfd closed{ends[0], POLLIN, 0};
    EXPECT_EQ(poll(&closed, 1, 20'000), 1);
    close(ends[0]);
    EXPECT_TRUE(send_signal(process, SIGTERM).ok());
    EXPECT_TRUE(wait_until_gone(process, soon()));
    reap_children();
}

TEST_F(ProcessTest, AStrangerWithTheSameNumberIsNotHit) {
    Process process = start("exec sleep 1000");
    Process earlier = process;
    earlier.start_ticks -= 1;
    EXPECT_FALSE(look(earlier));
    EXPECT_TRUE(absl::IsNotFound(send_signal(earlier, SIGKILL)));
    Process before_boot = process;
    before_boot.boot = "another";
    EXPECT_TRUE(absl::IsNotFound(send_signal(before_boot, SIGKILL)));
    EXPECT_TRUE(wait_until_gone(earlier, soon()));
    EXPECT_TRUE(look(process));
    EXPECT_TRUE(send_signal(process, SIGKILL).ok());
    EXPECT_TRUE(wait_until_gone(process, soon()));
    reap_children();
}

TEST_F(ProcessTest, APausedProcessShowsAsSuch) {
    const Process process = start("exec sleep 1000");
    ASSERT_TRUE(send_signal(process, SIGSTOP).ok());
    siginfo_t stopped{};  // returns once it has stopped
    ASSERT_EQ(0, waitid(P_PID, static_cast<id_t>(process.pid), &stopped, WSTOPPED));
    EXPECT_TRUE(look(process)->paused);
    EXPECT_FALSE(wait_until_gone(process, std::chrono::steady_clock::now()));
    ASSERT_TRUE(send_signal(process, SIGKILL).ok());
    EXPECT_TRUE(wait_until_gone(process, soon()));
    reap_children();
}

TEST_F(ProcessTest, OutputGoesToTheLogAndInputIsEmpty) {
    const Process process = start("cat; echo out; echo err >&2");
    EXPECT_TRUE(wait_until_gone(process, soon()));
    EXPECT_EQ(log(), "out\nerr\n");
    reap_children();
}

TEST_F(ProcessTest, TheExitCodeOfAChildIsTold) {
    const Process process = start("read line; exit 7");
    EXPECT_TRUE(wait_until_gone(process, soon()));
    EXPECT_EQ(exit_code_of_child(process), 7);
    EXPECT_EQ(exit_code_of_child(process), std::nullopt) << "it was collected";
    const Process killed = start("exec sleep 1000");
    EXPECT_EQ(exit_code_of_child(killed), std::nullopt) << "it runs";
    EXPECT_TRUE(send_signal(killed, SIGKILL).ok());
    EXPECT_TRUE(wait_until_gone(killed, soon()));
    EXPECT_EQ(exit_code_of_child(killed), std::nullopt);
}

TEST_F(ProcessTest, AMissingProgramIsToldAtOnce) {
    const auto process = launch({{"/no/such/program"}, log_, true});
    EXPECT_THAT(base::message(process.status()), testing::HasSubstr("No such file"));
    reap_children();
}

}  // namespace
}  // namespace cli::local
