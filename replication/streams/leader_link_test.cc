#include "replication/streams/leader_link.h"

#include <grpcpp/support/server_callback.h>
#include <gtest/gtest.h>

#include <future>
#include <mutex>

#include "io/transport/convert.h"
#include "proto/replication.grpc.pb.h"
#include "replication/streams/test_broker.h"

namespace replication::streams {
namespace {

namespace v1 = moldau::replication::v1;

/// A leader that welcomes, listens, and ends its streams when it is told to.
class CurtLeader final
    : public v1::Replication::WithRawCallbackMethod_Follow<v1::Replication::Service> {
  public:
    grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Follow(
        grpc::CallbackServerContext*) override {
        const std::scoped_lock lock(mutex_);
        heard_ = false;
        return call_ = new Call(*this);
    }
    /// Whether the newest stream has brought a message.
    bool heard() {
        const std::scoped_lock lock(mutex_);
        return heard_;
    }
    void end_stream() {
        const std::scoped_lock lock(mutex_);
        if (call_ != nullptr) call_->end();
    }

  private:
    class Call final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
      public:
        explicit Call(CurtLeader& leader) : leader_(leader) {
            StartWrite(&welcome_);
            StartRead(&in_);
        }
        void OnReadDone(bool ok) override {
            const std::scoped_lock lock(leader_.mutex_);
            if (!ok) return end();
            if (ended_) return;
            leader_.heard_ |= leader_.call_ == this;
            StartRead(&in_);
        }
        void OnDone() override { delete this; }

        void end() {
            if (std::exchange(ended_, true)) return;
            if (leader_.call_ == this) {
                leader_.call_ = nullptr;
                leader_.heard_ = false;
            }
            Finish(grpc::Status::OK);
        }

      private:
        CurtLeader& leader_;
        bool ended_ = false;
        grpc::ByteBuffer welcome_ = transport::to_grpc(encode(Welcome{.shards = 1}));
        grpc::ByteBuffer in_;
    };

    std::mutex mutex_;
    Call* call_ = nullptr;  // the newest
    bool heard_ = false;
};

TEST(LeaderLinkTest, WhatIsSaidWhileAStreamEndsIsLostWithIt) {
    CurtLeader leader;
    auto server = transport::Server::start({.address = "127.0.0.1:0"}, {&leader});
    ASSERT_TRUE(server.ok());
    const auto shards = io::Shards::start(1, 1);
    auto& home = shards->at(0);
    const Options options{.cluster_id = "test", .self = {2}, .feed = {}};
    transport::Door door;
    door.open();
    const auto partition = TestBroker::partition(0);
    std::vector<base::TopicPartition> lost;

    auto link = io::run_on(home, [&] {
        auto made = std::make_unique<LeaderLink>(
            home, options, door, LeaderLink::To{{1}, 0},
            LeaderLink::Events{.on_welcome = [](const Welcome&) {},
                               .on_message = [](const LeaderMessage&) {},
                               .on_lost =
                                   [&](const auto& those) {
                                       lost.insert(lost.end(), those.begin(), those.end());
                                   }});
        made->set_address("127.0.0.1:" + std::to_string((*server)->port()));
        made->attach(partition, {.from = {2}, .epoch = 1, .session = 1});
        return made;
    });
    for (int round = 0; round < 5 && !HasFailure(); ++round) {
        EXPECT_TRUE(soon([&] { return leader.heard(); }));
        // While the shard is busy it is told of the end, and next that there is something to say.
        std::promise<void> told;
        home.post([&] { told.get_future().wait(); });
        leader.end_stream();
        std::this_thread::sleep_for(100ms);
        home.post([&] {
            link->acknowledge(partition, {.from = {2}, .epoch = 1, .session = 1, .held = 1});
        });
        told.set_value();
        EXPECT_TRUE(soon([&] { return io::run_on(home, [&] { return !lost.empty(); }); }));
        io::run_on(home, [&] {
            EXPECT_EQ(std::exchange(lost, {}), std::vector{partition});
            link->attach(partition, {.from = {2}, .epoch = 1, .session = 1});
        });
    }
    EXPECT_TRUE(soon([&] { return leader.heard(); }));
    io::run_on(home, [&] { link.reset(); });
    door.shut();
    door.wait();
    (*server)->stop();
    shards->stop();
}

}  // namespace
}  // namespace replication::streams
