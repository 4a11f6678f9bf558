#include "kafka/messages/init_producer_id.h"
#include "kafka/records/batch.h"
#include "kafka/records/builder.h"
#include "tests/node/node_fixture.h"
#include "tests/node/requests.h"

namespace tests {
namespace {

using kafka::ErrorCode;

class ProduceTest : public NodeTest {
  protected:
    kafka::ProduceResponse::PartitionProduceResponse put(base::View batch, int16_t acks = -1,
                                                         const std::string& topic = "t",
                                                         int32_t partition = 0) {
        Peer peer = connect();
        return peer.call<kafka::ProduceResponse>(produce(topic, partition, batch, acks), 9)
            .responses.at(0)
            .partition_responses.at(0);
    }
};

TEST_F(ProduceTest, TellsOffsetsInOrder) {
    create_topic("t");
    EXPECT_EQ(put(batch_of({"a", "b"})).base_offset, 0);
    EXPECT_EQ(put(batch_of({"c"}), 1).base_offset, 2);
    EXPECT_EQ(put(batch_of({"d"})).base_offset, 3);
}

TEST_F(ProduceTest, RefusesWhatItCantAppend) {
    create_topic("t");
    const auto good = batch_of({"a"});
    EXPECT_EQ(put(good, 5).error_code, ErrorCode::invalid_required_acks);
    EXPECT_EQ(put(good, -1, "nowhere").error_code, ErrorCode::unknown_topic_or_partition);
    EXPECT_EQ(put(good, -1, "t", 7).error_code, ErrorCode::unknown_topic_or_partition);
    EXPECT_EQ(put(good, -1, "t", -1).error_code, ErrorCode::unknown_topic_or_partition);
    auto damaged = good;
    damaged.back() ^= std::byte{1};
    EXPECT_EQ(put(damaged).error_code, ErrorCode::corrupt_message);
    auto old = good;
    old[kafka::batch_field::magic] = std::byte{1};
    EXPECT_EQ(put(old).error_code, ErrorCode::unsupported_for_message_format);
    EXPECT_EQ(put(good).base_offset, 0) << "nothing of it was appended";
}

TEST_F(ProduceTest, WithoutAcksThereIsNoAnswerAndAFailureClosesTheConnection) {
    create_topic("t");
    Peer peer = connect();
    const auto batch = batch_of({"a"});
    peer.send(produce("t", 0, batch, 0), 9);
    const auto answer = peer.call<kafka::ProduceResponse>(produce("t", 0, batch), 9);
    EXPECT_EQ(answer.responses[0].partition_responses[0].base_offset, 1);
    peer.send(produce("nowhere", 0, batch, 0), 9);
    EXPECT_TRUE(peer.closed());
}

TEST_F(ProduceTest, ARetryOfAnIdempotentProducerIsAppendedOnce) {
    create_topic("t");
    Peer peer = connect();
    kafka::InitProducerIdRequest init;
    init.transactional_id.reset();
    const auto producer = peer.call<kafka::InitProducerIdResponse>(init, 4);
    ASSERT_EQ(producer.error_code, ErrorCode::none);
    const auto batch = [&](int32_t sequence) {
        kafka::BatchBuilder builder({.producer_id = base::ProducerId{producer.producer_id},
                                     .producer_epoch = producer.producer_epoch,
                                     .base_sequence = sequence});
        builder.add(1'700'000'000'000, "k", "v");
        return std::move(builder).build();
    };
    EXPECT_EQ(put(batch(0)).base_offset, 0);
    EXPECT_EQ(put(batch(0)).base_offset, 0);
    EXPECT_EQ(put(batch(1)).base_offset, 1);
    EXPECT_EQ(put(batch(3)).error_code, ErrorCode::out_of_order_sequence_number);
    EXPECT_EQ(put(batch_of({"other"})).base_offset, 2);
    const auto another = peer.call<kafka::InitProducerIdResponse>(init, 4);
    EXPECT_NE(another.producer_id, producer.producer_id);
}

TEST_F(ProduceTest, TransactionsAreRefusedClearly) {
    kafka::InitProducerIdRequest init;
    init.transactional_id = "tx";
    EXPECT_EQ(client().call<kafka::InitProducerIdResponse>(init, 4).error_code,
              ErrorCode::unsupported_version);
}

TEST_F(ProduceTest, LogAppendTimeIsTheBrokersAndIsTold) {
    create_topic("t", 1, {{"message.timestamp.type", "LogAppendTime"}});
    EXPECT_GT(put(batch_of({"a"})).log_append_time_ms, 1'700'000'000'000);
}

TEST_F(ProduceTest, TheTopicsOwnCodecRebuildsTheBatch) {
    create_topic("t", 1, {{"compression.type", "zstd"}});
    ASSERT_EQ(put(batch_of({std::string(1000, 'x')})).error_code, ErrorCode::none);
    Peer peer = connect();
    const auto got = peer.call<kafka::FetchResponse>(fetch("t", 0, 0), 12);
    base::View records = got.responses[0].partitions[0].records->bytes();
    const auto batch = kafka::take_batch(records);
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->codec(), kafka::Codec::zstd);
    EXPECT_TRUE(batch->crc_ok());
}

}  // namespace
}  // namespace tests
