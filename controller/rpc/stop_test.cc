// Ends of all kinds: whatever is under way, no thread, call or answer is left behind.
#include "controller/rpc/fixture.h"

namespace controller::rpc {
namespace {

using absl::StatusCode;
using Future = std::future<base::Result<CallResult>>;

bool let_go(Future& future) { return future.get().status() == absl::AbortedError("let go"); }

TEST(RpcStop, BeforeAnythingHasBegun) {
    TestEndpoint node;
    TestClient client;
    client.stop();
    client.stop();
    node.stop();
    node.stop();
}

TEST(RpcStop, AClientWithCallsOut) {
    TestEndpoint node;
    TestClient client;
    node.keep();
    std::vector<Future> futures;
    for (int i = 0; i < 20; ++i) futures.push_back(client.begin(node.address(), a_call()));
    futures.push_back(client.begin("127.0.0.1:1", a_call()));
    futures.push_back(client.begin("no-such-host.invalid:1", a_call()));
    auto kept = node.take_kept(20);
    client.client().stop();
    for (size_t i = 0; i < 20; ++i) EXPECT_TRUE(let_go(futures[i]));
    for (auto& one : kept) node.answer(one, CallResult{});
    auto late = client.begin(node.address(), a_call());
    EXPECT_TRUE(let_go(late));
}

TEST(RpcStop, AnEndpointWithCallsInWork) {
    TestEndpoint node;
    TestClient client;
    node.keep();
    std::vector<Future> futures;
    for (int i = 0; i < 20; ++i) futures.push_back(client.begin(node.address(), a_call()));
    auto kept = node.take_kept(20);
    node.endpoint().stop();
    for (auto& future : futures) {
        const auto status = future.get().status();
        EXPECT_EQ(status.code(), StatusCode::kUnavailable);
        EXPECT_EQ(status.message(), "the node is stopping");
    }
    for (auto& one : kept) node.answer(one, CallResult{});
    const auto late = client.call(node.address(), a_call());
    EXPECT_EQ(late.status().message(), "the node is stopping");
}

TEST(RpcStop, TheServerMayGoFirst) {
    TestEndpoint node;
    TestClient client;
    node.keep();
    auto future = client.begin(node.address(), a_call());
    auto kept = node.take_kept(1);
    node.server().stop();
    EXPECT_FALSE(future.get().ok());
    node.answer(kept[0], CallResult{});
    EXPECT_EQ(client.call(node.address(), a_call()).status().code(), StatusCode::kUnavailable);
}

TEST(RpcStop, UnderLoad) {
    for (int round = 0; round < 6; ++round) {
        TestEndpoint node;
        TestClient client;
        std::vector<Future> futures;
        for (int16_t i = 0; i < 200; ++i)
            futures.push_back(client.begin(node.address(), a_call(i, std::string(10'000, 'x'))));
        futures[static_cast<size_t>(round) * 20].wait();
        if (round % 2 == 0) node.stop();
        client.stop();
        if (round % 3 == 0) node.stop();
        for (auto& future : futures) future.wait();
    }
}

TEST(RpcStop, ADoneMayCallAgain) {
    TestEndpoint node;
    TestClient client;
    std::promise<void> enough;
    int left = 50;
    std::function<void()> again = [&] {
        client.client().call(node.address(), 9, a_call(), 20s, [&](const auto&) {
            if (left > 0 && --left == 0) enough.set_value();
            again();
        });
    };
    client.shard().post([&] { again(); });
    enough.get_future().wait();
    client.stop();
}

}  // namespace
}  // namespace controller::rpc
