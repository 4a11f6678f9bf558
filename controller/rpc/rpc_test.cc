// Client and Endpoint, over loopback.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "controller/rpc/fixture.h"

namespace controller::rpc {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

template <class T>
StatusCode code(const base::Result<T>& result) {
    return result.status().code();
}

class Stopwatch {
  public:
    std::chrono::milliseconds passed() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - begin_);
    }

  private:
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

TEST(Rpc, ACallIsAnswered) {
    TestEndpoint node;
    TestClient client;
    node.keep();
    auto future = client.begin(node.address(), a_call());
    auto kept = node.take_kept(1);
    EXPECT_EQ(kept[0]->call, a_call());
    node.answer(kept[0], CallResult{99, std::string("\0\x01", 2)});
    EXPECT_EQ(future.get().value(), (CallResult{99, std::string("\0\x01", 2)}));
}

TEST(Rpc, AJoinIsAnswered) {
    TestEndpoint node;
    TestClient client;
    const JoinRequest ask{
        .self = {3, {4, 5}}, .address = "host:1", .cluster_id = "abc", .voter = true};
    const auto reply = client.join(node.address(), ask).value();
    EXPECT_EQ(reply, (JoinReply{.cluster_id = "abc",
                                .self = {9, {8, 7}},
                                .refusal = "not host:1, which is a controller"}));
}

TEST(Rpc, ATransferIsAnswered) {
    TestEndpoint node;
    TestClient client;
    EXPECT_TRUE(client.transfer(node.address(), {"abc", {1}}).ok());
    EXPECT_EQ(node.asked(), (TransferRequest{"abc", {1}}));
    EXPECT_EQ(client.transfer(node.address(), {"abc", {2}}), base::not_found("no voter 2"));
    const auto nobody = TestEndpoint().address();
    EXPECT_EQ(client.transfer(nobody, {"abc", {1}}).code(), StatusCode::kUnavailable);
}

TEST(Rpc, ManyCallsShareAConnection) {
    constexpr int16_t kCalls = 500;
    TestEndpoint node;
    TestClient client;
    std::vector<std::future<base::Result<CallResult>>> futures;
    for (int16_t i = 0; i < kCalls; ++i)
        futures.push_back(client.begin(node.address(), a_call(i, std::to_string(i))));
    for (int16_t i = 0; i < kCalls; ++i)
        EXPECT_EQ(futures[static_cast<size_t>(i)].get().value(),
                  (CallResult{i, std::to_string(i)}));
}

TEST(Rpc, AStatusComesThrough) {
    TestEndpoint node;
    TestClient client;
    node.keep();
    for (int raw = 1; raw <= 16; ++raw) {
        auto future = client.begin(node.address(), a_call());
        auto kept = node.take_kept(1);
        node.answer(kept[0], base::Status(static_cast<StatusCode>(raw), "\"why\" \xc3\xa9"));
        const auto status = future.get().status();
        EXPECT_EQ(status.raw_code(), raw);
        EXPECT_EQ(status.message(), "\"why\" \xc3\xa9");
    }
}

