// Disks that fail or fill up under a whole node.
#include <atomic>
#include <thread>

#include "broker/directories.h"
#include "io/memory_disk.h"
#include "kafka/messages/delete_topics.h"
#include "kafka/messages/describe_log_dirs.h"
#include "kafka/messages/find_coordinator.h"
#include "kafka/messages/offset_commit.h"
#include "tests/node/node_fixture.h"
#include "tests/node/requests.h"

namespace tests {
namespace {

using kafka::ErrorCode;

/// Two log directories as if each were on a disk of its own.
struct TwoDisks final : io::MemoryDisk {
    base::Result<uint64_t> free_bytes(const std::string& path) override {
        return (path.starts_with("/second") ? free_on_second : free_on_first).load();
    }
    std::atomic<uint64_t> free_on_first = uint64_t{2} << 30;
    std::atomic<uint64_t> free_on_second = uint64_t{1} << 30;
};

class DiskTest : public NodeTest {
  protected:
    DiskTest() {
        settings_.log_dirs = {"/first", "/second"};
        settings_.storage_reserve_bytes = 1 << 20;
        restart_on(disks);
    }
    ~DiskTest() override { stop(); }

    void restart_on(std::shared_ptr<io::MemoryDisk> disk, bool clean = true) {
        stop(clean);
        // The store of the metadata is on the real disk; on this one it only has to be seen.
        const auto store = broker::Directories::store_path(settings_);
        ASSERT_TRUE(disk->make_directories(store).ok());
        ASSERT_TRUE(disk->open(store + "/CURRENT", io::Open::create).ok());
        disk_ = std::move(disk);
        start();
    }
    ErrorCode produce_to(const std::string& topic, const std::string& value) {
        const auto batch = batch_of({value});
        return client()
            .call<kafka::ProduceResponse>(produce(topic, 0, batch), 9)
            .responses.at(0)
            .partition_responses.at(0)
            .error_code;
    }
    /// Produces until the answer is `wanted`; false after more than a minute.
    bool comes_to(const std::string& topic, ErrorCode wanted) {
        for (int i = 0; i < 3000; ++i) {
            if (produce_to(topic, "x") == wanted) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        return false;
    }
    std::vector<std::string> values(const std::string& topic) {
        const auto got = client().call<kafka::FetchResponse>(fetch(topic, 0, 0), 12);
        const auto& p = got.responses.at(0).partitions.at(0);
        EXPECT_EQ(p.error_code, ErrorCode::none) << topic;
        return p.records ? values_in(p.records->bytes()) : std::vector<std::string>{};
    }
    using LogDir = kafka::DescribeLogDirsResponse::DescribeLogDirsResult;
    std::vector<LogDir> log_dirs() {
        kafka::DescribeLogDirsRequest request;
        request.topics.reset();
        return client().call<kafka::DescribeLogDirsResponse>(request, 4).results;
    }
    ErrorCode commit_in(const std::string& topic) {
        kafka::OffsetCommitRequest request;
        request.group_id = "g";
        request.topics.push_back({.name = topic,
                                  .topic_id = {},
                                  .partitions = {{.partition_index = 0, .committed_offset = 1}}});
        return client()
            .call<kafka::OffsetCommitResponse>(request, 8)
            .topics.at(0)
            .partitions.at(0)
            .error_code;
    }

    std::shared_ptr<TwoDisks> disks = std::make_shared<TwoDisks>();
};

TEST_F(DiskTest, AFailedSyncFencesItsDirectoryAndNothingAcknowledgedIsLost) {
    create_topic("hit");
    create_topic("beside");
    disks->free_on_second = uint64_t{3} << 30;
    create_topic("elsewhere");
    const std::vector<std::string> topics = {"hit", "beside", "elsewhere"};
    const std::vector<std::string> acknowledged = {"0", "1", "2", "3", "4"};
    for (const auto& value : acknowledged)
        for (const auto& topic : topics) ASSERT_EQ(produce_to(topic, value), ErrorCode::none);

    disks->fail(io::MemoryDisk::Operation::sync, 1, 1, "/first/");
    EXPECT_EQ(produce_to("hit", "lost?"), ErrorCode::kafka_storage_error);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(produce_to("hit", "refused"), ErrorCode::kafka_storage_error);
        EXPECT_EQ(produce_to("beside", "refused"), ErrorCode::kafka_storage_error);
        EXPECT_EQ(produce_to("elsewhere", "5"), ErrorCode::none);
    }
    EXPECT_EQ(values("beside"), acknowledged) << "what was there can be read";
    const auto described = log_dirs();
    ASSERT_EQ(described.size(), 2u);
    EXPECT_EQ(described[0].log_dir, "/first");
    EXPECT_EQ(described[0].error_code, ErrorCode::kafka_storage_error);
    EXPECT_TRUE(described[0].topics.empty());
    EXPECT_EQ(described[0].usable_bytes, -1);
    EXPECT_EQ(described[1].error_code, ErrorCode::none);
    EXPECT_EQ(described[1].topics.size(), 1u);
    EXPECT_GT(described[1].usable_bytes, 0);
    create_topic("new");
    EXPECT_EQ(produce_to("new", "0"), ErrorCode::none) << "it goes where writing goes on";

