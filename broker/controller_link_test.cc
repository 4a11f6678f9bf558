// What a broker hears of a controller in its own process; tests of several nodes are elsewhere.
#include "broker/controller_link.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "broker/registration.h"
#include "controller/service_testing.h"
#include "io/run_on.h"
#include "storage/store/memory_store.h"

namespace broker {
namespace {

using kafka::ErrorCode;
using std::chrono::milliseconds;

/// Of more than a test may take: what must not be waited for.
constexpr milliseconds kLong{600'000};

/// The only controller of a cluster, and a broker that asks it.
class ControllerLinkTest : public testing::Test {
  protected:
    ControllerLinkTest() {
        auto opened = controller::open_only_log(store_, "a-cluster");
        CHECK(opened.ok()) << opened.status();
        controller::Service::Options options;
        options.send = [](const raft::Message&) {};
        options.on_standing = [this](const quorum::Standing& now) {
            if (link_) link_->standing_changed(now);
        };
        service_ = std::make_unique<controller::Service>(*shards_, home(), *std::move(opened),
                                                         std::move(options));
        io::run_on(home(), [this] {
            link_ = std::make_unique<ControllerLink>(home(), *service_, nullptr, "a-cluster",
                                                     base::BrokerId{0});
            registration_ = std::make_unique<Registration>(home(), *link_, milliseconds(500));
        });
        service_->start();
    }
    ~ControllerLinkTest() override {
        io::run_on(home(), [this] {
            registration_->stop();
            link_->stop();
        });
        io::wait_for([this](auto done) { service_->stop(std::move(done)); });
        shards_->stop();
    }

    io::Shard& home() { return shards_->at(0); }
    kafka::Outcome<controller::Service::Answered<kafka::CreateTopicsResponse>> create(
        const std::string& name) {
        kafka::CreateTopicsRequest request;
        auto& topic = request.topics.emplace_back();
        topic.name = name;
        topic.num_partitions = 1;
        topic.replication_factor = 1;
        return io::wait_for<
            kafka::Outcome<controller::Service::Answered<kafka::CreateTopicsResponse>>>(
            [&](auto done) { link_->ask(request, kLong, shards_->at(1), std::move(done)); });
    }
    void begin_to_register() {
        metadata::Broker broker;
        broker.id = {0};
        broker.incarnation = {1, 2};
        broker.features = controller::supported_features();
        io::run_on(home(), [&] {
            registration_->start(broker, cluster_id_, -1,
                                 [this](const kafka::Outcome<int64_t>& epoch) { epoch_ = epoch; });
        });
    }
    std::optional<kafka::Outcome<int64_t>> epoch() {
        return io::run_on(home(), [this] { return epoch_; });
    }

    storage::MemoryStore store_;
    std::unique_ptr<io::Shards> shards_ = io::Shards::start(2, 1);
    std::unique_ptr<controller::Service> service_;
    std::unique_ptr<ControllerLink> link_;
    std::unique_ptr<Registration> registration_;
    std::string cluster_id_ = "a-cluster";
    std::optional<kafka::Outcome<int64_t>> epoch_;
};

TEST_F(ControllerLinkTest, WaitsUntilAControllerIsActive) {
    const auto outcome = create("a");
    ASSERT_TRUE(outcome.ok()) << outcome.error().message;
    ASSERT_EQ(outcome->response.topics.size(), 1u);
}

TEST_F(ControllerLinkTest, ALogThatHasFailedIsToldAtOnce) {
    ASSERT_TRUE(create("a").ok());
    store_.fail_write();
    begin_to_register();  // which writes
    for (int i = 0; i < 3; ++i) {
        const auto outcome = create("b");
        ASSERT_FALSE(outcome.ok());
        EXPECT_EQ(outcome.error().code, ErrorCode::kafka_storage_error);
        EXPECT_NE(outcome.error().message.find("the metadata log can't be written"),
                  std::string::npos);
    }
    EXPECT_FALSE(epoch()) << "it may be another controller's log, and pass";
}

TEST_F(ControllerLinkTest, RegistersOnceThereIsAController) {
    begin_to_register();
    while (!epoch()) std::this_thread::sleep_for(milliseconds(1));
    ASSERT_TRUE(epoch()->ok()) << epoch()->error().message;
    EXPECT_GE(**epoch(), 0);
}

TEST_F(ControllerLinkTest, ARefusalForGoodEndsRegistering) {
    cluster_id_ = "another";
    begin_to_register();
    while (!epoch()) std::this_thread::sleep_for(milliseconds(1));
    ASSERT_FALSE(epoch()->ok());
    EXPECT_EQ(epoch()->error().code, ErrorCode::inconsistent_cluster_id);
}

}  // namespace
}  // namespace broker
