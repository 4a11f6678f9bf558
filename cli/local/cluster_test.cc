#include "cli/local/cluster.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

namespace cli::local {
namespace {

Member member(int32_t id, uint16_t controller_port) {
    return {BrokerFolder("/nowhere", id), {.controller_port = controller_port}};
}

TEST(Voters, AreAllThatListenForControllers) {
    EXPECT_EQ(voters({member(0, 0)}), "") << "a broker alone";
    EXPECT_EQ(voters({member(0, 19092), member(1, 19093), member(2, 19094)}),
              "0@127.0.0.1:19092,1@127.0.0.1:19093,2@127.0.0.1:19094");
}

TEST(ControllerPort, IsFarFromTheKafkaPortEitherWay) {
    EXPECT_EQ(controller_port(9092), 19092);
    EXPECT_EQ(controller_port(55535), 65535);
    EXPECT_EQ(controller_port(55536), 45536);
    EXPECT_EQ(controller_port(65535), 55535);
}

TEST(Members, AreThoseThatWereStarted) {
    const std::string path = (std::filesystem::temp_directory_path() /
                              ("moldau_cluster_test_" + std::to_string(getpid())))
                                 .string();
    const BrokerFolder started(path, 0), never(path, 1);
    for (const auto* folder : {&started, &never}) ASSERT_TRUE(folder->prepare(false).ok());
    ASSERT_TRUE(started.remember({9192, 19192, {}}, *Process::running(getpid())).ok());
    const auto all = members({started, never});
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].settings.controller_port, 19192);
    EXPECT_TRUE(absl::IsAlreadyExists(can_start(all))) << "this very process";
    std::filesystem::remove_all(path);
}

}  // namespace
}  // namespace cli::local
