#include "broker/metadata_follower.h"

#include <gtest/gtest.h>

#include "broker/resolve.h"
#include "broker/services.h"
#include "groups/coordinators.h"
#include "groups/topics.h"
#include "io/fake_shards.h"
#include "io/memory_disk.h"
#include "kafka/records/builder.h"
#include "metadata/records.h"
#include "replication/partitions.h"
#include "storage/store/memory_store.h"

namespace broker {
namespace {

using base::BrokerId;
using std::chrono::milliseconds;

class NoTopics final : public groups::Topics {
  public:
    std::optional<base::Uuid> id_of(const io::Shard&, const std::string&) const override {
        return std::nullopt;
    }
};

/// Broker 1, and what the controllers have decided.
class MetadataFollowerTest : public testing::Test {
  protected:
    MetadataFollowerTest() {
        EXPECT_TRUE(disk.make_directories("/data").ok());
        settings.id = BrokerId{1};
        settings.log_dirs = {"/data"};
        locals.push_back(std::make_unique<Local>(shards.at(0), settings));
        start();
    }
    ~MetadataFollowerTest() override { stop(); }

    void start() {
        partitions = std::make_unique<replication::Partitions>(shards, disk, store, settings.id,
                                                               settings.log_dirs);
        follower = std::make_unique<MetadataFollower>(settings, shards, shards.at(0), *partitions,
                                                      groups, locals);
        register_broker();
    }
    /// A new process of broker 1.
    void register_broker() {
        metadata::Broker broker;
        broker.id = settings.id;
        decide({metadata::broker_record(broker)});
        follower->registered(image->broker(settings.id)->epoch);
        decide({metadata::broker_change_record(*image->broker(settings.id), false, std::nullopt)});
    }
    void stop() {
        shards.settle();
        for (auto& [id, partition] : opened()) partition->abandon();
        follower.reset();
        partitions.reset();
    }
    std::map<int, replication::Partition*> opened() {
        std::map<int, replication::Partition*> out;
        for (int i = 0; i < 4; ++i)
            if (auto found = partitions->find({topic, i}); found.ok()) out[i] = *found;
        return out;
    }

    void decide(std::vector<metadata::v1::Record> records) {
        auto delta = std::make_shared<metadata::Delta>(image);
        for (const auto& record : records) ASSERT_TRUE(delta->replay(record).ok());
        image = delta->apply({image->position().index + 1, 1});
        follower->take(image, delta);
    }
    static metadata::Partition row(std::vector<int> replicas) {
        metadata::Partition p;
        for (const int id : replicas) p.replicas.push_back(BrokerId{id});
        p.isr = p.replicas;
        p.leader = p.replicas.front();
        return p;
    }
    void create(std::vector<int> replicas) {
        decide({metadata::topic_record("t", topic),
                metadata::partition_record(topic, row(std::move(replicas)))});
    }
    /// To the replicas, of which some are still to be caught up with or to leave.
    void assign(std::vector<int> replicas, std::vector<int> adding = {},
                std::vector<int> removing = {}) {
        const metadata::Partition from = *image->partition({topic, 0});
        metadata::Partition to = row(std::move(replicas));
        for (const int id : adding) to.adding_replicas.push_back(BrokerId{id});
        for (const int id : removing) to.removing_replicas.push_back(BrokerId{id});
        to.leader_epoch = from.leader_epoch + (to.leader == from.leader ? 0 : 1);
        to.partition_epoch = from.partition_epoch;
        decide({metadata::partition_change_record(topic, from, to)});
    }
    kafka::ErrorCode heartbeat() {
        auto error = kafka::ErrorCode::unknown_server_error;
        kafka::HeartbeatRequest request;
        request.group_id = "g";
        groups.heartbeat(shards.at(0), request, {"client", "/127.0.0.1", 4},
                         [&](const auto& response) { error = response.error_code; });
        return error;
    }
    replication::Partition& partition() { return **partitions->find({topic, 0}); }
    bool has() { return partitions->find({topic, 0}).ok(); }
    void produce() {
        kafka::BatchBuilder builder{kafka::BatchBuilder::Options{}};
        builder.add(1000, "k", "value");
        auto bytes = std::move(builder).build();
        bool done = false;
        partition().append(bytes, replication::Acks::leader, milliseconds(100),
                           [&](const auto& outcome) { done = outcome.ok(); });
        shards.settle();
        EXPECT_TRUE(done);
    }
    std::string directory() const { return "/data/" + topic.to_string() + ".0"; }
    int rows() {
        int count = 0;
        EXPECT_TRUE(store.scan("", [&](auto, auto) { return ++count > 0; }).ok());
        return count;
    }

