#include "controller/service.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <optional>
#include <thread>

#include "base/bytes.h"
#include "controller/service_testing.h"
#include "io/run_on.h"
#include "metadata/snapshot.h"
#include "storage/store/memory_store.h"

namespace controller {
namespace {

using kafka::ErrorCode;

/// The service of an only controller on real shards: this thread asks, and waits for the answers.
class ServiceTest : public testing::Test {
  protected:
    ~ServiceTest() override { close(); }
    void close() {
        if (service) io::wait_for([this](auto done) { service->stop(std::move(done)); });
        shards->stop();
        service.reset();
    }
    base::Status open(const std::string& cluster_id = "a-cluster") {
        auto opened = open_only_log(store, cluster_id);
        RETURN_IF_ERROR(opened.status());
        Service::Options options;
        options.static_configs = static_configs;
        options.send = [](const raft::Message&) {};
        options.is_controller = [this](const raft::Member& member) {
            const auto known = controllers.find(member.id);
            return known == controllers.end() ? std::nullopt : std::optional(known->second);
        };
        options.on_failure = [this](const base::Status&) { failed.set_value(); };
        service = std::make_unique<Service>(*shards, shards->at(0), *std::move(opened),
                                            std::move(options));
        service->start();
        return base::ok();
    }
    void reopen() {
        close();
        shards = io::Shards::start(3, 2);
        ASSERT_TRUE(open().ok());
    }
    template <class Request, class Response = typename ResponseTo<Request>::type>
    kafka::Outcome<Service::Answered<Response>> try_to(Request request) {
        using Outcome = kafka::Outcome<Service::Answered<Response>>;
        return io::wait_for<Outcome>([&](auto done) {
            service->submit<Request, Response>(
                std::move(request), shards->at(1),
                [this, done = std::move(done)](Outcome outcome) mutable {
                    EXPECT_TRUE(shards->at(1).here());
                    done(std::move(outcome));
                });
        });
    }
    /// As the broker does that passes requests on: again until there is an active controller.
    template <class Request>
    typename ResponseTo<Request>::type ask(const Request& request) {
        for (;;) {
            auto outcome = try_to(request);
            if (outcome) return std::move(outcome->response);
            EXPECT_EQ(outcome.error().code, ErrorCode::not_controller) << outcome.error().message;
            if (outcome.error().code != ErrorCode::not_controller) return {};
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
    int64_t serve() {
        auto request = registration_of("a-cluster", {1, ++processes});
        request.previous_broker_epoch = epoch;
        epoch = ask(request).broker_epoch;
        kafka::BrokerHeartbeatRequest beat;
        beat.broker_epoch = epoch;
        beat.current_metadata_offset = epoch;
        EXPECT_FALSE(ask(beat).is_fenced);
        return epoch;
    }
    static kafka::CreateTopicsRequest create(const std::string& name, int32_t partitions = 1) {
        kafka::CreateTopicsRequest request;
        auto& t = request.topics.emplace_back();
        t.name = name;
        t.num_partitions = partitions;
        t.replication_factor = 1;
        return request;
    }
    metadata::ImagePtr image() {
        return io::run_on(shards->at(0), [this] { return service->image(); });
    }

    storage::MemoryStore store;
    metadata::Configs static_configs;
    std::map<int32_t, bool> controllers;  // as nodes say themselves
    std::promise<void> failed;
    std::unique_ptr<io::Shards> shards = io::Shards::start(3, 2);
    std::unique_ptr<Service> service;
    int64_t epoch = -1;
    uint64_t processes = 0;
};

TEST_F(ServiceTest, AnswersAfterTheSubscribersHaveSeenIt) {
    ASSERT_TRUE(open().ok());
    std::atomic<int> seen = 0;
    for (size_t i = 0; i < shards->count(); ++i)
        service->subscribe(shards->at(i),
                           [&, i](const metadata::ImagePtr& image, const auto& delta) {
                               EXPECT_TRUE(shards->at(i).here());
                               EXPECT_LE(delta->base()->position().index, image->position().index);
                               if (image->topic("a")) ++seen;
                           });
    serve();
    auto response = ask(create("a"));
    EXPECT_EQ(response.topics.at(0).error_code, ErrorCode::none);
    EXPECT_EQ(seen, 3);
}

TEST_F(ServiceTest, ManyAskersAtOnceShareWrites) {
    ASSERT_TRUE(open().ok());
    serve();
    const uint64_t before = store.writes();
    constexpr int kAskers = 4, kEach = 50;
    std::atomic<int> created = 0;
    std::promise<void> all;
    std::vector<std::thread> askers;
    for (int a = 0; a < kAskers; ++a)
        askers.emplace_back([&, a] {
            for (int i = 0; i < kEach; ++i)
                service->submit<kafka::CreateTopicsRequest, kafka::CreateTopicsResponse>(
                    create("t" + std::to_string(a) + "-" + std::to_string(i)),
                    shards->at(static_cast<size_t>(a) % 3), [&](const auto& outcome) {
                        ASSERT_TRUE(outcome.ok());
                        EXPECT_EQ(outcome->response.topics.at(0).error_code, ErrorCode::none);
                        if (++created == kAskers * kEach) all.set_value();
                    });
        });
    for (auto& t : askers) t.join();
    all.get_future().get();
    EXPECT_LE(store.writes() - before, static_cast<uint64_t>(kAskers * kEach));
    reopen();
    serve();
    EXPECT_EQ(image()->topics().size(), static_cast<size_t>(kAskers * kEach));
}

TEST_F(ServiceTest, NothingIsAnsweredWellAfterAFailedWrite) {
    ASSERT_TRUE(open().ok());
    serve();
    store.fail_write();
    for (int i = 0; i < 2; ++i) {
        const auto outcome = try_to(create("a"));
        ASSERT_FALSE(outcome.ok());
        EXPECT_EQ(outcome.error().code, ErrorCode::kafka_storage_error);
    }
    failed.get_future().get();
    kafka::AllocateProducerIdsRequest request;
    request.broker_epoch = epoch;
    EXPECT_EQ(try_to(request).error().code, ErrorCode::kafka_storage_error);
}

TEST_F(ServiceTest, NothingIsDecidedBeforeTheFoundersVote) {
    auto opened = open_only_log(store, "a-cluster");
    ASSERT_TRUE(opened.ok());
    Service::Options options;
    options.founders = {0, 1};
    options.send = [](const raft::Message&) {};
    std::promise<void> leads;
    options.on_standing = [&](const quorum::Standing& now) {
        if (now.active) leads.set_value();
    };
    service =
        std::make_unique<Service>(*shards, shards->at(0), *std::move(opened), std::move(options));
    service->start();
    leads.get_future().get();
    const auto outcome = try_to(create("a"));
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().code, ErrorCode::not_controller);
    EXPECT_TRUE(image()->cluster_id().empty());
}

TEST_F(ServiceTest, AnEncodedRequestIsDecidedAsAnyOther) {
    ASSERT_TRUE(open().ok());
    serve();
    const auto call = [this](kafka::ApiKey key, kafka::Version version, std::string body) {
        return io::wait_for<kafka::Outcome<Service::Answered<std::string>>>([&](auto done) {
            service->call({key, version, std::move(body)}, std::move(done));
        });
    };
    const auto body = std::string(base::as_text(kafka::encode(create("a"), 7).bytes));
    const auto outcome = call(kafka::ApiKey::create_topics, 7, body);
    ASSERT_TRUE(outcome.ok());
    const auto response = kafka::decode<kafka::CreateTopicsResponse>(
        base::as_bytes(outcome->response), kafka::Version{7});
    ASSERT_TRUE(response.ok());
    EXPECT_EQ(response->topics.at(0).error_code, ErrorCode::none);
    EXPECT_TRUE(image()->topic("a"));
    EXPECT_GE(image()->position().index, outcome->index);

    EXPECT_EQ(call(kafka::ApiKey::create_topics, 7, body.substr(1)).error().code,
              ErrorCode::invalid_request);
    EXPECT_EQ(call(kafka::ApiKey::create_topics, 99, body).error().code,
              ErrorCode::unsupported_version);
    EXPECT_EQ(call(kafka::ApiKey::produce, 3, body).error().code, ErrorCode::unsupported_version);
}

TEST_F(ServiceTest, AnotherClustersBrokerIsNotRegistered) {
    ASSERT_TRUE(open().ok());
    serve();
    auto request = registration_of("another", {1, 1});
    request.broker_id = 1;
    EXPECT_EQ(ask(request).error_code, ErrorCode::inconsistent_cluster_id);
}

TEST_F(ServiceTest, TellsOfItsQuorum) {
    ASSERT_TRUE(open().ok());
    serve();
    kafka::DescribeQuorumRequest request;
    request.topics = {{"__cluster_metadata", {{0}, {1}}}, {"other", {{0}}}};
    const auto response = ask(request);
    const auto& known = response.topics.at(0).partitions.at(0);
    EXPECT_EQ(known.leader_id, 0);
    ASSERT_EQ(known.current_voters.size(), 1u);
    EXPECT_EQ(known.high_watermark, known.current_voters[0].log_end_offset);
    EXPECT_EQ(response.topics.at(0).partitions.at(1).error_code,
              ErrorCode::unknown_topic_or_partition);
    EXPECT_EQ(response.topics.at(1).partitions.at(0).error_code,
              ErrorCode::unknown_topic_or_partition);
    ASSERT_EQ(response.nodes.size(), 1u);
    EXPECT_EQ(response.nodes[0].listeners.at(0).host, "here");
    EXPECT_EQ(response.nodes[0].listeners.at(0).port, 19092);
}

TEST_F(ServiceTest, TheLastVoterStays) {
    ASSERT_TRUE(open().ok());
    serve();
    kafka::RemoveRaftVoterRequest remove;
    remove.cluster_id = std::nullopt;
    EXPECT_EQ(ask(remove).error_code, ErrorCode::invalid_request);
    remove.voter_id = 5;
    EXPECT_EQ(ask(remove).error_code, ErrorCode::voter_not_found);
    kafka::AddRaftVoterRequest add;
    add.cluster_id = std::nullopt;
    EXPECT_EQ(ask(add).error_code, ErrorCode::duplicate_voter);
    add.voter_id = 5;
    EXPECT_EQ(ask(add).error_code, ErrorCode::invalid_request);
    add.cluster_id = "another";
    EXPECT_EQ(ask(add).error_code, ErrorCode::inconsistent_cluster_id);
}

TEST_F(ServiceTest, AnUnregisteredBrokerGivesUpItsPlaceInTheQuorum) {
    ASSERT_TRUE(open().ok());
    serve();
    const auto is_learner = [this](int32_t id) {
        return io::run_on(shards->at(0), [this, id] {
            return service->configuration().has_learner({id, {1, 2}});
        });
    };
    for (const int32_t id : {7, 8}) {
        while (!is_learner(id)) {
            const auto applied = io::run_on(shards->at(0), [&] {
                return service->apply({{id, {1, 2}}, "there:" + std::to_string(id), false});
            });
            ASSERT_TRUE(applied.ok()) << applied;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        auto registration = registration_of("a-cluster", {3, 4});
        registration.broker_id = id;
        ASSERT_EQ(ask(registration).error_code, ErrorCode::none);
    }
    kafka::RemoveRaftVoterRequest remove;
    remove.cluster_id = std::nullopt;
    remove.voter_id = 7;
    EXPECT_EQ(ask(remove).error_code, ErrorCode::voter_not_found);
    kafka::UnregisterBrokerRequest unregister;
    unregister.broker_id = 7;
    EXPECT_EQ(ask(unregister).error_code, ErrorCode::none);
    EXPECT_FALSE(is_learner(7));
    EXPECT_TRUE(is_learner(8));
    EXPECT_EQ(ask(unregister).error_code, ErrorCode::broker_id_not_registered);
}

TEST_F(ServiceTest, AMereBrokerIsNotMadeAVoter) {
    controllers = {{7, false}, {8, true}};
    ASSERT_TRUE(open().ok());
    serve();
    for (const int32_t id : {7, 8, 9}) {
        const auto applied = io::run_on(shards->at(0), [&] {
            return service->apply({{id, {1, 2}}, "there:" + std::to_string(id), true});
        });
        ASSERT_TRUE(applied.ok()) << applied;
        while (!io::run_on(shards->at(0), [&] {
            return service->configuration().has_learner({id, {1, 2}}) &&
                   service->apply({{id, {1, 2}}, "there:" + std::to_string(id), true}).ok();
        }))
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const auto add = [this](int32_t id) {
        kafka::AddRaftVoterRequest request;
        request.cluster_id = "a-cluster";
        request.voter_id = id;
        return try_to(std::move(request));
    };
    const auto refused = add(7);
    ASSERT_TRUE(refused.ok());
    EXPECT_EQ(refused->response.error_code, ErrorCode::invalid_request);
    EXPECT_EQ(refused->response.error_message,
              "node 7 is not a controller; start it with process.roles=broker,controller first");
    // These have not got the log yet, and one is not even connected.
    EXPECT_EQ(add(8).error().code, ErrorCode::request_timed_out);
    EXPECT_EQ(add(9).error().code, ErrorCode::request_timed_out);
}

TEST_F(ServiceTest, LeadershipGoesBackToFirstReplicas) {
    static_configs["leader.imbalance.check.interval.seconds"] = "1";
    ASSERT_TRUE(open().ok());
    int64_t epochs[2];
    const auto beat = [&](int32_t id, bool wants_fence = false) {
        kafka::BrokerHeartbeatRequest request;
        request.broker_id = id;
        request.broker_epoch = request.current_metadata_offset = epochs[id];
        request.want_fence = wants_fence;
        return ask(request).is_fenced;
    };
    for (int32_t id : {0, 1}) {
        auto request = registration_of("a-cluster", {1, 77});
        request.broker_id = id;
        epochs[id] = ask(request).broker_epoch;
        EXPECT_FALSE(beat(id));
    }
    auto request = create("a", -1);
    request.topics[0].replication_factor = -1;
    request.topics[0].assignments = {{0, {0, 1}}};
    ASSERT_EQ(ask(request).topics.at(0).error_code, ErrorCode::none);
    const auto row = [&] { return *image()->topic("a")->partition(0); };

    EXPECT_TRUE(beat(0, true));
    EXPECT_EQ(row().leader, base::BrokerId{1});
    EXPECT_FALSE(beat(0));
    kafka::AlterPartitionRequest alter;
    alter.broker_id = 1;
    alter.broker_epoch = epochs[1];
    auto& one = alter.topics.emplace_back().partitions.emplace_back();
    alter.topics[0].topic_id = image()->topic("a")->id;
    one.leader_epoch = row().leader_epoch;
    one.partition_epoch = row().partition_epoch;
    one.new_isr_with_epochs = {{0, epochs[0]}, {1, epochs[1]}};
    ASSERT_EQ(ask(alter).topics.at(0).partitions.at(0).error_code, ErrorCode::none);
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (row().leader != base::BrokerId{0} && std::chrono::steady_clock::now() < give_up) {
        for (int32_t id : {0, 1}) beat(id);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_EQ(row().leader, base::BrokerId{0});
}

TEST_F(ServiceTest, TenThousandPartitionsInOneRequest) {
    ASSERT_TRUE(open().ok());
    serve();
    auto begin = std::chrono::steady_clock::now();
    auto response = ask(create("big", 10'000));
    auto took = std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(response.topics.at(0).num_partitions, 10'000);
    RecordProperty(
        "create_ms",
        std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
    EXPECT_LT(took, std::chrono::seconds(60)) << "also under a sanitizer, on a busy machine";
    begin = std::chrono::steady_clock::now();
    serve();
    took = std::chrono::steady_clock::now() - begin;
    RecordProperty(
        "restart_ms",
        std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
    EXPECT_LT(took, std::chrono::seconds(60));
}

}  // namespace
}  // namespace controller