    restart_on(disks->after_power_loss(1), false);
    for (const auto& topic : topics) {
        auto found = values(topic);
        ASSERT_GE(found.size(), acknowledged.size()) << topic;
        EXPECT_EQ(found.size(), topic == "elsewhere" ? 8u : 5u) << topic;
        found.resize(acknowledged.size());
        EXPECT_EQ(found, acknowledged) << topic;
        EXPECT_EQ(produce_to(topic, "again"), ErrorCode::none) << topic;
    }
}

/// A log's directory is made with its first record; a disk that can't keep it is no better.
TEST_F(DiskTest, ASyncThatFailsForTheDirectoryOfANewLogFencesToo) {
    create_topic("beside");
    ASSERT_EQ(produce_to("beside", "0"), ErrorCode::none);
    disks->fail(io::MemoryDisk::Operation::sync_directory, 1, 1, "/first");
    create_topic("hit");
    EXPECT_EQ(produce_to("hit", "refused"), ErrorCode::kafka_storage_error);
    EXPECT_EQ(produce_to("beside", "refused"), ErrorCode::kafka_storage_error);
    EXPECT_EQ(values("beside").size(), 1u);
    EXPECT_EQ(log_dirs().at(0).error_code, ErrorCode::kafka_storage_error);
    stop(false);
}

/// A process that made the directories died before it could sync what holds them.
TEST(Directories, WhatIsClaimedSurvivesAPowerLossWhoeverMadeIt) {
    auto disk = std::make_shared<io::MemoryDisk>();
    ASSERT_TRUE(disk->make_directories("/srv/moldau/data").ok());
    broker::Settings settings;
    settings.log_dirs = {"/srv/moldau/data"};
    settings.metadata_dir = "/srv/moldau/metadata";
    {
        auto taken = broker::Directories::open(*disk, settings);
        ASSERT_TRUE(taken.ok()) << taken.status();
        ASSERT_TRUE((*taken)->belong_to("cluster").ok());
    }
    for (uint64_t seed = 0; seed < 20; ++seed) {
        const auto left = disk->after_power_loss(seed);
        EXPECT_TRUE(left->exists("/srv/moldau/data/meta.properties")) << seed;
        EXPECT_TRUE(left->exists("/srv/moldau/metadata/meta.properties")) << seed;
    }
}

/// Somebody else's directory above may not let itself be synced.
TEST(Directories, OnlyWhatWasMadeMustBeSynced) {
    io::MemoryDisk disk;
    ASSERT_TRUE(disk.make_directories("/srv/data").ok());
    broker::Settings settings;
    settings.log_dirs = {"/srv/data"};
    settings.metadata_dir = settings.log_dirs.front();
    disk.fail(io::MemoryDisk::Operation::sync_directory, 1, 100, "/");
    EXPECT_TRUE(broker::Directories::open(disk, settings).ok());
    settings.log_dirs = {"/srv/new"};
    settings.metadata_dir = settings.log_dirs.front();
    EXPECT_FALSE(broker::Directories::open(disk, settings).ok());
}

TEST_F(DiskTest, ProduceIsRefusedBeforeTheDiskIsFullAndTheRestGoesOn) {
    create_topic("t");
    kafka::FindCoordinatorRequest find;
    find.coordinator_keys = {"g"};
    client().call<kafka::FindCoordinatorResponse>(find, 4);
    ASSERT_EQ(produce_to("t", "0"), ErrorCode::none);

    disks->free_on_first = disks->free_on_second = 1 << 20;
    ASSERT_TRUE(comes_to("t", ErrorCode::kafka_storage_error));
    EXPECT_EQ(commit_in("t"), ErrorCode::none);
    EXPECT_EQ(values("t").front(), "0");
    create_topic("doomed");
    EXPECT_EQ(produce_to("doomed", "0"), ErrorCode::kafka_storage_error);
    kafka::DeleteTopicsRequest remove;
    remove.topics.push_back({.name = "doomed", .topic_id = {}});
    EXPECT_EQ(client().call<kafka::DeleteTopicsResponse>(remove, 6).responses.at(0).error_code,
              ErrorCode::none);

    disks->free_on_first = disks->free_on_second = 3 << 20;
    EXPECT_TRUE(comes_to("t", ErrorCode::none));
}

}  // namespace
}  // namespace tests
