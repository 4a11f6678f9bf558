#include "metadata/server_properties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metadata {
namespace {

using testing::HasSubstr;

base::Result<ServerProperties> read(std::string file,
                                    std::map<std::string, std::string> environment = {},
                                    std::vector<std::pair<std::string, std::string>> set = {}) {
    return read_server_properties(
        {"server.properties", std::move(file), std::move(environment), std::move(set)});
}

std::string refusal(const base::Result<ServerProperties>& result) {
    return result.ok() ? "(accepted)" : base::message(result.status());
}

TEST(ServerProperties, NothingAtAllIsABrokerOnPort9092) {
    auto p = read("");
    ASSERT_TRUE(p.ok()) << p.status();
    ASSERT_EQ(p->listeners.size(), 1u);
    EXPECT_EQ(p->listeners[0].name, "PLAINTEXT");
    EXPECT_EQ(p->listeners[0].host, "");
    EXPECT_EQ(p->listeners[0].port, 9092);
    EXPECT_EQ(p->listeners[0].advertised_host, "");
    EXPECT_TRUE(p->configs().empty());
}

TEST(ServerProperties, TakesTheFileThatKafkaComesWith) {
    auto p = read(
        "process.roles=broker,controller\nnode.id=1\n"
        "controller.quorum.bootstrap.servers=localhost:9093\n"
        "listeners=PLAINTEXT://:9092,CONTROLLER://:9093\n"
        "inter.broker.listener.name=PLAINTEXT\n"
        "advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093\n"
        "controller.listener.names=CONTROLLER\n"
        "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,"
        "SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL\n"
        "num.network.threads=3\nnum.io.threads=8\nsocket.send.buffer.bytes=102400\n"
        "socket.receive.buffer.bytes=102400\nsocket.request.max.bytes=104857600\n"
        "log.dirs=/tmp/kraft-combined-logs\nnum.partitions=1\n"
        "num.recovery.threads.per.data.dir=1\noffsets.topic.replication.factor=1\n"
        "share.coordinator.state.topic.replication.factor=1\n"
        "share.coordinator.state.topic.min.isr=1\n"
        "transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n"
        "log.retention.hours=168\nlog.segment.bytes=1073741824\n"
        "log.retention.check.interval.ms=300000\n");
    ASSERT_TRUE(p.ok()) << p.status();
    ASSERT_EQ(p->listeners.size(), 1u) << "the controller listener is not for clients";
    ASSERT_TRUE(p->controller_listener);
    EXPECT_EQ(p->controller_listener->port, 9093);
    EXPECT_EQ(p->controller_listener->advertised_host, "localhost");
    EXPECT_TRUE(p->voters.empty()) << "a cluster of one";
    EXPECT_EQ(p->listeners[0].advertised_host, "localhost");
    EXPECT_EQ(p->configs().at("node.id"), "1");
    EXPECT_EQ(p->ignored.size(), 2u);
}

TEST(ServerProperties, LaterSourcesGoBeforeEarlierOnes) {
    auto p =
        read("num.partitions=2\nlog.dirs=/file\nbroker.rack=f\nauto.create.topics.enable=true\n",
             {{"KAFKA_NUM_PARTITIONS", "3"},
              {"MOLDAU_LOG_DIRS", "/moldau"},
              {"KAFKA_LOG_DIRS", "/kafka"},
              {"KAFKA_CFG_BROKER_RACK", "bitnami"},
              {"PATH", "/bin"}},
             {{"num.partitions", "4"}, {"num.partitions", "5"}});
    ASSERT_TRUE(p.ok()) << p.status();
    EXPECT_EQ(p->settings.at("num.partitions").value, "5");
    EXPECT_EQ(p->settings.at("num.partitions").from, "--set num.partitions");
    EXPECT_EQ(p->settings.at("log.dirs").value, "/moldau");
    EXPECT_EQ(p->settings.at("log.dirs").from, "MOLDAU_LOG_DIRS");
    EXPECT_EQ(p->settings.at("broker.rack").value, "bitnami");
    EXPECT_EQ(p->settings.at("auto.create.topics.enable").from, "server.properties line 4");
}

TEST(ServerProperties, VariablesOfOthersAreLeftAlone) {
    auto p = read("", {{"KAFKA_HEAP_OPTS", "-Xmx1g"},
                       {"KAFKA_SERVICE_HOST", "10.0.0.1"},
                       {"KAFKA_PORT_9092_TCP", "tcp://10.0.0.1:9092"},
                       {"MOLDAU_PORT", "tcp://10.0.0.1:9092"},
                       {"KAFKA_BOOTSTRAP_SERVERS", "x:1"}});
    ASSERT_TRUE(p.ok()) << p.status();
    EXPECT_EQ(p->ignored.size(), 2u) << "the JVM's options, and what is not known";
    EXPECT_THAT(refusal(read("", {{"MOLDAU_NUM_PARTITION", "1"}})),
                HasSubstr("MOLDAU_NUM_PARTITION: unknown option num.partition; did you mean "
                          "num.partitions?"));
}

TEST(ServerProperties, TheLastLineOfAKeyHolds) {
    auto p = read("num.partitions=2\nnum.partitions=3\n");
    ASSERT_TRUE(p.ok());
    EXPECT_EQ(p->configs().at("num.partitions"), "3");
    ASSERT_EQ(p->ignored.size(), 1u);
    EXPECT_EQ(p->ignored[0].from, "server.properties line 1");
}

TEST(ServerProperties, RefuseNamingTheLine) {
    struct Row {
        const char *file, *why;
    };
    for (const Row& row : {
             Row{"a.b=1\nnum.partition=1",
                 "server.properties line 2: unknown option num.partition; "
                 "did you mean num.partitions?"},
             Row{"a.b=1", "server.properties line 1: unknown option a.b"},
             Row{"\nlog.retention.ms=7d",
                 "server.properties line 2: log.retention.ms=7d: not a "
                 "whole number of milliseconds"},
             Row{"log.segment.bytes=1GB", "not a whole number of bytes"},
             Row{"num.partitions=0", "line 1: num.partitions=0: must be from 1 to"},
             Row{"log.cleanup.policy=keep", "line 1: log.cleanup.policy=keep: each must be one of"},
             Row{"a=\\u1", "server.properties line 1: a malformed"},
             Row{"default.replication.factor=1\nmin.insync.replicas=2",
                 "server.properties line 2: min.insync.replicas=2 is more than "
                 "default.replication.factor=1"},
             Row{"broker.session.timeout.ms=1000\nbroker.heartbeat.interval.ms=400",
                 "server.properties line 1: broker.session.timeout.ms=1000 is shorter than three"},
             Row{"broker.heartbeat.interval.ms=1001", "server.properties line 1: broker.session"},
             Row{"group.min.session.timeout.ms=10\ngroup.max.session.timeout.ms=9",
                 "server.properties line 1: group.min.session.timeout.ms is longer"},
             Row{"node.id=1\nbroker.id=2",
                 "server.properties line 2: broker.id and node.id differ"},
             Row{"process.roles=", "server.properties line 1: process.roles is empty"},
             Row{"ssl.keystore.location=/k", "line 1: ssl.keystore.location is not supported: TLS"},
             Row{"authorizer.class.name=X",
                 "authorizer.class.name is not supported: access control"},
             Row{"listeners=PLAINTEXT://:9092,B://:9092\nlistener.security.protocol.map=PLAINTEXT:"
                 "PLAINTEXT,B:PLAINTEXT",
                 "server.properties line 1: listeners: PLAINTEXT and B clash on port 9092"},
             Row{"listeners=PLAINTEXT://a:1,PLAINTEXT://a:2", "two listeners are named PLAINTEXT"},
             Row{"\nlisteners=SSL://:9092", "server.properties line 2: listeners: SSL speaks SSL"},
             Row{"listeners=OTHER://:9092", "listener.security.protocol.map: it does not say"},
             Row{"listeners=PLAINTEXT://:x", "listeners: PLAINTEXT://:x has no proper port"},
             Row{"listeners=PLAINTEXT://:99999", "has no proper port"},
             Row{"listeners=localhost:9092", "is not NAME://host:port"},
             Row{"listeners=PLAINTEXT://::1:9092", "IPv6 address without brackets"},
             Row{"listeners=", "listeners: there is none"},
             Row{"advertised.listeners=PLAINTEXT://0.0.0.0:9092",
                 "server.properties line 1: advertised.listeners: PLAINTEXT advertises 0.0.0.0"},
             Row{"advertised.listeners=PLAINTEXT://:9092", "advertises no host"},
             Row{"advertised.listeners=PLAINTEXT://a:0", "advertises port 0"},
             Row{"advertised.listeners=B://a:1", "there is no listener B"},
             Row{"listener.security.protocol.map=PLAINTEXT", "is not NAME:PROTOCOL"},
             Row{"node.id=1\ncontroller.quorum.voters=0@a:1,1@b:1\nlisteners=PLAINTEXT://:9092",
                 "server.properties line 3: listeners: there is none for the other nodes"},
             Row{"node.id=1\ncontroller.quorum.voters=0@a:1",
                 "server.properties line 2: controller.quorum.voters: node.id=1 is not among them"},
             Row{"process.roles=broker", "controller.quorum.voters: it is not set, but"},
             Row{"process.roles=controller\nlisteners=PLAINTEXT://:9092,CONTROLLER://:1",
                 "server.properties line 2: listeners: PLAINTEXT is for clients"},
             Row{"process.roles=controller", "listeners: PLAINTEXT is for clients"},
             Row{"listeners=CONTROLLER://:1", "listeners: there is none for clients"},
             Row{"listeners=PLAINTEXT://:1,CONTROLLER://:1", "clash on port 1"},
             Row{"listeners=PLAINTEXT://:1,CONTROLLER://:2\n"
                 "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:SSL",
                 "line 1: listeners: CONTROLLER speaks SSL"},
             Row{"listeners=PLAINTEXT://:1,CONTROLLER://:2\n"
                 "advertised.listeners=CONTROLLER://0.0.0.0:2",
                 "line 2: advertised.listeners: CONTROLLER advertises 0.0.0.0"},
         }) {
        EXPECT_THAT(refusal(read(row.file)), HasSubstr(row.why)) << row.file;
    }
}

TEST(ServerProperties, TellsAllProblemsAtOnce) {
    EXPECT_EQ(refusal(read("num.partitions=x\nfoo.bar.baz.qux=1\n")),
              "server.properties line 1: num.partitions=x: not a whole number\n"
              "server.properties line 2: unknown option foo.bar.baz.qux");
}

TEST(ServerProperties, ListenersMayDifferByAddress) {
    auto p = read(
        "listeners=PLAINTEXT://127.0.0.1:9092,IN://[::1]:9092\n"
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,IN:PLAINTEXT\n"
        "advertised.listeners=IN://broker.example:19092\n");
    ASSERT_TRUE(p.ok()) << p.status();
    ASSERT_EQ(p->listeners.size(), 2u);
    EXPECT_EQ(p->listeners[0].advertised_host, "127.0.0.1");
    EXPECT_EQ(p->listeners[1].host, "::1");
    EXPECT_EQ(p->listeners[1].advertised_host, "broker.example");
    EXPECT_EQ(p->listeners[1].advertised_port, 19092);
}

TEST(ServerProperties, ANodeOfThree) {
    auto p = read(
        "node.id=1\ncontroller.quorum.voters=0@a:19092,1@b:19092,2@c:19092\n"
        "listeners=PLAINTEXT://:9092,CONTROLLER://10.0.0.2:19092\n");
    ASSERT_TRUE(p.ok()) << p.status();
    ASSERT_EQ(p->listeners.size(), 1u);
    EXPECT_EQ(p->voters.size(), 3u);
    ASSERT_TRUE(p->controller_listener);
    EXPECT_EQ(p->controller_listener->host, "10.0.0.2");
    EXPECT_EQ(p->controller_listener->port, 19092);
}

TEST(ServerProperties, AControllerAlone) {
    auto p = read(
        "process.roles=controller\nnode.id=7\ncontroller.quorum.voters=7@a:1\n"
        "controller.listener.names=quorum,other\nlisteners=OTHER://:2,QUORUM://:1\n"
        "advertised.listeners=QUORUM://a:10,OTHER://b:3\n");
    ASSERT_TRUE(p.ok()) << p.status();
    EXPECT_TRUE(p->listeners.empty());
    ASSERT_TRUE(p->controller_listener);
    EXPECT_EQ(p->controller_listener->name, "QUORUM");
    EXPECT_EQ(p->controller_listener->advertised_port, 10);
}

TEST(ServerProperties, KeysOfAJvmAreIgnoredWithAReason) {
    auto p = read("zookeeper.connect=z:2181\nmetric.reporters=X\n");
    ASSERT_TRUE(p.ok()) << p.status();
    ASSERT_EQ(p->ignored.size(), 2u);
    EXPECT_EQ(p->ignored[0].why, "there is no ZooKeeper");
    EXPECT_EQ(p->ignored[0].from, "server.properties line 1");
}

}  // namespace
}  // namespace metadata
