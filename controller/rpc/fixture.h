#pragma once
#include <gmock/gmock.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "controller/rpc/client.h"
#include "controller/rpc/endpoint.h"
#include "io/run_on.h"
#include "io/transport/server.h"

namespace controller::rpc {

using namespace std::chrono_literals;

using Answer = base::Function<void(base::Result<CallResult>)>;

/// A node that answers calls on loopback. By itself it echoes; a test may have it keep calls.
class TestEndpoint {
  public:
    struct Kept {
        Call call;
        Answer answer;
    };

    explicit TestEndpoint(EndpointOptions options = {}, uint16_t port = 0)
        : endpoint_(shard(),
                    {[this](Call call, Answer answer) {
                         take({call, std::move(answer)});
                     },
                     [](const JoinRequest& ask, auto answer) {
                         answer(JoinReply{.cluster_id = ask.cluster_id,
                                          .self = {9, {8, 7}},
                                          .refusal = "not " + ask.address + ", which is a " +
                                                     (ask.voter ? "controller" : "broker")});
                     },
                     [this](const TransferRequest& ask, auto answer) {
                         asked_ = ask;
                         if (ask.to.value == 1) return answer(base::ok());
                         answer(base::not_found("no voter " + std::to_string(ask.to.value)));
                     }},
                    options) {
        // A sanitizer does not see that gRPC's threads start after all that.
        io::run_on(shard(), [] {});
        auto server = transport::Server::start(
            {.address = "127.0.0.1:" + std::to_string(port), .most_message_bytes = 1 << 20},
            {&endpoint_.service()});
        CHECK(server.ok()) << server.status();
        server_ = *std::move(server);
    }
    ~TestEndpoint() { stop(); }
    void stop() {
        endpoint_.stop();
        if (std::exchange(stopped_, true)) return;
        server_->stop();
        io::run_on(shard(), [this] { kept_.clear(); });
        shards_->stop();
    }

    io::Shard& shard() { return shards_->at(0); }
    Endpoint& endpoint() { return endpoint_; }
    transport::Server& server() { return *server_; }
    uint16_t port() const { return server_->port(); }
    std::string address() const { return "127.0.0.1:" + std::to_string(port()); }

    /// From now on calls wait to be taken.
    void keep() {
        io::run_on(shard(), [this] { keep_ = true; });
    }
    /// The next so many; they stay the node's, which ends them on its shard.
    std::vector<Kept*> take_kept(size_t count) {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(came_.wait_for(lock, 20s, [&] { return kept_.size() >= taken_ + count; }));
        std::vector<Kept*> out;
        while (out.size() < count) out.push_back(kept_.at(taken_++).get());
        return out;
    }
    void answer(Kept* kept, base::Result<CallResult> with) {
        io::run_on(shard(), [&] { kept->answer(std::move(with)); });
    }
    void let_go(Kept* kept) {
        io::run_on(shard(), [&] { kept->answer = nullptr; });
    }
    void cut(std::set<int32_t> nodes) {
        io::run_on(shard(), [&] { endpoint_.set_cut(std::move(nodes)); });
    }
    /// The last transfer that was asked for; nothing if none was.
    std::optional<TransferRequest> asked() {
        return io::run_on(shard(), [this] { return asked_; });
    }
    /// That wait to be taken.
    size_t kept() {
        std::scoped_lock lock(mutex_);
        return kept_.size() - taken_;
    }

  private:
    void take(Kept kept) {
        if (!keep_) return kept.answer(CallResult{kept.call.api_key, kept.call.body});
        std::scoped_lock lock(mutex_);
        kept_.push_back(std::make_unique<Kept>(std::move(kept)));
        came_.notify_all();
    }

    std::unique_ptr<io::Shards> shards_ = io::Shards::start(1, 1);
    bool stopped_ = false;
    bool keep_ = false;
    std::optional<TransferRequest> asked_;
    std::mutex mutex_;
    std::condition_variable came_;
    std::vector<std::unique_ptr<Kept>> kept_;
    size_t taken_ = 0;
    Endpoint endpoint_;
    std::unique_ptr<transport::Server> server_;
};

/// A node that asks.
class TestClient {
  public:
    explicit TestClient(ClientOptions options = {}) : client_(shard(), options) {}
    ~TestClient() { stop(); }
    void stop() {
        client_.stop();
        shards_->stop();
    }

    io::Shard& shard() { return shards_->at(0); }
    Client& client() { return client_; }

    /// kAborted if its `done` is let go of.
    std::future<base::Result<CallResult>> begin(const std::string& address, const Call& call,
                                                std::chrono::milliseconds timeout = 20s,
                                                int32_t to = 9) {
        auto told = std::make_unique<Told>();
        auto future = told->promise.get_future();
        shard().post([=, this, told = std::move(told)]() mutable {
            client_.call(address, to, call, timeout,
                         [this, told = std::move(told)](auto result) mutable {
                             CHECK(shard().here());
                             told->set(std::move(result));
                         });
        });
        return future;
    }
    base::Result<CallResult> call(const std::string& address, const Call& call,
                                  std::chrono::milliseconds timeout = 20s, int32_t to = 9) {
        return begin(address, call, timeout, to).get();
    }
    base::Result<JoinReply> join(const std::string& address, const JoinRequest& ask,
                                 std::chrono::milliseconds timeout = 20s, int32_t to = 9) {
        return io::wait_for<base::Result<JoinReply>>([&](auto done) {
            io::run_on(shard(), [&] { client_.join(address, to, ask, timeout, std::move(done)); });
        });
    }
    base::Status transfer(const std::string& address, const TransferRequest& ask,
                          std::chrono::milliseconds timeout = 20s) {
        return io::wait_for<base::Status>([&](auto done) {
            io::run_on(shard(), [&] { client_.transfer(address, ask, timeout, std::move(done)); });
        });
    }
    void cut(std::set<int32_t> nodes) {
        io::run_on(shard(), [&] { client_.set_cut(std::move(nodes)); });
    }

  private:
    struct Told {
        ~Told() {
            if (!done) set(absl::AbortedError("let go"));
        }
        void set(base::Result<CallResult> result) {
            done = true;
            promise.set_value(std::move(result));
        }
        std::promise<base::Result<CallResult>> promise;
        bool done = false;
    };

    std::unique_ptr<io::Shards> shards_ = io::Shards::start(1, 1);
    Client client_;
};

/// For a call that is to arrive and then to be late: long enough for that on a busy machine too.
inline constexpr std::chrono::milliseconds kTimeToArrive{2000};

inline Call a_call(int16_t key = 7, std::string body = "body") {
    return {.cluster_id = "abc",
            .from = {3},
            .api_key = key,
            .api_version = 2,
            .body = std::move(body)};
}

}  // namespace controller::rpc
