#include <sys/resource.h>

#include <csignal>

#include "tests/node/node_fixture.h"
#include "tests/node/requests.h"

namespace tests {
namespace {

class RestartTest : public NodeTest {};

TEST_F(RestartTest, KeepsTopicsRecordsAndPositions) {
    create_topic("t", 3);
    for (int i = 0; i < 30; ++i) {
        const auto batch = batch_of({std::to_string(i)});
        client().call<kafka::ProduceResponse>(produce("t", i % 3, batch), 9);
    }
    for (int round = 0; round < 3; ++round) {
        stop();
        start();
        for (int32_t p = 0; p < 3; ++p) {
            const auto got = client().call<kafka::FetchResponse>(fetch("t", p, 0), 12);
            EXPECT_EQ(values_in(got.responses[0].partitions[0].records->bytes()).size(), 10u);
        }
    }
}

TEST_F(RestartTest, AnotherNodesOrClustersDirectoryIsRefused) {
    stop();
    auto other = settings_;
    other.id = base::BrokerId{7};
    const auto as_other_node = broker::Node::start(other);
    ASSERT_FALSE(as_other_node.ok());
    EXPECT_NE(as_other_node.status().message().find("node 0"), absl::string_view::npos);
    other = settings_;
    other.cluster_id = "another";
    const auto as_other_cluster = broker::Node::start(other);
    ASSERT_FALSE(as_other_cluster.ok());
    EXPECT_NE(as_other_cluster.status().message().find("another"), absl::string_view::npos);
    start();
}

TEST_F(RestartTest, ADirectoryInUseIsRefused) { EXPECT_FALSE(broker::Node::start(settings_).ok()); }

TEST_F(RestartTest, AMetadataLogThatFailsEndsAStart) {
    stop();
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    // Asked while it waits for what only a write to the log can bring about.
    const auto full_disk = [&before] {
        const rlimit full{0, before.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &full);
        return false;
    };
    const auto node = broker::Node::start(settings_, full_disk);
    ::setrlimit(RLIMIT_FSIZE, &before);
    ASSERT_FALSE(node.ok());
    EXPECT_EQ(node.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_NE(node.status().message().find("the metadata log failed"), absl::string_view::npos)
        << node.status();
    start();
}

TEST_F(RestartTest, APortInUseIsRefusedAndNothingIsLeftRunning) {
    stop();
    auto clash = settings_;
    clash.listeners.push_back(clash.listeners.front());
    clash.listeners[1].name = "SECOND";
    clash.listeners[1].host = "192.0.2.1";  // not of this machine
    EXPECT_FALSE(broker::Node::start(clash).ok());
    start();
}

}  // namespace
}  // namespace tests
