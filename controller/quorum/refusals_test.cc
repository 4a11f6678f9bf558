// What a node answers to streams and messages that no correct member sends. A plain client speaks.
#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>

#include <optional>

#include "controller/quorum/peers_fixture.h"
#include "controller/quorum/wire.h"
#include "proto/raft.grpc.pb.h"

namespace quorum {
namespace {

namespace v1 = moldau::raft::v1;
using grpc::StatusCode;
using testing::HasSubstr;

class Refusals : public testing::Test {
  protected:
    Refusals() {
        stub_ = v1::Raft::NewStub(channel_);
        node_.set_roster({.members = {{member(1), "127.0.0.1:1"}}});
    }

    /// With a connection of its own.
    std::shared_ptr<grpc::Channel> connect() {
        grpc::ChannelArguments arguments;
        arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
        arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
        return grpc::CreateCustomChannel(node_.address(), grpc::InsecureChannelCredentials(),
                                         arguments);
    }

    static Hello hello() {
        return {.link = {kTestCluster, member(1), member(0)}, .address = "127.0.0.1:1"};
    }

    /// A stream as the node sees it, and how it ended.
    struct Stream {
        explicit Stream(v1::Raft::Stub& stub, const std::optional<std::string>& hello_bytes) {
            if (hello_bytes) context.AddMetadata(kHelloKey, *hello_bytes);
            context.set_deadline(std::chrono::system_clock::now() + 20s);
            call = stub.Exchange(&context);
        }
        bool welcomed() {
            v1::Welcome welcome;
            return call->Read(&welcome) && welcome.version() == kProtocolVersion;
        }
        grpc::Status end() {
            v1::Welcome none;
            while (call->Read(&none)) {
            }
            return call->Finish();
        }

        grpc::ClientContext context;
        std::unique_ptr<grpc::ClientReaderWriter<v1::Batch, v1::Welcome>> call;
    };
    Stream open(const std::optional<std::string>& hello_bytes) {
        return Stream(*stub_, hello_bytes);
    }

    void expect_refused(const std::optional<std::string>& hello_bytes, StatusCode code,
                        const std::string& why) {
        auto stream = open(hello_bytes);
        EXPECT_FALSE(stream.welcomed());
        const auto status = stream.end();
        EXPECT_EQ(status.error_code(), code) << status.error_message();
        EXPECT_THAT(status.error_message(), HasSubstr(why));
        EXPECT_EQ(node_.message_count(), 0u);
    }

    /// After a good message, this one; the stream ends, and only the good one has come.
    void expect_bad(const v1::Batch& bad, StatusCode code, const std::string& why) {
        auto stream = open(encode(hello()));
        ASSERT_TRUE(stream.welcomed());
        v1::Batch good;
        good.add_messages()->mutable_timeout_now();
        ASSERT_TRUE(stream.call->Write(good));
        EXPECT_EQ(node_.wait_messages(1).size(), 1u);
        stream.call->Write(bad);
        const auto status = stream.end();
        EXPECT_EQ(status.error_code(), code) << status.error_message();
        EXPECT_THAT(status.error_message(), HasSubstr(why));
        EXPECT_EQ(node_.message_count(), 0u);
    }

