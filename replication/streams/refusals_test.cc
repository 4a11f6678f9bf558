#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/client_callback.h>
#include <gtest/gtest.h>

#include <future>

#include "io/transport/convert.h"
#include "proto/replication.grpc.pb.h"
#include "replication/streams/test_broker.h"

// Streams that are not as they should be.
namespace replication::streams {
namespace {

/// A stranger's stream: says what it is told to, and hears how it ends.
class Stranger final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
  public:
    Stranger(const std::string& address, std::vector<std::string> hellos,
             std::vector<std::string> messages = {})
        : messages_(std::move(messages)),
          stub_(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())) {
        for (const auto& hello : hellos) context_.AddMetadata(kHelloKey, hello);
        stub_.PrepareBidiStreamingCall(&context_, kMethod, {}, this);
        StartRead(&in_);
        StartCall();
        if (!messages_.empty()) write();
    }
    void OnReadDone(bool ok) override {
        if (!ok) return;
        ++read_;
        StartRead(&in_);
    }
    void OnWriteDone(bool ok) override {
        messages_.erase(messages_.begin());
        if (ok && !messages_.empty()) write();
    }
    void OnDone(const grpc::Status& status) override { ended_.set_value(status); }

    base::Status end() { return transport::from_grpc(end_.get()); }
    void cancel() { context_.TryCancel(); }
    int read() const { return read_; }

  private:
    void write() {
        out_ = transport::to_grpc(messages_.front());
        StartWrite(&out_);
    }

    std::vector<std::string> messages_;
    grpc::GenericStub stub_;
    grpc::ClientContext context_;
    grpc::ByteBuffer in_;
    grpc::ByteBuffer out_;
    std::promise<grpc::Status> ended_;
    std::future<grpc::Status> end_ = ended_.get_future();
    std::atomic<int> read_ = 0;
};

Hello hello_of(int32_t from) { return {.cluster_id = "test", .from = {from}}; }

class RefusalsTest : public testing::Test {
  protected:
    RefusalsTest() {
        broker.streams().set_addresses({{{1}, broker.address()}, {{2}, "nowhere:1"}});
    }

    absl::StatusCode end_of(std::vector<std::string> hellos,
                            std::vector<std::string> messages = {}) {
        return Stranger(broker.address(), std::move(hellos), std::move(messages)).end().code();
    }

    TestBroker broker{1, 2};
};

TEST_F(RefusalsTest, WithoutAProperHelloNobodyIsLetIn) {
    using enum absl::StatusCode;
    EXPECT_EQ(end_of({}), kInvalidArgument);
    EXPECT_EQ(end_of({"\xff"}), kInvalidArgument);
    EXPECT_EQ(end_of({encode(hello_of(2)), encode(hello_of(2))}), kInvalidArgument);
    EXPECT_EQ(end_of({encode(hello_of(-1))}), kInvalidArgument);
    EXPECT_EQ(end_of({encode(hello_of(3))}), kPermissionDenied);
    auto hello = hello_of(2);
    hello.cluster_id = "other";
    EXPECT_EQ(end_of({encode(hello)}), kFailedPrecondition);
    hello = hello_of(2);
    hello.version = 2;
    EXPECT_EQ(end_of({encode(hello)}), kFailedPrecondition);
}

TEST_F(RefusalsTest, NonsenseEndsTheStream) {
    using enum absl::StatusCode;
    EXPECT_EQ(end_of({encode(hello_of(2))}, {"\xff\xff\xff"}), kInvalidArgument);
    FollowerMessage message;
    message.attaches.push_back({{{0, 1}, 0}, {{2}, 7, 1, 1, 0, 0, -1}});
    EXPECT_EQ(end_of({encode(hello_of(2))}, {encode(message)}), kInvalidArgument)
        << "a partition of another shard";
    EXPECT_EQ(end_of({encode(hello_of(2))}, {std::string(kMostFollowerBytes + 1, 'x')}),
              kResourceExhausted);
}

TEST_F(RefusalsTest, WhoWantsAShardThatIsNotThereLearnsHowManyThereAre) {
    auto hello = hello_of(2);
    hello.wanted = 7;
    Stranger stranger(broker.address(), {encode(hello)});
    EXPECT_TRUE(stranger.end().ok());
    EXPECT_EQ(stranger.read(), 1);
}

TEST_F(RefusalsTest, ANewerStreamTakesTheOldersPlace) {
    Stranger older(broker.address(), {encode(hello_of(2))});
    ASSERT_TRUE(soon([&] { return older.read() == 1; }));
    Stranger newer(broker.address(), {encode(hello_of(2))});
    EXPECT_EQ(older.end().code(), absl::StatusCode::kAborted);
    EXPECT_TRUE(soon([&] { return newer.read() == 1; }));
    newer.cancel();
    (void)newer.end();
}

TEST_F(RefusalsTest, EarlyAttachesHaveABound) {
    std::vector<std::string> messages;
    for (int i = 0; i < 70'000; i += 1'000) {
        FollowerMessage message;
        for (int k = i; k < i + 1'000; ++k)
            message.attaches.push_back({{{0, 0x100}, 2 * k}, {{2}, 7, 1, 1, 0, 0, -1}});
        messages.push_back(encode(message));
    }
    messages.push_back("\xff");
    EXPECT_EQ(end_of({encode(hello_of(2))}, std::move(messages)),
              absl::StatusCode::kInvalidArgument);
}

TEST(StreamsStartTest, BeforeItStartsAndAfterItStopsAStreamIsUnavailable) {
    Streams streams;
    auto server = transport::Server::start({.address = "127.0.0.1:0"}, {&streams.service()});
    ASSERT_TRUE(server.ok());
    const auto address = "127.0.0.1:" + std::to_string((*server)->port());
    Stranger early(address, {encode(hello_of(2))});
    EXPECT_EQ(early.end().code(), absl::StatusCode::kUnavailable);
    (*server)->stop();
}

namespace v1 = moldau::replication::v1;

/// A leader that answers with nonsense.
class BadLeader final
    : public v1::Replication::WithRawCallbackMethod_Follow<v1::Replication::Service> {
  public:
    grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Follow(
        grpc::CallbackServerContext*) override {
        ++calls;
        class Call final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
          public:
            Call() { StartWrite(&welcome_); }
            void OnWriteDone(bool ok) override {
                if (ok && count_++ == 0) StartWrite(&nonsense_);
                else Finish(grpc::Status::OK);
            }
            void OnDone() override { delete this; }

          private:
            grpc::ByteBuffer welcome_ = transport::to_grpc(encode(Welcome{.shards = 1}));
            grpc::ByteBuffer nonsense_ = transport::to_grpc(std::string("\xff\xff\xff\xff"));
            int count_ = 0;
        };
        return new Call();
    }
    std::atomic<int> calls = 0;
};

TEST(StreamsStartTest, ALeaderThatTalksNonsenseIsLeftAndTriedAgain) {
    BadLeader leader;
    auto server = transport::Server::start({.address = "127.0.0.1:0"}, {&leader});
    ASSERT_TRUE(server.ok());
    {
        auto options = TestBroker::quick();
        options.backoff_most = 50ms;
        TestBroker b(2, 1, options);
        b.streams().set_addresses(
            {{{1}, "127.0.0.1:" + std::to_string((*server)->port())}, {{2}, b.address()}});
        b.assign(0, {1}, 1, {{1}, {2}});
        EXPECT_TRUE(soon([&] { return leader.calls >= 3; }));
        EXPECT_FALSE(b.following(0));
    }
    (*server)->stop();
}

}  // namespace
}  // namespace replication::streams
