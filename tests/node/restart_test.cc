#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "broker/clean_stop.h"
#include "broker/directories.h"
#include "storage/store/rocks_store.h"
#include "tests/node/node_fixture.h"
#include "tests/node/requests.h"

namespace tests {
namespace {

class RestartTest : public NodeTest {
  protected:
    /// The epoch with which the broker stopped in order, as the store at `path` has it; or -1.
    static int64_t stopped_with(const std::string& path) {
        const auto store = storage::open_rocks_store(path);
        EXPECT_TRUE(store.ok()) << store.status();
        return store.ok() ? broker::clean_stop(**store).value_or(-2) : -2;
    }
    std::string store_path() const { return broker::Directories::store_path(settings_); }
    base::Result<std::unique_ptr<broker::Node>> start_with_an_address_of_others() const {
        auto clash = settings_;
        clash.listeners.push_back(clash.listeners.front());
        clash.listeners[1].name = "SECOND";
        clash.listeners[1].host = "192.0.2.1";  // not of this machine
        return broker::Node::start(clash);
    }
};

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
    EXPECT_FALSE(start_with_an_address_of_others().ok());
    start();
}

TEST_F(RestartTest, AStartThatComesToNothingLeavesTheSignOfAnOrderlyStop) {
    stop();
    const int64_t epoch = stopped_with(store_path());
    EXPECT_GE(epoch, 0);
    for (int i = 0; i < 2; ++i) EXPECT_FALSE(start_with_an_address_of_others().ok());
    EXPECT_EQ(stopped_with(store_path()), epoch);
    start();
    stop();
    EXPECT_GT(stopped_with(store_path()), epoch);
}

TEST_F(RestartTest, ABrokerThatServesHasNoSignOfAnOrderlyStop) {
    stop();
    start();
    // What a process that is killed now leaves behind.
    const std::string copy = settings_.log_dirs.front() + "/copy";
    std::filesystem::copy(store_path(), copy);
    EXPECT_EQ(stopped_with(copy), -1);
}

}  // namespace
}  // namespace tests
