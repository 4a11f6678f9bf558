// Many requests in work on one connection.
#include "kafka/messages/api_versions.h"
#include "kafka/messages/metadata.h"
#include "tests/node/node_fixture.h"
#include "tests/node/requests.h"

namespace tests {
namespace {

class PipelineTest : public NodeTest {};

TEST_F(PipelineTest, ProducesInFlightKeepTheirOrderInEachPartition) {
    create_topic("t", 4);
    Peer peer = connect();
    constexpr int count = 400;
    std::vector<int32_t> ids;
    for (int i = 0; i < count; ++i)
        ids.push_back(peer.send(produce("t", i % 4, batch_of({std::to_string(i)})), 9));
    for (int i = 0; i < count; ++i) {
        const auto answer = peer.receive<kafka::ProduceResponse>(ids[static_cast<size_t>(i)], 9);
        ASSERT_EQ(answer.responses[0].partition_responses[0].error_code, kafka::ErrorCode::none);
        EXPECT_EQ(answer.responses[0].partition_responses[0].base_offset, i / 4);
    }
}

TEST_F(PipelineTest, AFetchSeesTheProducesBeforeIt) {
    create_topic("t");
    Peer peer = connect();
    const auto batch = batch_of({"a"});
    const auto first = peer.send(produce("t", 0, batch), 9);
    const auto second = peer.send(fetch("t", 0, 0), 12);
    peer.receive<kafka::ProduceResponse>(first, 9);
    const auto got = peer.receive<kafka::FetchResponse>(second, 12);
    EXPECT_EQ(values_in(got.responses[0].partitions[0].records->bytes()),
              std::vector<std::string>{"a"});
}

TEST_F(PipelineTest, AWaitingFetchHoldsUpTheAnswersAfterItButNotTheWork) {
    create_topic("t");
    Peer peer = connect();
    const auto waiting = peer.send(fetch("t", 0, 0, 20'000), 12);
    const auto batch = batch_of({"woken"});
    const auto after = peer.send(produce("t", 0, batch), 9);
    const auto got = peer.receive<kafka::FetchResponse>(waiting, 12);
    EXPECT_EQ(values_in(got.responses[0].partitions[0].records->bytes()),
              std::vector<std::string>{"woken"});
    peer.receive<kafka::ProduceResponse>(after, 9);
}

TEST_F(PipelineTest, MoreRequestsThanMayBeInWorkAreAllAnswered) {
    Peer peer = connect();
    std::vector<int32_t> ids;
    for (int i = 0; i < 1000; ++i) ids.push_back(peer.send(kafka::MetadataRequest{}, 9));
    for (const auto id : ids) peer.receive<kafka::MetadataResponse>(id, 9);
}

TEST_F(PipelineTest, AClientThatLeavesWithRequestsInWorkHarmsNobody) {
    create_topic("t");
    for (int i = 0; i < 20; ++i) {
        Peer leaving = connect();
        const auto batch = batch_of({"left behind"});
        for (int j = 0; j < 10; ++j) leaving.send(produce("t", 0, batch), 9);
        leaving.send(fetch("t", 0, 1'000'000, 20'000), 12);
    }
    Peer peer = connect();
    const auto batch = batch_of({"last"});
    const auto answer = peer.call<kafka::ProduceResponse>(produce("t", 0, batch), 9);
    EXPECT_EQ(answer.responses[0].partition_responses[0].error_code, kafka::ErrorCode::none);
}

TEST_F(PipelineTest, AnUnknownVersionOfApiVersionsIsAnsweredAndOthersAreNot) {
    Peer peer = connect();
    auto request = kafka::encode_request(7, "peer", kafka::ApiVersionsRequest{"x", "1"}, 4).bytes;
    request[7] = std::byte{99};
    peer.write(request);
    const auto answer = peer.receive<kafka::ApiVersionsResponse>(7, 0);
    EXPECT_EQ(answer.error_code, kafka::ErrorCode::unsupported_version);
    ASSERT_EQ(answer.api_keys.size(), 1u);
    EXPECT_EQ(answer.api_keys[0].api_key, 18);

    auto metadata = kafka::encode_request(8, "peer", kafka::MetadataRequest{}, 9).bytes;
    metadata[7] = std::byte{99};
    peer.write(metadata);
    EXPECT_TRUE(peer.closed());
}

}  // namespace
}  // namespace tests
