#include "broker/assignments.h"

#include <gtest/gtest.h>

#include "metadata/records.h"

namespace broker {
namespace {

using base::BrokerId;

constexpr base::TopicId kTopic{1, 2};
constexpr BrokerId kSelf{1};

class AssignmentsTest : public testing::Test {
  protected:
    AssignmentsTest() {
        for (const int id : {1, 2, 3}) {
            metadata::Broker broker;
            broker.id = {id};
            decide({metadata::broker_record(broker)});
            if (id != 3) decide({fencing(id, false)});
        }
        metadata::Partition p;
        p.replicas = p.isr = {{1}, {3}};
        p.leader = {1};
        p.leader_epoch = 4;
        p.partition_epoch = 6;
        decide({metadata::topic_record("t", kTopic), metadata::partition_record(kTopic, p)});
    }
    void decide(std::vector<metadata::v1::Record> records) {
        delta = std::make_shared<metadata::Delta>(image);
        for (const auto& record : records) ASSERT_TRUE(delta->replay(record).ok());
        image = delta->apply({image->position().index + 1, 1});
    }
    bool concerned() const {
        const base::TopicPartition id{kTopic, 0};
        const Concerns concerns(*image, *delta, kSelf);
        const bool concerned = concerns.concerns(id, *image->partition(id));
        EXPECT_TRUE(concerns.any() || !concerned);
        return concerned;
    }
    metadata::v1::Record fencing(int id, bool fenced) {
        return metadata::broker_change_record(*image->broker({id}), fenced, std::nullopt);
    }

    metadata::ImagePtr image = metadata::Image::empty();
    std::shared_ptr<metadata::Delta> delta;
};

TEST_F(AssignmentsTest, AllOfItIsOfOneImage) {
    const metadata::Configs statics;
    const metadata::ConfigView configs(*image, kSelf, statics);
    const auto topic = image->topic(kTopic);
    const auto got = assignment(*image, configs, *topic, *topic->partition(0), kSelf);
    EXPECT_EQ(got.row.epoch, 4);
    EXPECT_EQ(got.row.version, topic->partition(0)->partition_epoch);
    EXPECT_EQ(got.row.leader, kSelf);
    EXPECT_EQ(got.min_isr, 2) << "a cluster of three, and two replicas";
    ASSERT_EQ(got.brokers.size(), 2u);
    EXPECT_EQ(got.brokers.at({1}).epoch, image->broker({1})->epoch);
    EXPECT_TRUE(got.brokers.at({1}).active);
    EXPECT_FALSE(got.brokers.at({3}).active);
}

TEST_F(AssignmentsTest, AChangedBrokerConcernsThePartitionsOfWhichItHasAReplica) {
    decide({fencing(2, true)});
    EXPECT_FALSE(concerned());
    decide({fencing(3, false)});
    EXPECT_TRUE(concerned());
    decide({fencing(1, true)});
    EXPECT_TRUE(concerned());
}

TEST_F(AssignmentsTest, MinIsrMayChangeWithTheTopicTheBrokersOptionsAndTheSizeOfTheCluster) {
    decide({metadata::topic_config_record("t", "min.insync.replicas", "1")});
    EXPECT_TRUE(concerned());
    decide({metadata::broker_config_record({-1}, "min.insync.replicas", "1")});
    EXPECT_TRUE(concerned());
    metadata::Broker fourth;
    fourth.id = {4};
    decide({metadata::broker_record(fourth)});
    EXPECT_TRUE(concerned());
}

}  // namespace
}  // namespace broker
