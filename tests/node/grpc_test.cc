#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "kafka/messages/fetch.h"
#include "kafka/messages/init_producer_id.h"
#include "kafka/records/batch.h"
#include "kafka/records/builder.h"
#include "proto/broker.grpc.pb.h"
#include "tests/node/node_fixture.h"
#include "tests/node/requests.h"

namespace tests {
namespace {

namespace v1 = moldau::broker::v1;

/// One that nobody listened on a moment ago.
uint16_t free_port() {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    CHECK(::bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) == 0);
    CHECK(::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    ::close(descriptor);
    return ntohs(address.sin_port);
}

class GrpcTest : public NodeTest {
  protected:
    GrpcTest() {
        stop();
        settings_.cluster.listen = "127.0.0.1:" + std::to_string(free_port());
        settings_.cluster.address = settings_.cluster.listen;
        settings_.auto_create_topics = true;
        start();
        broker_ = v1::Broker::NewStub(
            grpc::CreateChannel(settings_.cluster.address, grpc::InsecureChannelCredentials()));
    }

    static v1::ProduceRequest records(const std::string& topic,
                                      const std::vector<std::string>& values) {
        v1::ProduceRequest out;
        out.set_topic(topic);
        for (const auto& value : values) out.add_records()->set_value(value);
        return out;
    }
    static v1::ProduceRequest batch(const std::string& topic, base::View bytes) {
        v1::ProduceRequest out;
        out.set_topic(topic);
        out.set_partition(0);
        out.set_batch(bytes.data(), bytes.size());
        return out;
    }

    static void set_deadline(grpc::ClientContext& context) {
        context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    }
    v1::ProduceReply put(const v1::ProduceRequest& request) {
        grpc::ClientContext context;
        set_deadline(context);
        v1::ProduceReply reply;
        const auto status = broker_->Produce(&context, request, &reply);
        EXPECT_TRUE(status.ok()) << status.error_message();
        return reply;
    }
    grpc::StatusCode refusal(const v1::ProduceRequest& request) {
        grpc::ClientContext context;
        set_deadline(context);
        v1::ProduceReply reply;
        return broker_->Produce(&context, request, &reply).error_code();
    }
    v1::FetchReply get(const v1::FetchRequest& request) {
        grpc::ClientContext context;
        set_deadline(context);
        v1::FetchReply reply;
        const auto status = broker_->Fetch(&context, request, &reply);
        EXPECT_TRUE(status.ok()) << status.error_message();
        return reply;
    }
    static v1::FetchRequest from(const std::string& topic, int64_t offset, int32_t partition = 0) {
        v1::FetchRequest out;
        out.set_topic(topic);
        out.set_partition(partition);
        out.set_offset(offset);
        return out;
    }
    static std::vector<std::string> values(const v1::FetchReply& reply) {
        std::vector<std::string> out;
        for (const auto& record : reply.records()) out.push_back(record.value());
        return out;
    }

