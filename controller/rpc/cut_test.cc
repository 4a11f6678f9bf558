// What set_cut does is what a cable that is cut does: no answer, and nothing that tells why.
#include "controller/rpc/fixture.h"

namespace controller::rpc {
namespace {

using absl::StatusCode;

constexpr auto kShort = 200ms;

Call from(int32_t id) {
    auto call = a_call();
    call.from = {id};
    return call;
}

template <class F>
void expect_late(F ask) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(ask().status().code(), StatusCode::kDeadlineExceeded);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, kShort - 20ms);
}

TEST(RpcCut, AClientReachesNobody) {
    const auto nobody = TestEndpoint().address();
    TestEndpoint node;
    TestClient client;
    client.cut({9, 5});
    node.keep();
    expect_late([&] { return client.call(node.address(), a_call(), kShort, 9); });
    expect_late([&] { return client.call(nobody, a_call(), kShort, 9); });
    expect_late([&] { return client.join(node.address(), {.self = {3, {1, 1}}}, kShort, 9); });
    EXPECT_EQ(node.kept(), 0u);
    EXPECT_TRUE(client.join(node.address(), {.self = {3, {1, 1}}}, 20s, -1).ok());
    client.cut({5});
    EXPECT_TRUE(client.join(node.address(), {.self = {3, {1, 1}}}, 20s, 9).ok());
}

TEST(RpcCut, AClientHearsNoAnswer) {
    TestEndpoint node;
    TestClient client;
    node.keep();
    expect_late([&] {
        auto answered = client.begin(node.address(), a_call(), kShort);
        auto lost = client.begin(node.address(), a_call(), kShort);
        const auto kept = node.take_kept(2);
        client.cut({9});
        client.cut({9});
        client.cut({});
        node.answer(kept[0], CallResult{});
        node.answer(kept[1], base::precondition("no"));
        EXPECT_EQ(lost.get().status().code(), StatusCode::kDeadlineExceeded);
        return answered.get();
    });
    auto next = client.begin(node.address(), a_call());
    node.answer(node.take_kept(1)[0], CallResult{});
    EXPECT_TRUE(next.get().ok());
}

TEST(RpcCut, AClientDoesNotHearOfACrash) {
    auto node = std::make_unique<TestEndpoint>();
    TestClient client;
    node->keep();
    expect_late([&] {
        auto lost = client.begin(node->address(), a_call(), kShort);
        node->take_kept(1);
        client.cut({9});
        node.reset();
        return lost.get();
    });
}

TEST(RpcCut, ACallDoesNotArrive) {
    TestEndpoint node;
    TestClient client;
    node.cut({3});
    node.keep();
    expect_late([&] { return client.call(node.address(), from(3), kShort); });
    expect_late([&] { return client.join(node.address(), {.self = {3, {1, 1}}}, kShort); });
    EXPECT_EQ(node.kept(), 0u);
    EXPECT_TRUE(client.join(node.address(), {.self = {4, {1, 1}}}).ok());
    auto other = client.begin(node.address(), from(4));
    node.answer(node.take_kept(1)[0], CallResult{});
    EXPECT_TRUE(other.get().ok());
    node.cut({});
    auto healed = client.begin(node.address(), from(3));
    node.answer(node.take_kept(1)[0], CallResult{});
    EXPECT_TRUE(healed.get().ok());
}

TEST(RpcCut, WhoRunsTheClusterIsNotCutOff) {
    TestEndpoint node;
    TestClient client;
    node.cut({0, 1, 2, 3});
    EXPECT_TRUE(client.transfer(node.address(), {"abc", {1}}).ok());
}

TEST(RpcCut, AnAnswerDoesNotLeave) {
    TestEndpoint node;
    TestClient client;
    node.keep();
    expect_late([&] {
        auto lost = client.begin(node.address(), from(3), kShort);
        const auto kept = node.take_kept(1);
        node.cut({3});
        node.cut({});
        node.answer(kept[0], CallResult{});
        return lost.get();
    });
}

TEST(RpcCut, StopsWhileCut) {
    TestEndpoint node;
    TestClient client;
    node.keep();
    auto out = client.begin(node.address(), from(3));
    node.take_kept(1);
    auto other = client.begin(node.address(), from(4), 20s, 8);
    node.take_kept(1);
    client.cut({9});
    node.cut({4});
    auto unsent = client.begin(node.address(), from(3));
    auto too_large = client.begin(node.address(), a_call(1, std::string(30 << 20, 'x')));
    node.stop();
    client.stop();
    for (auto* future : {&out, &other, &unsent, &too_large}) future->wait();
}

}  // namespace
}  // namespace controller::rpc
