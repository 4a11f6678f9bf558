// What set_cut does is what a cable that is cut does: no answer, and nothing that tells why.
#include "controller/rpc/fixture.h"

namespace controller::rpc {
namespace {

using absl::StatusCode;

/// For what arrives nowhere.
constexpr auto kShort = 200ms;

Call from(int32_t id) {
    auto call = a_call();
    call.from = {id};
    return call;
}

/// That nothing tells earlier; a half leaves room for two clocks that differ a little.
template <class F>
void expect_late(F ask, std::chrono::milliseconds timeout = kShort) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(ask().status().code(), StatusCode::kDeadlineExceeded);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, timeout / 2);
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
    const auto hear = [&] {
        auto answered = client.begin(node.address(), a_call(), kTimeToArrive);
        auto lost = client.begin(node.address(), a_call(), kTimeToArrive);
        const auto kept = node.take_kept(2);
        client.cut({9});
        client.cut({9});
        client.cut({});
        node.answer(kept[0], CallResult{});
        node.answer(kept[1], base::precondition("no"));
        EXPECT_EQ(lost.get().status().code(), StatusCode::kDeadlineExceeded);
        return answered.get();
    };
    expect_late(hear, kTimeToArrive);
    auto next = client.begin(node.address(), a_call());
    node.answer(node.take_kept(1)[0], CallResult{});
    EXPECT_TRUE(next.get().ok());
}

TEST(RpcCut, AClientDoesNotHearOfACrash) {
    auto node = std::make_unique<TestEndpoint>();
    TestClient client;
    node->keep();
    const auto hear = [&] {
        auto lost = client.begin(node->address(), a_call(), kTimeToArrive);
        node->take_kept(1);
        client.cut({9});
        node.reset();
        return lost.get();
    };
    expect_late(hear, kTimeToArrive);
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
    const auto hear = [&] {
        auto lost = client.begin(node.address(), from(3), kTimeToArrive);
        const auto kept = node.take_kept(1);
        node.cut({3});
        node.cut({});
        node.answer(kept[0], CallResult{});
        return lost.get();
    };
    expect_late(hear, kTimeToArrive);
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