TEST(Rpc, ALongMessageIsCut) {
    TestEndpoint node;
    TestClient client;
    node.keep();
    auto future = client.begin(node.address(), a_call());
    auto kept = node.take_kept(1);
    node.answer(kept[0], base::precondition(std::string(100'000, '\n')));
    EXPECT_EQ(future.get().status(), base::precondition(std::string(1024, '\n')));
}

TEST(Rpc, TellsAtOnceThatNobodyListens) {
    const auto address = TestEndpoint().address();
    TestClient client;
    const Stopwatch watch;
    const auto status = client.call(address, a_call()).status();
    EXPECT_EQ(status.code(), StatusCode::kUnavailable);
    EXPECT_THAT(base::message(status), HasSubstr("Connection refused"));
    for (int i = 0; i < 50; ++i)
        EXPECT_EQ(client.call(address, a_call()).status().message(), status.message());
    EXPECT_LT(watch.passed(), 20s) << "what one call may take";
}

TEST(Rpc, FindsANodeThatComesLaterOrComesBack) {
    const auto port = TestEndpoint().port();
    const auto address = "127.0.0.1:" + std::to_string(port);
    TestClient client;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 20; ++i)
            EXPECT_EQ(code(client.call(address, a_call())), StatusCode::kUnavailable);
        TestEndpoint node({}, port);
        const Stopwatch watch;
        while (!client.call(address, a_call()).ok())
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        EXPECT_LT(watch.passed(), 20s) << "the longest pause is much less";
    }
}

TEST(Rpc, ACallThatTakesTooLong) {
    TestEndpoint node;
    TestClient client;
    node.keep();
    auto late = client.begin(node.address(), a_call(), kTimeToArrive);
    auto kept = node.take_kept(1);
    EXPECT_EQ(code(late.get()), StatusCode::kDeadlineExceeded);
    node.answer(kept[0], CallResult{});  // too late, and no harm
    auto future = client.begin(node.address(), a_call(8));
    kept = node.take_kept(1);
    node.answer(kept[0], CallResult{1, "next"});
    EXPECT_EQ(future.get().value().body, "next");
}

TEST(Rpc, ANodeHasATimeOfItsOwn) {
    TestEndpoint node({.most_duration = 100ms});
    TestClient client;
    node.keep();
    const auto status = client.call(node.address(), a_call()).status();
    EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
    EXPECT_THAT(base::message(status), HasSubstr("the node had no answer"));
    EXPECT_EQ(node.take_kept(1).size(), 1u);
}

TEST(Rpc, NobodyAnswersOnAPortThatListens) {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in bound{};
    bound.sin_family = AF_INET;
    bound.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(bound);
    auto* address = reinterpret_cast<sockaddr*>(&bound);
    ASSERT_EQ(::bind(listener, address, size), 0);
    ASSERT_EQ(::listen(listener, 4), 0);
    ASSERT_EQ(::getsockname(listener, address, &size), 0);
    TestClient client;
    const auto text = "127.0.0.1:" + std::to_string(ntohs(bound.sin_port));
    EXPECT_EQ(code(client.call(text, a_call(), 200ms)), StatusCode::kDeadlineExceeded);
    ::close(listener);
}

TEST(Rpc, AnUnknownName) {
    TestClient client;
    const auto got = client.call("no-such-host.invalid:1", a_call(), 2s);
    EXPECT_TRUE(code(got) == StatusCode::kUnavailable || code(got) == StatusCode::kDeadlineExceeded)
        << got.status();
}

TEST(Rpc, MessagesThatAreTooLarge) {
    TestEndpoint node;
    TestClient client({.most_message_bytes = 2 << 20});
    const auto sized = [](size_t bytes) { return a_call(7, std::string(bytes, 'x')); };
    EXPECT_TRUE(client.call(node.address(), sized(1'000'000)).ok());
    EXPECT_EQ(code(client.call(node.address(), sized(3 << 20))), StatusCode::kResourceExhausted);
    EXPECT_EQ(code(client.call(node.address(), sized((1 << 20) + 1))),
              StatusCode::kResourceExhausted);
    node.keep();
    auto future = client.begin(node.address(), a_call());
    auto kept = node.take_kept(1);
    node.answer(kept[0], CallResult{1, std::string(3 << 20, 'x')});
    EXPECT_EQ(code(future.get()), StatusCode::kResourceExhausted);
}

TEST(Rpc, WhatNoNodeSends) {
    TestEndpoint node;
    TestClient client;
    auto call = a_call();
    call.from = {-1};
    EXPECT_EQ(code(client.call(node.address(), call)), StatusCode::kInvalidArgument);
    EXPECT_EQ(code(client.join(node.address(), {.self = {-1, {1, 1}}})),
              StatusCode::kInvalidArgument);
    EXPECT_EQ(client.transfer(node.address(), {"abc", {-1}}).code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(client.transfer(node.address(), {std::string(2000, 'x'), {1}}).code(),
              StatusCode::kInvalidArgument);
    EXPECT_EQ(node.asked(), std::nullopt);
    node.keep();
    auto future = client.begin(node.address(), a_call());
    auto kept = node.take_kept(1);
    node.answer(kept[0], CallResult{-1, ""});
    EXPECT_EQ(code(future.get()), StatusCode::kInternal);
}

TEST(Rpc, TooManyCalls) {
    TestEndpoint node({.most_calls = 3});
    TestClient client;
    node.keep();
    std::vector<std::future<base::Result<CallResult>>> futures;
    for (int i = 0; i < 3; ++i) futures.push_back(client.begin(node.address(), a_call()));
    auto kept = node.take_kept(3);
    EXPECT_EQ(code(client.call(node.address(), a_call())), StatusCode::kResourceExhausted);
    for (auto& one : kept) node.answer(one, CallResult{});
    for (auto& future : futures) EXPECT_TRUE(future.get().ok());
    futures.clear();
    auto again = client.begin(node.address(), a_call());
    kept = node.take_kept(1);
    node.answer(kept[0], CallResult{});
    EXPECT_TRUE(again.get().ok());
}

TEST(Rpc, TooManyBytes) {
    TestEndpoint node({.most_bytes = 100'000});
    TestClient client;
    node.keep();
    const auto large = a_call(7, std::string(60'000, 'x'));
    auto first = client.begin(node.address(), large);
    auto kept = node.take_kept(1);
    EXPECT_EQ(code(client.call(node.address(), large)), StatusCode::kResourceExhausted);
    node.answer(kept[0], CallResult{});
    EXPECT_TRUE(first.get().ok());
    auto again = client.begin(node.address(), large);
    kept = node.take_kept(1);
    node.answer(kept[0], CallResult{});
    EXPECT_TRUE(again.get().ok());
}

TEST(Rpc, WhoGivesUpMakesRoom) {
    TestEndpoint node({.most_calls = 1});
    TestClient client;
    node.keep();
    auto late = client.begin(node.address(), a_call(), kTimeToArrive);
    node.take_kept(1);
    EXPECT_EQ(code(late.get()), StatusCode::kDeadlineExceeded);
    const Stopwatch watch;
    auto next = client.begin(node.address(), a_call(), 20s);
    while (node.kept() == 0 && watch.passed() < 20s) {
        if (next.wait_for(5ms) == std::future_status::ready)
            next = client.begin(node.address(), a_call(), 20s);
    }
    // By now the node knows that the first is over.
    auto kept = node.take_kept(1);
    node.answer(kept[0], CallResult{});
    EXPECT_TRUE(next.get().ok());
}

TEST(Rpc, AHandlerThatLetsGo) {
    TestEndpoint node;
    TestClient client;
    node.keep();
    auto future = client.begin(node.address(), a_call());
    node.let_go(node.take_kept(1)[0]);
    const auto status = future.get().status();
    EXPECT_EQ(status.code(), StatusCode::kUnavailable);
    EXPECT_EQ(status.message(), "the node does not answer");
    auto next = client.begin(node.address(), a_call());
    auto kept = node.take_kept(1);
    node.answer(kept[0], CallResult{});
    EXPECT_TRUE(next.get().ok()) << "the connection holds, and there is no pause";
}

TEST(RpcDeathTest, ASecondAnswer) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    TestEndpoint node;
    TestClient client;
    node.keep();
    auto future = client.begin(node.address(), a_call());
    auto kept = node.take_kept(1);
    node.answer(kept[0], CallResult{});
    EXPECT_DEATH(node.answer(kept[0], CallResult{}), "answered twice");
    EXPECT_TRUE(future.get().ok());
}

}  // namespace
}  // namespace controller::rpc