    io::FakeShards shards;
    io::MemoryDisk disk;
    storage::MemoryStore store;
    Settings settings;
    NoTopics topics;
    groups::Coordinators groups{shards, {}, topics, 1};
    std::vector<std::unique_ptr<Local>> locals;
    std::unique_ptr<replication::Partitions> partitions;
    std::unique_ptr<MetadataFollower> follower;
    metadata::ImagePtr image = metadata::Image::empty();
    const base::TopicId topic{1, 2};
};

TEST_F(MetadataFollowerTest, WhatNeverComesIsWaitedForNoLongerThanAsked) {
    create({1});
    shards.settle();
    const auto now = image->position().index;
    std::vector<std::string> ran;
    follower->when_at(
        now, shards.at(0), [&] { ran.push_back("there"); }, milliseconds(0));
    follower->when_at(
        now + 2, shards.at(0), [&] { ran.push_back("late"); }, milliseconds(500));
    follower->when_at(
        now + 1, shards.at(0), [&] { ran.push_back("in time"); }, milliseconds(500));
    follower->when_at(now + 2, shards.at(0), [&] { ran.push_back("patient"); });
    EXPECT_EQ(ran, std::vector<std::string>{"there"});
    assign({1, 2});
    shards.settle();
    EXPECT_EQ(ran, (std::vector<std::string>{"there", "in time"}));
    shards.pass(milliseconds(499));
    EXPECT_EQ(ran.size(), 2u);
    shards.pass(milliseconds(2));
    EXPECT_EQ(ran.back(), "late");
    EXPECT_EQ(shards.timers(), 0u);
    assign({1});
    shards.settle();
    EXPECT_EQ(ran.back(), "patient");
}

TEST_F(MetadataFollowerTest, StoppingLeavesNoTimer) {
    follower->when_at(
        8, shards.at(0), [] {}, milliseconds(500));
    follower->stop([] {});
    follower->when_at(
        9, shards.at(0), [] {}, milliseconds(500));
    EXPECT_EQ(shards.timers(), 0u);
}

TEST_F(MetadataFollowerTest, APartitionGoesOnceItsReassignmentIsComplete) {
    create({1});
    shards.settle();
    produce();
    EXPECT_TRUE(disk.exists(directory()));
    assign({2, 1}, {2}, {1});
    shards.settle();
    EXPECT_TRUE(has()) << "it is still copied from";
    EXPECT_TRUE(disk.exists(directory()));
    assign({2});
    shards.settle();
    EXPECT_FALSE(has());
    EXPECT_FALSE(disk.exists(directory()));
    EXPECT_EQ(rows(), 0);
    EXPECT_EQ(disk.list("/data")->size(), 0u);
}

TEST_F(MetadataFollowerTest, AReassignmentThatIsTakenBackKeepsIt) {
    create({1});
    shards.settle();
    produce();
    assign({1, 2}, {2});
    assign({1});
    shards.settle();
    EXPECT_EQ(partition().log().end(), 1);
}

TEST_F(MetadataFollowerTest, APartitionThatComesBackStartsEmpty) {
    create({1});
    shards.settle();
    produce();
    // Back before its data is gone.
    assign({2});
    assign({2, 1}, {1});
    assign({1});
    shards.settle();
    ASSERT_TRUE(has());
    EXPECT_EQ(partition().log().end(), 0);
    EXPECT_TRUE(partition().leading());
    produce();
    EXPECT_EQ(partition().log().end(), 1);
    // And later.
    assign({2});
    shards.settle();
    assign({1});
    shards.settle();
    EXPECT_EQ(partition().log().end(), 0);
    EXPECT_EQ(partition().leader_epoch(), image->partition({topic, 0})->leader_epoch);
}

TEST_F(MetadataFollowerTest, WhatWentWhileItWasAwayIsDeleted) {
    create({1});
    shards.settle();
    produce();
    ASSERT_TRUE(disk.make_directories("/data/" + base::TopicId{8, 9}.to_string() + ".0").ok());
    stop();
    start();
    assign({2});
    shards.settle();
    bool done = false;
    follower->remove_strays([&] { done = true; });
    shards.settle();
    EXPECT_TRUE(done);
    EXPECT_FALSE(disk.exists(directory()));
    EXPECT_EQ(rows(), 0);
    EXPECT_EQ(disk.list("/data")->size(), 1u) << "of a topic that nobody knows";
}

TEST_F(MetadataFollowerTest, WhatIsStillBeingReassignedIsNoStray) {
    create({1});
    shards.settle();
    produce();
    stop();
    start();
    assign({2, 1}, {2}, {1});
    shards.settle();
    follower->remove_strays([] {});
    shards.settle();
    EXPECT_TRUE(disk.exists(directory()));
}

/// What an image from before this process tells may be the past of a replica that has come back.
TEST_F(MetadataFollowerTest, OnlyAnImageThatKnowsThisProcessDeletes) {
    create({1});
    shards.settle();
    produce();
    follower->registered(image->position().index + 3);
    shards.settle();
    assign({2});
    shards.settle();
    EXPECT_TRUE(has());
    EXPECT_FALSE(partition().leading());
    assign({2, 1}, {1});
    register_broker();
    shards.settle();
    ASSERT_TRUE(has());
    EXPECT_EQ(partition().log().end(), 1);
    assign({2});
    shards.settle();
    EXPECT_FALSE(has());
}

TEST_F(MetadataFollowerTest, GroupsAreServedWhileTheirPartitionIsLedHere) {
    decide({metadata::topic_record(std::string(offsets_topic), topic),
            metadata::partition_record(topic, row({2, 1}))});
    shards.settle();
    EXPECT_EQ(heartbeat(), kafka::ErrorCode::not_coordinator);
    assign({1, 2});
    shards.settle();
    EXPECT_EQ(heartbeat(), kafka::ErrorCode::unknown_member_id);
    assign({2, 1});
    shards.settle();
    EXPECT_EQ(heartbeat(), kafka::ErrorCode::not_coordinator);
    assign({1, 2});
    shards.settle();
    EXPECT_EQ(heartbeat(), kafka::ErrorCode::unknown_member_id);
    assign({2});
    shards.settle();
    EXPECT_EQ(heartbeat(), kafka::ErrorCode::not_coordinator);
    EXPECT_FALSE(has());
}

TEST_F(MetadataFollowerTest, GroupsAreServedByATopicThatTakesTheOldOnesPlaceAtOnce) {
    decide({metadata::topic_record(std::string(offsets_topic), topic),
            metadata::partition_record(topic, row({1}))});
    shards.settle();
    EXPECT_EQ(heartbeat(), kafka::ErrorCode::unknown_member_id);
    const base::TopicId anew{1, 3};
    decide({metadata::remove_topic_record(topic),
            metadata::topic_record(std::string(offsets_topic), anew),
            metadata::partition_record(anew, row({1}))});
    shards.settle();
    EXPECT_EQ(heartbeat(), kafka::ErrorCode::unknown_member_id);
    EXPECT_FALSE(has());
    decide({metadata::remove_topic_record(anew)});
    shards.settle();
    EXPECT_EQ(heartbeat(), kafka::ErrorCode::not_coordinator);
}

TEST_F(MetadataFollowerTest, ARegistrationAnewGivesBackTheRolesOnceAnImageKnowsIt) {
    create({1});
    shards.settle();
    EXPECT_TRUE(partition().leading());
    follower->registered(image->position().index + 1);
    shards.settle();
    EXPECT_FALSE(partition().leading());
    assign({2, 1});
    register_broker();
    assign({1, 2});
    shards.settle();
    EXPECT_TRUE(partition().leading());
}

}  // namespace
}  // namespace broker
