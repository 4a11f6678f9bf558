#include "broker/settings.h"

#include <gtest/gtest.h>

namespace broker {
namespace {

Settings settings(const std::string& text) {
    auto properties = metadata::read_server_properties({"server.properties", text, {}, {}});
    EXPECT_TRUE(properties.ok()) << properties.status();
    return settings_from(*properties);
}

TEST(Settings, ANodeAloneIsBothAndTellsNobody) {
    const auto cluster = settings("listeners=PLAINTEXT://:9092\n").cluster;
    EXPECT_TRUE(cluster.broker && cluster.controller);
    EXPECT_TRUE(cluster.voters.empty());
    EXPECT_EQ(cluster.listen, "");
    EXPECT_EQ(cluster.address, "");
    EXPECT_EQ(cluster.heartbeat.count(), 500);
    EXPECT_EQ(cluster.session.count(), 3000);
}

TEST(Settings, ByDefaultANodeIsReachedByGrpc) {
    EXPECT_EQ(settings("").cluster.listen, "[::]:19092");
    const auto renamed = settings("controller.listener.names=INNER\n").cluster;
    EXPECT_EQ(renamed.listen, "") << "whoever names its own listener lists it";
}

TEST(Settings, AVoterIsReachedAsTheVotersSay) {
    const auto cluster =
        settings(
            "node.id=1\ncontroller.quorum.voters=0@a:1,1@b:2,2@[fe80::1]:3\n"
            "listeners=PLAINTEXT://:9092,CONTROLLER://:19092\nlocal.faults.file=/f\n"
            "advertised.listeners=CONTROLLER://elsewhere:5\nbroker.session.timeout.ms=6000\n")
            .cluster;
    ASSERT_EQ(cluster.voters.size(), 3u);
    EXPECT_EQ(cluster.voters[2].id, base::BrokerId{2});
    EXPECT_EQ(cluster.voters[2].address, "[fe80::1]:3");
    EXPECT_EQ(cluster.listen, "[::]:19092");
    EXPECT_EQ(cluster.address, "b:2");
    EXPECT_EQ(cluster.session.count(), 6000);
    EXPECT_EQ(cluster.fault_file, "/f");
}

TEST(Settings, ABrokerThatIsNoVoterIsReachedAsItAdvertises) {
    const std::string text =
        "process.roles=broker\nnode.id=5\ncontroller.quorum.voters=0@a:1\n"
        "listeners=PLAINTEXT://:9092,CONTROLLER://10.0.0.5:19092\n";
    const auto plain = settings(text).cluster;
    EXPECT_TRUE(plain.broker);
    EXPECT_FALSE(plain.controller);
    EXPECT_EQ(plain.listen, "10.0.0.5:19092");
    EXPECT_EQ(plain.address, "10.0.0.5:19092");
    EXPECT_EQ(settings(text + "advertised.listeners=CONTROLLER://five:7\n").cluster.address,
              "five:7");
}

TEST(Settings, AMereControllerHasNoListenerForClients) {
    const auto all = settings(
        "process.roles=controller\nnode.id=0\ncontroller.quorum.voters=0@a:1\n"
        "listeners=CONTROLLER://:1\n");
    EXPECT_TRUE(all.listeners.empty());
    EXPECT_FALSE(all.cluster.broker);
    EXPECT_TRUE(all.cluster.controller);
}

}  // namespace
}  // namespace broker
