#include "cli/local/folder.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace cli::local {
namespace {

class FolderTest : public testing::Test {
  protected:
    FolderTest()
        : path_((std::filesystem::temp_directory_path() /
                 ("moldau_folder_test_" + std::to_string(getpid())))
                    .string()) {
        std::filesystem::create_directories(path_);
    }
    ~FolderTest() override { std::filesystem::remove_all(path_); }

    std::string path_;
};

TEST_F(FolderTest, AnEmptyDirectoryHasNoCluster) {
    EXPECT_TRUE(absl::IsNotFound(find_brokers(path_).status()));
    EXPECT_TRUE(absl::IsNotFound(find_brokers(path_ + "/none").status()));
}

TEST_F(FolderTest, BrokersAreFoundByNumber) {
    for (const int32_t id : {10, 2, 0}) ASSERT_TRUE(BrokerFolder(path_, id).prepare(true).ok());
    std::filesystem::create_directories(path_ + "/broker-x");
    const auto found = find_brokers(path_);
    ASSERT_TRUE(found.ok());
    std::vector<int32_t> ids;
    for (const BrokerFolder& folder : *found) ids.push_back(folder.id());
    EXPECT_THAT(ids, testing::ElementsAre(0, 2, 10));
}

TEST_F(FolderTest, ServerPropertiesAreTheUsersOnceMade) {
    const BrokerFolder folder(path_, 0);
    ASSERT_TRUE(folder.prepare(true).ok());
    std::ofstream(folder.properties_path()) << "node.id=7\n";
    ASSERT_TRUE(folder.prepare(true).ok());
    std::string line;
    std::getline(std::ifstream(folder.properties_path()), line);
    EXPECT_EQ(line, "node.id=7");
}

TEST_F(FolderTest, ALaunchIsRemembered) {
    const BrokerFolder folder(path_, 0);
    ASSERT_TRUE(folder.prepare(true).ok());
    EXPECT_TRUE(absl::IsNotFound(folder.settings().status()));
    EXPECT_FALSE(folder.process());
    const auto self = Process::running(getpid());
    ASSERT_TRUE(folder.remember({9192, 19192, {"a=b", "c=d=e"}}, *self).ok());
    const auto settings = folder.settings();
    ASSERT_TRUE(settings.ok());
    EXPECT_EQ(settings->port, 9192);
    EXPECT_EQ(settings->controller_port, 19192);
    EXPECT_THAT(settings->set, testing::ElementsAre("a=b", "c=d=e"));
    EXPECT_EQ(folder.process(), self);
    folder.forget_process();
    EXPECT_FALSE(folder.process());
    EXPECT_FALSE(folder.has_pid_file());
}

TEST_F(FolderTest, ALaunchOfAnOlderVersionWasOfABrokerAlone) {
    const BrokerFolder folder(path_, 0);
    ASSERT_TRUE(folder.prepare(true).ok());
    std::ofstream(path_ + "/broker-0/launch.json") << "{\"port\":9192,\"set\":[]}";
    const auto settings = folder.settings();
    ASSERT_TRUE(settings.ok());
    EXPECT_EQ(settings->port, 9192);
    EXPECT_EQ(settings->controller_port, 0);
}

TEST_F(FolderTest, OnlyABrokerAloneIsHeldToOneReplica) {
    for (const bool alone : {false, true}) {
        const BrokerFolder folder(path_, alone ? 1 : 0);
        ASSERT_TRUE(folder.prepare(alone).ok());
        std::ifstream in(folder.properties_path());
        const std::string text{std::istreambuf_iterator<char>(in), {}};
        EXPECT_EQ(text.find("default.replication.factor") != std::string::npos, alone);
        EXPECT_NE(text.find(alone ? "node.id=1\n" : "node.id=0\n"), std::string::npos);
    }
}

TEST_F(FolderTest, ADamagedLaunchFileIsNotFound) {
    const BrokerFolder folder(path_, 0);
    ASSERT_TRUE(folder.prepare(true).ok());
    for (const char* text :
         {"", "{", "{}", "{\"port\":70000,\"set\":[]}", "{\"port\":\"x\",\"set\":[]}", "[]"}) {
        std::ofstream(path_ + "/broker-0/launch.json") << text;
        EXPECT_TRUE(absl::IsNotFound(folder.settings().status())) << text;
    }
}

TEST_F(FolderTest, TheLogsTailBeginsWhereAsked) {
    const BrokerFolder folder(path_, 0);
    ASSERT_TRUE(folder.prepare(true).ok());
    std::ofstream(folder.log_path()) << "old\n";
    const uint64_t from = folder.log_bytes();
    std::ofstream(folder.log_path(), std::ios::app) << "a\nb\nc\n";
    EXPECT_EQ(folder.log_tail(from, 2), "\nb\nc");
    EXPECT_EQ(folder.log_tail(from, 9), "\na\nb\nc");
}

TEST_F(FolderTest, TheLockIsFreeAgainAfterwards) {
    { ASSERT_TRUE(CommandLock::take(path_).ok()); }
    EXPECT_TRUE(CommandLock::take(path_).ok());
}

}  // namespace
}  // namespace cli::local