    std::unique_ptr<v1::Broker::Stub> broker_;
};

using Values = std::vector<std::string>;

TEST_F(GrpcTest, PlainRecordsAreAppendedAndReadBack) {
    create_topic("t");
    auto request = records("t", {"a", "b"});
    request.mutable_records(0)->set_key("k");
    request.mutable_records(0)->set_timestamp_ms(1'700'000'000'000);
    auto& header = *request.mutable_records(0)->add_headers();
    header.set_key("h");
    header.set_value("v");
    request.set_partition(0);
    const auto put_reply = put(request);
    EXPECT_EQ(put_reply.error_code(), 0) << put_reply.error_message();
    EXPECT_EQ(put_reply.base_offset(), 0);
    EXPECT_EQ(put_reply.log_append_time_ms(), -1);
    EXPECT_EQ(put(records("t", {"c"})).base_offset(), 2);

    const auto got = get(from("t", 0));
    EXPECT_EQ(got.error_code(), 0);
    EXPECT_EQ(values(got), (Values{"a", "b", "c"}));
    EXPECT_EQ(got.high_watermark(), 3);
    EXPECT_EQ(got.next_offset(), 3);
    EXPECT_EQ(got.leader().id(), 0);
    const auto& first = got.records(0);
    EXPECT_EQ(first.key(), "k");
    EXPECT_EQ(first.timestamp_ms(), 1'700'000'000'000);
    EXPECT_EQ(first.headers(0).value(), "v");
    EXPECT_FALSE(got.records(1).has_key());
    EXPECT_EQ(values(get(from("t", 1))), (Values{"b", "c"})) << "not from the batch's begin";
}

TEST_F(GrpcTest, BatchesAreThoseOfTheKafkaPort) {
    create_topic("t");
    EXPECT_EQ(put(batch("t", batch_of({"a", "b"}))).base_offset(), 0);
    auto request = from("t", 0);
    request.set_form(v1::BATCHES);
    const auto got = get(request);
    EXPECT_EQ(values_in(base::as_bytes(got.batches())), (Values{"a", "b"}));
    EXPECT_EQ(got.next_offset(), 2);
    Peer peer = connect();
    const auto kafka = peer.call<kafka::FetchResponse>(fetch("t", 0, 0), 12);
    EXPECT_EQ(values_in(kafka.responses[0].partitions[0].records->bytes()), (Values{"a", "b"}));
}

TEST_F(GrpcTest, ErrorsAreThoseOfTheKafkaPort) {
    create_topic("t");
    const auto code = [&](const v1::ProduceRequest& r) { return put(r).error_code(); };
    const auto good = batch_of({"a"});
    auto damaged = good;
    damaged.back() ^= std::byte{1};
    EXPECT_EQ(code(batch("t", damaged)), 2);
    auto elsewhere = batch("t", good);
    elsewhere.set_partition(7);
    EXPECT_EQ(code(elsewhere), 3);
    elsewhere.set_partition(-7);
    EXPECT_EQ(code(elsewhere), 3);
    EXPECT_EQ(code(batch("__consumer_offsets", good)), 17);
    auto by_id = batch("", good);
    by_id.set_topic_id(std::string(16, 'x'));
    const auto unknown = put(by_id);
    EXPECT_EQ(unknown.error_code(), 100);
    EXPECT_TRUE(unknown.not_appended());
    EXPECT_EQ(get(from("t", 5)).error_code(), 1);
    EXPECT_EQ(get(from("nowhere", 0)).error_code(), 3);
    EXPECT_EQ(get(from("t", 0, 9)).error_code(), 3);
    EXPECT_EQ(put(batch("t", good)).base_offset(), 0) << "nothing of it was appended";
}

TEST_F(GrpcTest, WhatMakesNoSenseIsAnInvalidArgument) {
    create_topic("t", 8);
    EXPECT_EQ(refusal({}), grpc::StatusCode::INVALID_ARGUMENT);
    auto keys = records("t", {"a", "b"});
    keys.mutable_records(0)->set_key("x");
    keys.mutable_records(1)->set_key("yy");
    EXPECT_EQ(refusal(keys), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(GrpcTest, WhatIsTooLargeIsRefused) {
    create_topic("t");
    EXPECT_EQ(put(records("t", {std::string(2 << 20, 'x')})).error_code(), 10);
    EXPECT_EQ(refusal(records("t", {std::string(32 << 20, 'x')})),
              grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(put(records("t", {"a"})).base_offset(), 0);
}

TEST_F(GrpcTest, ATopicIsMadeByItsFirstRecord) {
    EXPECT_EQ(put(records("new", {"a"})).base_offset(), 0);
    EXPECT_EQ(put(records("no name", {"a"})).error_code(), 3);
}

TEST_F(GrpcTest, ARetryOfAnIdempotentProducerIsAppendedOnce) {
    create_topic("t");
    kafka::InitProducerIdRequest init;
    init.transactional_id.reset();
    const auto producer = client().call<kafka::InitProducerIdResponse>(init, 4);
    const auto with = [&](int32_t sequence) {
        kafka::BatchBuilder builder({.producer_id = base::ProducerId{producer.producer_id},
                                     .producer_epoch = producer.producer_epoch,
                                     .base_sequence = sequence});
        builder.add(1'700'000'000'000, "k", "v");
        return std::move(builder).build();
    };
    EXPECT_EQ(put(batch("t", with(0))).base_offset(), 0);
    EXPECT_EQ(put(batch("t", with(0))).base_offset(), 0);
    EXPECT_EQ(put(batch("t", with(1))).base_offset(), 1);
    EXPECT_EQ(put(batch("t", with(3))).error_code(), 45);
}

TEST_F(GrpcTest, RecordsWithoutAKeyGoInTurn) {
    create_topic("t", 3);
    std::set<int32_t> partitions;
    for (int i = 0; i < 12; ++i) partitions.insert(put(records("t", {"a"})).partition());
    EXPECT_EQ(partitions.size(), 3u);
}

TEST_F(GrpcTest, AFetchWaitsForRecords) {
    create_topic("t");
    std::thread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        put(records("t", {"a"}));
    });
    auto request = from("t", 0);
    request.set_max_wait_ms(20'000);
    EXPECT_EQ(values(get(request)), Values{"a"});
    later.join();
    auto brief = from("t", 1);
    brief.set_max_wait_ms(10);
    const auto nothing = get(brief);
    EXPECT_EQ(nothing.error_code(), 0);
    EXPECT_EQ(nothing.records_size(), 0);
    EXPECT_EQ(nothing.next_offset(), 1);
}

TEST_F(GrpcTest, OldestAndNewestAreOffsetsToo) {
    create_topic("t");
    put(records("t", {"a", "b"}));
    EXPECT_EQ(values(get(from("t", -2))), (Values{"a", "b"}));
    const auto end = get(from("t", -1));
    EXPECT_EQ(end.records_size(), 0);
    EXPECT_EQ(end.next_offset(), 2);
}

TEST_F(GrpcTest, DecodedRecordsComeInPiecesOfTheSizeAskedFor) {
    create_topic("t", 1, {{"compression.type", "zstd"}});
    Values all;
    for (int i = 0; i < 50; ++i) all.push_back(std::string(1000, static_cast<char>('a' + i % 26)));
    put(records("t", all));
    Values got;
    int replies = 0;
    for (int64_t next = 0; next < 50; ++replies) {
        auto request = from("t", next);
        request.set_max_bytes(5000);
        const auto reply = get(request);
        ASSERT_GT(reply.next_offset(), next) << reply.error_message();
        next = reply.next_offset();
        for (auto& value : values(reply)) got.push_back(value);
    }
    EXPECT_EQ(got, all);
    EXPECT_GE(replies, 8);
}

TEST_F(GrpcTest, AStreamOfProducesIsAnsweredInOrder) {
    create_topic("t", 2);
    grpc::ClientContext context;
    set_deadline(context);
    const auto stream = broker_->ProduceStream(&context);
    constexpr int count = 500;
    std::thread writer([&] {
        for (int i = 0; i < count; ++i) {
            auto request = records("t", {std::to_string(i)});
            request.set_partition(i % 2);
            EXPECT_TRUE(stream->Write(request));
        }
        stream->WritesDone();
    });
    v1::ProduceReply reply;
    int replies = 0;
    for (; stream->Read(&reply); ++replies) {
        ASSERT_EQ(reply.error_code(), 0) << reply.error_message();
        EXPECT_EQ(reply.partition(), replies % 2);
        EXPECT_EQ(reply.base_offset(), replies / 2) << "in the order of the requests";
    }
    writer.join();
    EXPECT_EQ(replies, count);
    EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(GrpcTest, AStreamEndsAtWhatCantBeReadAndAnswersWhatCameBefore) {
    create_topic("t");
    grpc::ClientContext context;
    set_deadline(context);
    const auto stream = broker_->ProduceStream(&context);
    stream->Write(records("t", {"a"}));
    stream->Write({});
    stream->Write(records("t", {"b"}));
    stream->WritesDone();
    v1::ProduceReply reply;
    int replies = 0;
    while (stream->Read(&reply)) ++replies;
    EXPECT_EQ(replies, 1);
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(values(get(from("t", 0))), Values{"a"});
}

TEST_F(GrpcTest, AStreamOfRecordsGoesOnUntilItIsCancelled) {
    create_topic("t");
    put(records("t", {"0"}));
    grpc::ClientContext context;
    set_deadline(context);
    v1::FetchStreamRequest request;
    request.set_topic("t");
    const auto stream = broker_->FetchStream(&context, request);
    v1::FetchReply reply;
    Values got;
    for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(stream->Read(&reply));
        for (auto& value : values(reply)) got.push_back(value);
        put(records("t", {std::to_string(i + 1)}));
    }
    EXPECT_EQ(got.front(), "0");
    EXPECT_EQ(got.back(), "19");
    context.TryCancel();
    while (stream->Read(&reply)) {
    }
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(GrpcTest, AStreamEndsWithTheErrorThatNobodyMends) {
    create_topic("t");
    grpc::ClientContext context;
    set_deadline(context);
    v1::FetchStreamRequest request;
    request.set_topic("t");
    request.set_offset(100);
    const auto stream = broker_->FetchStream(&context, request);
    v1::FetchReply reply;
    ASSERT_TRUE(stream->Read(&reply));
    EXPECT_EQ(reply.error_code(), 1);
    EXPECT_FALSE(stream->Read(&reply));
    EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(GrpcTest, AStopEndsWhatWaits) {
    create_topic("t");
    grpc::ClientContext context;
    set_deadline(context);
    v1::FetchStreamRequest request;
    request.set_topic("t");
    const auto fetches = broker_->FetchStream(&context, request);
    grpc::ClientContext other;
    set_deadline(other);
    const auto produces = broker_->ProduceStream(&other);
    produces->Write(records("t", {"a"}));
    v1::ProduceReply stored;
    ASSERT_TRUE(produces->Read(&stored));
    v1::FetchReply reply;
    ASSERT_TRUE(fetches->Read(&reply));
    stop();
    EXPECT_FALSE(fetches->Read(&reply));
    EXPECT_EQ(fetches->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_FALSE(produces->Read(&stored));
    EXPECT_EQ(produces->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcTest, ClientsThatVanishLeaveNothingBehind) {
    create_topic("t");
    for (int i = 0; i < 20; ++i) {
        grpc::ClientContext context;
        v1::FetchStreamRequest request;
        request.set_topic("t");
        const auto stream = broker_->FetchStream(&context, request);
        grpc::ClientContext other;
        const auto produces = broker_->ProduceStream(&other);
        produces->Write(records("t", {"a"}));
        context.TryCancel();
        other.TryCancel();
        (void)stream->Finish();
        (void)produces->Finish();
    }
    EXPECT_GE(put(records("t", {"b"})).base_offset(), 0);
}

}  // namespace
}  // namespace tests
