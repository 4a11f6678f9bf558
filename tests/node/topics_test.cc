#include "kafka/messages/create_partitions.h"
#include "kafka/messages/create_topics.h"
#include "kafka/messages/delete_topics.h"
#include "kafka/messages/describe_configs.h"
#include "kafka/messages/find_coordinator.h"
#include "kafka/messages/metadata.h"
#include "tests/node/node_fixture.h"
#include "tests/node/requests.h"

namespace tests {
namespace {

using kafka::ErrorCode;

class TopicsTest : public NodeTest {
  protected:
    kafka::MetadataResponse::MetadataResponseTopic describe(const std::string& name,
                                                            bool create = false) {
        kafka::MetadataRequest request;
        request.allow_auto_topic_creation = create;
        request.topics = {{{.topic_id = {}, .name = name}}};
        return client().call<kafka::MetadataResponse>(request, 12).topics.at(0);
    }
};

TEST_F(TopicsTest, ATopicCanBeUsedAsSoonAsItIsThere) {
    for (int i = 0; i < 20; ++i) {
        const std::string name = "t" + std::to_string(i);
        create_topic(name, 3);
        const auto batch = batch_of({"a"});
        const auto answer = client().call<kafka::ProduceResponse>(produce(name, i % 3, batch), 9);
        EXPECT_EQ(answer.responses[0].partition_responses[0].error_code, ErrorCode::none);
    }
}

TEST_F(TopicsTest, AskingForATopicMakesItIfTheClientAllows) {
    EXPECT_EQ(describe("new").error_code, ErrorCode::unknown_topic_or_partition);
    const auto made = describe("new", true);
    EXPECT_EQ(made.error_code, ErrorCode::none);
    ASSERT_EQ(made.partitions.size(), 1u);
    EXPECT_EQ(made.partitions[0].leader_id, 0);
    EXPECT_EQ(describe("..", true).error_code, ErrorCode::invalid_topic_exception);
}

TEST_F(TopicsTest, ADeletedTopicIsGoneAndItsSuccessorIsEmpty) {
    create_topic("t");
    const auto batch = batch_of({"a"});
    client().call<kafka::ProduceResponse>(produce("t", 0, batch), 9);
    kafka::DeleteTopicsRequest request;
    request.topics.push_back({.name = "t", .topic_id = {}});
    EXPECT_EQ(client().call<kafka::DeleteTopicsResponse>(request, 6).responses.at(0).error_code,
              ErrorCode::none);
    EXPECT_EQ(describe("t").error_code, ErrorCode::unknown_topic_or_partition);
    create_topic("t");
    const auto got = client().call<kafka::FetchResponse>(fetch("t", 0, 0), 12);
    EXPECT_EQ(got.responses[0].partitions[0].high_watermark, 0);
}

TEST_F(TopicsTest, EveryConfigOfTopicAndBrokerCanBeDescribed) {
    create_topic("t", 1, {{"retention.ms", "1000"}});
    kafka::DescribeConfigsRequest request;
    request.include_synonyms = true;
    request.include_documentation = true;
    request.resources.push_back({2, "t", std::nullopt});
    request.resources.push_back({4, "0", std::nullopt});
    request.resources.push_back({2, "nowhere", std::nullopt});
    const auto response = client().call<kafka::DescribeConfigsResponse>(request, 4);
    ASSERT_EQ(response.results.size(), 3u);
    bool found = false;
    for (const auto& config : response.results[0].configs)
        if (config.name == "retention.ms") {
            found = true;
            EXPECT_EQ(config.value, "1000");
            EXPECT_EQ(config.config_source, 1);
            EXPECT_GE(config.synonyms.size(), 2u);
        }
    EXPECT_TRUE(found);
    EXPECT_GT(response.results[1].configs.size(), 30u);
    EXPECT_EQ(response.results[2].error_code, ErrorCode::unknown_topic_or_partition);
}

TEST_F(TopicsTest, ClientsCantMakeGrowOrDeleteWhatIsInternal) {
    const std::string name = "__consumer_offsets";
    Peer peer = connect();
    const auto unharmed = [&] {
        kafka::FindCoordinatorRequest request;
        request.coordinator_keys = {"g"};
        const auto found = peer.call<kafka::FindCoordinatorResponse>(request, 4);
        EXPECT_EQ(found.coordinators.at(0).error_code, ErrorCode::none);
        EXPECT_EQ(describe(name).partitions.size(), 2u);
    };
    kafka::CreateTopicsRequest create;
    auto& topic = create.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = 7;
    topic.replication_factor = 1;
    EXPECT_EQ(peer.call<kafka::CreateTopicsResponse>(create, 7).topics.at(0).error_code,
              ErrorCode::invalid_topic_exception);
    unharmed();
    kafka::CreatePartitionsRequest grow;
    grow.topics.push_back({.name = name, .count = 9, .assignments = std::nullopt});
    EXPECT_EQ(peer.call<kafka::CreatePartitionsResponse>(grow, 3).results.at(0).error_code,
              ErrorCode::invalid_topic_exception);
    unharmed();
    kafka::DeleteTopicsRequest remove;
    remove.topics.push_back({.name = name, .topic_id = {}});
    remove.topics.push_back({.name = std::nullopt, .topic_id = describe(name).topic_id});
    for (const auto& refused : peer.call<kafka::DeleteTopicsResponse>(remove, 6).responses)
        EXPECT_EQ(refused.error_code, ErrorCode::invalid_topic_exception);
    unharmed();
}

TEST_F(TopicsTest, ATopicThatIsAskedForManyTimesIsToldOnce) {
    create_topic("t");
    kafka::MetadataRequest request;
    request.topics.emplace();
    for (int i = 0; i < 1000; ++i) request.topics->push_back({.topic_id = {}, .name = "t"});
    EXPECT_EQ(client().call<kafka::MetadataResponse>(request, 12).topics.size(), 1u);
}

TEST_F(TopicsTest, TheFirstSearchForACoordinatorMakesItsTopic) {
    kafka::FindCoordinatorRequest request;
    request.coordinator_keys = {"g1", "g2"};
    const auto response = client().call<kafka::FindCoordinatorResponse>(request, 4);
    ASSERT_EQ(response.coordinators.size(), 2u);
    for (const auto& c : response.coordinators) EXPECT_EQ(c.error_code, ErrorCode::none);
    EXPECT_EQ(describe("__consumer_offsets").partitions.size(), 2u);
    request.key_type = 1;
    EXPECT_EQ(client().call<kafka::FindCoordinatorResponse>(request, 4).coordinators[0].error_code,
              ErrorCode::unsupported_version);
}

}  // namespace
}  // namespace tests