    // Nobody listens where the streams say they do, and to find that out often is not the subject.
    TestNode node_{
        member(0), 0, {.most_message_bytes = 1 << 20, .backoff_least = 60s, .backoff_most = 60s}};
    std::shared_ptr<grpc::Channel> channel_ = connect();
    std::unique_ptr<v1::Raft::Stub> stub_;
};

TEST_F(Refusals, LetsAMemberIn) {
    auto stream = open(encode(hello()));
    EXPECT_TRUE(stream.welcomed());
    stream.call->WritesDone();
    EXPECT_TRUE(stream.end().ok());
}

TEST_F(Refusals, AHelloThatIsMissingOrDamaged) {
    expect_refused(std::nullopt, StatusCode::INVALID_ARGUMENT, "needs one hello");
    expect_refused("\xff\xff", StatusCode::INVALID_ARGUMENT, "a hello that can't be read");
    expect_refused("", StatusCode::INVALID_ARGUMENT, "a hello without");
}

TEST_F(Refusals, AnotherCluster) {
    auto other = hello();
    other.link.cluster = {9, 9};
    expect_refused(encode(other), StatusCode::FAILED_PRECONDITION, "this node is of cluster");
}

TEST_F(Refusals, AnotherVersion) {
    auto other = hello();
    other.version = 99;
    expect_refused(encode(other), StatusCode::FAILED_PRECONDITION, "protocol version 99");
}

TEST_F(Refusals, MeantForAnotherNode) {
    auto other = hello();
    other.link.to = member(7);
    expect_refused(encode(other), StatusCode::FAILED_PRECONDITION, "this is controller 0, not 7");
}

TEST_F(Refusals, AStranger) {
    auto other = hello();
    other.link.from = member(7);
    expect_refused(encode(other), StatusCode::PERMISSION_DENIED, "controller 7 is not a member");
    other.link.from = member(0, 5);
    expect_refused(encode(other), StatusCode::PERMISSION_DENIED, "itself");
}

TEST_F(Refusals, AnotherIncarnation) {
    auto other = hello();
    other.link.from = member(1, 2);
    expect_refused(encode(other), StatusCode::ABORTED, member(1).incarnation.to_string());
    other = hello();
    other.link.to = member(0, 2);
    expect_refused(encode(other), StatusCode::ABORTED, member(0).incarnation.to_string());
}

TEST_F(Refusals, HeadersThatAreTooLarge) {
    auto other = hello();
    other.address = std::string(100'000, 'a');
    auto stream = open(encode(other));
    EXPECT_FALSE(stream.welcomed());
    EXPECT_EQ(stream.end().error_code(), StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(Refusals, ANewerStreamTakesThePlace) {
    auto older = open(encode(hello()));
    ASSERT_TRUE(older.welcomed());
    auto newer = open(encode(hello()));
    ASSERT_TRUE(newer.welcomed());
    EXPECT_EQ(older.end().error_code(), StatusCode::ABORTED);
    v1::Batch good;
    good.add_messages()->mutable_timeout_now();
    EXPECT_TRUE(newer.call->Write(good));
    EXPECT_EQ(node_.wait_messages(1).size(), 1u);
}

TEST_F(Refusals, WhoIsNoLongerAMember) {
    auto stream = open(encode(hello()));
    ASSERT_TRUE(stream.welcomed());
    node_.set_roster({.members = {{member(1, 2), "127.0.0.1:1"}}});
    EXPECT_EQ(stream.end().error_code(), StatusCode::ABORTED);
    node_.set_roster({});
    expect_refused(encode(hello()), StatusCode::PERMISSION_DENIED, "not a member");
}

TEST_F(Refusals, AMessageThatNoMemberSends) {
    v1::Batch batch;
    auto& m = *batch.add_messages();
    expect_bad(batch, StatusCode::INVALID_ARGUMENT, "an unknown kind");
    m.set_term(-1);
    m.mutable_vote_reply();
    expect_bad(batch, StatusCode::INVALID_ARGUMENT, "negative");
    m.set_term(1);
    m.mutable_append()->mutable_prev()->set_index(-1);
    expect_bad(batch, StatusCode::INVALID_ARGUMENT, "negative");
    m.mutable_append()->mutable_prev()->set_index(1);
    m.mutable_append()->mutable_prev()->set_term(1);
    auto& entry = *m.mutable_append()->add_entries();
    entry.set_kind(v1::ENTRY_KIND_DATA);
    entry.set_term(2);
    expect_bad(batch, StatusCode::INVALID_ARGUMENT, "above the message's");
}

TEST_F(Refusals, AMessageThatIsTooLarge) {
    v1::Batch batch;
    auto& append = *batch.add_messages()->mutable_append();
    append.mutable_prev();
    append.add_entries()->set_data(std::string(2 << 20, 'x'));
    expect_bad(batch, StatusCode::RESOURCE_EXHAUSTED, "");
}

TEST_F(Refusals, TooManyInOneBatch) {
    v1::Batch batch;
    for (size_t i = 0; i <= kMostMessages; ++i) batch.add_messages()->mutable_timeout_now();
    expect_bad(batch, StatusCode::RESOURCE_EXHAUSTED, "messages in a batch");
}

TEST_F(Refusals, BytesThatAreNoBatch) {
    grpc::ClientContext context;
    context.AddMetadata(kHelloKey, encode(hello()));
    grpc::GenericStub generic(channel_);
    grpc::CompletionQueue queue;
    auto call = generic.PrepareCall(&context, "/moldau.raft.v1.Raft/Exchange", &queue);
    const auto step = [&queue] {
        void* tag = nullptr;
        bool ok = false;
        return queue.Next(&tag, &ok) && ok;
    };
    call->StartCall(nullptr);
    ASSERT_TRUE(step());
    const grpc::Slice bytes("\xff\xff\xff");
    call->Write(grpc::ByteBuffer(&bytes, 1), nullptr);
    ASSERT_TRUE(step());
    grpc::ByteBuffer got;
    do {
        call->Read(&got, nullptr);
    } while (step());
    grpc::Status status;
    call->Finish(&status, nullptr);
    ASSERT_TRUE(step());
    queue.Shutdown();
    EXPECT_FALSE(step());
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT) << status.error_message();
    EXPECT_EQ(status.error_message(), "a batch that can't be read");
}

TEST_F(Refusals, AnOpenRosterHasABoundToo) {
    node_.set_roster({.open = true});
    std::vector<std::unique_ptr<Stream>> streams;
    const auto join = [&](int32_t id) {
        auto h = hello();
        h.link.from = member(id);
        streams.push_back(std::make_unique<Stream>(*stub_, encode(h)));
        return streams.back()->welcomed();
    };
    constexpr int32_t kMost = 2 * static_cast<int32_t>(raft::Configuration::kMostMembers);
    for (int32_t id = 1; id <= kMost; ++id) {
        ASSERT_TRUE(join(id)) << id;
    }
    EXPECT_FALSE(join(kMost + 1));
    EXPECT_EQ(streams.back()->end().error_code(), StatusCode::RESOURCE_EXHAUSTED);
    streams.clear();
}

TEST(ServerStart, TellsThatAPortIsTaken) {
    TestNode node(member(0));
    const auto again = transport::Server::start({.address = node.address()}, {});
    EXPECT_EQ(again.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(base::message(again.status()), HasSubstr(node.address()));
}

}  // namespace
}  // namespace quorum
