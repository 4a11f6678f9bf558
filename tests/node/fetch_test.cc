#include "kafka/messages/list_offsets.h"
#include "tests/node/node_fixture.h"
#include "tests/node/requests.h"

namespace tests {
namespace {

using kafka::ErrorCode;

class FetchTest : public NodeTest {
  protected:
    void put(const std::string& value, int32_t partition = 0) {
        const auto batch = batch_of({value});
        const auto answer =
            client().call<kafka::ProduceResponse>(produce("t", partition, batch), 9);
        ASSERT_EQ(answer.responses[0].partition_responses[0].error_code, ErrorCode::none);
    }
};

TEST_F(FetchTest, ReadsWhatWasProducedFromAnyOffset) {
    create_topic("t");
    for (int i = 0; i < 10; ++i) put(std::to_string(i));
    Peer peer = connect();
    for (int from = 0; from <= 10; ++from) {
        const auto got = peer.call<kafka::FetchResponse>(fetch("t", 0, from), 12);
        const auto& p = got.responses[0].partitions[0];
        EXPECT_EQ(p.high_watermark, 10);
        EXPECT_EQ(values_in(p.records->bytes()).size(), static_cast<size_t>(10 - from));
    }
}

TEST_F(FetchTest, OffsetsOutsideTheLogAreRefused) {
    create_topic("t");
    put("a");
    Peer peer = connect();
    for (const int64_t offset : {int64_t{-1}, int64_t{2}}) {
        const auto got = peer.call<kafka::FetchResponse>(fetch("t", 0, offset), 12);
        EXPECT_EQ(got.responses[0].partitions[0].error_code, ErrorCode::offset_out_of_range);
    }
}

TEST_F(FetchTest, WhoClaimsToBeAReplicaIsRefused) {
    create_topic("t");
    auto request = fetch("t", 0, 0);
    request.replica_id = 0;
    const auto got = client().call<kafka::FetchResponse>(request, 12);
    EXPECT_EQ(got.responses[0].partitions[0].error_code, ErrorCode::cluster_authorization_failed);
}

TEST_F(FetchTest, WaitsForDataAndNoLongerThanItWasTold) {
    create_topic("t");
    Peer waiting = connect();
    for (int i = 0; i < 20; ++i) {
        const auto started = std::chrono::steady_clock::now();
        const auto nothing = waiting.call<kafka::FetchResponse>(fetch("t", 0, 0, 5), 12);
        EXPECT_GE(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(5));
        EXPECT_EQ(nothing.responses[0].partitions[0].records->size(), 0u);
    }

    const auto id = waiting.send(fetch("t", 0, 0, 20'000), 12);
    put("woken");
    const auto got = waiting.receive<kafka::FetchResponse>(id, 12);
    EXPECT_EQ(values_in(got.responses[0].partitions[0].records->bytes()),
              std::vector<std::string>{"woken"});
}

TEST_F(FetchTest, TheFirstBatchComesWhateverItsSizeAndThenTheLimitsHold) {
    create_topic("t", 2);
    put(std::string(5000, 'x'), 0);
    put(std::string(5000, 'y'), 1);
    auto request = fetch("t", 0, 0);
    request.max_bytes = 100;
    auto second = request.topics[0].partitions[0];
    second.partition = 1;
    request.topics[0].partitions.push_back(second);
    const auto got = client().call<kafka::FetchResponse>(request, 12);
    EXPECT_GT(got.responses[0].partitions[0].records->size(), 5000u);
    EXPECT_EQ(got.responses[0].partitions[1].records->size(), 0u);
}

TEST_F(FetchTest, DoesNotWaitForMoreThanMayBeSent) {
    create_topic("t");
    for (int i = 0; i < 5; ++i) put(std::string(1000, 'x'));
    auto request = fetch("t", 0, 0, 600'000);
    request.min_bytes = 1 << 30;
    request.topics[0].partitions[0].partition_max_bytes = 1500;
    const auto got = client().call<kafka::FetchResponse>(request, 12);
    EXPECT_EQ(values_in(got.responses[0].partitions[0].records->bytes()).size(), 1u);
}

TEST_F(FetchTest, ASessionTellsOnlyWhatChanged) {
    create_topic("t", 2);
    put("a", 0);
    Peer peer = connect();
    auto first = fetch("t", 0, 0);
    first.session_epoch = 0;
    auto other = first.topics[0].partitions[0];
    other.partition = 1;
    first.topics[0].partitions.push_back(other);
    const auto full = peer.call<kafka::FetchResponse>(first, 12);
    ASSERT_NE(full.session_id, 0);
    EXPECT_EQ(full.responses[0].partitions.size(), 2u);

    kafka::FetchRequest next;
    next.session_id = full.session_id;
    next.session_epoch = 1;
    next.topics = {{.topic = "t", .topic_id = {}, .partitions = {first.topics[0].partitions[0]}}};
    next.topics[0].partitions[0].fetch_offset = 1;
    EXPECT_TRUE(peer.call<kafka::FetchResponse>(next, 12).responses.empty());

    put("b", 1);
    next.topics.clear();
    next.session_epoch = 2;
    const auto changed = peer.call<kafka::FetchResponse>(next, 12);
    ASSERT_EQ(changed.responses.size(), 1u);
    ASSERT_EQ(changed.responses[0].partitions.size(), 1u);
    EXPECT_EQ(changed.responses[0].partitions[0].partition_index, 1);

    EXPECT_EQ(peer.call<kafka::FetchResponse>(next, 12).error_code,
              ErrorCode::invalid_fetch_session_epoch);
    next.session_id += 1;
    EXPECT_EQ(peer.call<kafka::FetchResponse>(next, 12).error_code,
              ErrorCode::fetch_session_id_not_found);
}

TEST_F(FetchTest, ListOffsetsFindsEndsAndTimes) {
    create_topic("t");
    for (int i = 0; i < 5; ++i) put(std::to_string(i));
    Peer peer = connect();
    const auto at = [&](int64_t timestamp) {
        kafka::ListOffsetsRequest request;
        request.replica_id = -1;
        auto& topic = request.topics.emplace_back();
        topic.name = "t";
        topic.partitions.push_back({.partition_index = 0, .timestamp = timestamp});
        return peer.call<kafka::ListOffsetsResponse>(request, 7).topics.at(0).partitions.at(0);
    };
    EXPECT_EQ(at(-1).offset, 5);
    EXPECT_EQ(at(-2).offset, 0);
    EXPECT_EQ(at(0).offset, 0);
    EXPECT_EQ(at(1'700'000'000'000).offset, 0);
    EXPECT_EQ(at(1'700'000'000'001).offset, -1);
    EXPECT_EQ(at(-3).timestamp, 1'700'000'000'000);
    EXPECT_EQ(at(-9).error_code, ErrorCode::invalid_request);
}

}  // namespace
}  // namespace tests
