#include "controller/service.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "io/shard.h"
#include "metadata/snapshot.h"
#include "storage/store/memory_store.h"

namespace controller {
namespace {

using kafka::ErrorCode;

/// The service on real shards: this thread asks, and waits for the answers.
class ServiceTest : public testing::Test {
  protected:
    ~ServiceTest() override {
        shards->stop();
        service.reset();
    }
    base::Status open(std::string cluster_id = "") {
        Service::Options options;
        options.cluster_id = std::move(cluster_id);
        options.on_failure = [this](const base::Status&) { failed.set_value(); };
        auto opened = Service::open(store, *shards, shards->at(0), std::move(options));
        if (opened.ok()) service = *std::move(opened);
        return opened.status();
    }
    int64_t serve() {
        std::promise<int64_t> epoch;
        metadata::Broker self;
        self.id = base::BrokerId{0};
        self.incarnation = {1, 2};
        service->register_broker(self, shards->at(1), [&](kafka::Outcome<int64_t> e) {
            service->unfence_broker(base::BrokerId{0}, *e, shards->at(1),
                                    [&epoch, e = *e](const kafka::Error&) { epoch.set_value(e); });
        });
        return epoch.get_future().get();
    }
    static kafka::CreateTopicsRequest create(const std::string& name, int32_t partitions = 1) {
        kafka::CreateTopicsRequest request;
        auto& t = request.topics.emplace_back();
        t.name = name;
        t.num_partitions = partitions;
        t.replication_factor = 1;
        return request;
    }
    template <class Response, class Request>
    Response ask(Request request) {
        std::promise<Response> answer;
        service->submit(std::move(request), shards->at(1), [&](Response r) {
            EXPECT_TRUE(shards->at(1).here());
            answer.set_value(std::move(r));
        });
        return answer.get_future().get();
    }

    storage::MemoryStore store;
    std::promise<void> failed;
    std::unique_ptr<io::Shards> shards = io::Shards::start(3, 2);
    std::unique_ptr<Service> service;
};

TEST_F(ServiceTest, AnswersAfterTheSubscribersHaveSeenIt) {
    ASSERT_TRUE(open("my-cluster").ok());
    std::atomic<int> seen = 0;
    for (size_t i = 0; i < shards->count(); ++i)
        service->subscribe(shards->at(i),
                           [&, i](const metadata::ImagePtr& image, const auto& delta) {
                               EXPECT_TRUE(shards->at(i).here());
                               EXPECT_EQ(image->cluster_id(), "my-cluster");
                               EXPECT_LE(delta->base()->position().index, image->position().index);
                               if (image->topic("a")) ++seen;
                           });
    serve();
    auto response = ask<kafka::CreateTopicsResponse>(create("a"));
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
                service->submit(create("t" + std::to_string(a) + "-" + std::to_string(i)),
                                shards->at(static_cast<size_t>(a) % 3),
                                [&](const kafka::CreateTopicsResponse& r) {
                                    EXPECT_EQ(r.topics.at(0).error_code, ErrorCode::none);
                                    if (++created == kAskers * kEach) all.set_value();
                                });
        });
    for (auto& t : askers) t.join();
    all.get_future().get();
    EXPECT_LE(store.writes() - before, static_cast<uint64_t>(kAskers * kEach));
    shards->stop();
    service.reset();
    shards = io::Shards::start(3, 2);
    ASSERT_TRUE(open().ok());
    EXPECT_EQ(service->opened()->topics().size(), static_cast<size_t>(kAskers * kEach));
}

TEST_F(ServiceTest, AnotherClustersDataIsRefused) {
    ASSERT_TRUE(open("one").ok());
    auto status = open("two");
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_NE(base::message(status).find("one"), std::string::npos);
    EXPECT_NE(base::message(status).find("two"), std::string::npos);
    EXPECT_TRUE(open("").ok());
}

TEST_F(ServiceTest, NothingIsAnsweredWellAfterAFailedWrite) {
    ASSERT_TRUE(open().ok());
    auto epoch = serve();
    store.fail_write();
    for (int i = 0; i < 2; ++i) {
        auto response = ask<kafka::CreateTopicsResponse>(create("a"));
        EXPECT_EQ(response.topics.at(0).error_code, ErrorCode::kafka_storage_error);
    }
    failed.get_future().get();
    std::promise<ErrorCode> code;
    service->allocate_producer_ids(base::BrokerId{0}, epoch, shards->at(1), [&](auto block) {
        code.set_value(block ? ErrorCode::none : block.error().code);
    });
    EXPECT_EQ(code.get_future().get(), ErrorCode::kafka_storage_error);
    kafka::DeleteTopicsRequest request;
    request.topic_names = {"a", "b"};
    for (const auto& row : ask<kafka::DeleteTopicsResponse>(request).responses)
        EXPECT_EQ(row.error_code, ErrorCode::kafka_storage_error);
}

TEST_F(ServiceTest, TenThousandPartitionsInOneRequest) {
    ASSERT_TRUE(open().ok());
    serve();
    auto begin = std::chrono::steady_clock::now();
    auto response = ask<kafka::CreateTopicsResponse>(create("big", 10'000));
    auto took = std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(response.topics.at(0).num_partitions, 10'000);
    RecordProperty(
        "create_ms",
        std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
    EXPECT_LT(took, std::chrono::seconds(20)) << "also under a sanitizer, on a busy machine";
    begin = std::chrono::steady_clock::now();
    serve();
    took = std::chrono::steady_clock::now() - begin;
    RecordProperty(
        "restart_ms",
        std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
    EXPECT_LT(took, std::chrono::seconds(20));
}

}  // namespace
}  // namespace controller
