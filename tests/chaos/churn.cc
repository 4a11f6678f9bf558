#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "base/check.h"
#include "tests/chaos/workload.h"

namespace chaos {
namespace {

constexpr int patience_ms = 10'000;

template <auto destroy>
using Destroy = cli::Destroy<destroy>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Destroy<rd_kafka_queue_destroy>>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Destroy<rd_kafka_NewTopic_destroy>>;
using NewPartitions =
    std::unique_ptr<rd_kafka_NewPartitions_t, Destroy<rd_kafka_NewPartitions_destroy>>;
using DeleteTopic = std::unique_ptr<rd_kafka_DeleteTopic_t, Destroy<rd_kafka_DeleteTopic_destroy>>;
using AdminEvent = std::unique_ptr<rd_kafka_event_t, Destroy<rd_kafka_event_destroy>>;

/// Asks for one change after the other; what becomes of each does not matter.
class Admin {
  public:
    explicit Admin(Shared& shared) {
        auto made = shared.config().make(RD_KAFKA_PRODUCER);
        CHECK(made.ok());
        client_ = *std::move(made);
        queue_.reset(rd_kafka_queue_new(client_.get()));
    }

    void make(const std::string& topic) {
        std::array<char, 256> why{};
        constexpr int as_the_brokers_are_set = -1;  // default.replication.factor
        const NewTopic one(rd_kafka_NewTopic_new(topic.c_str(), 1, as_the_brokers_are_set,
                                                 why.data(), why.size()));
        std::array wanted{one.get()};
        rd_kafka_CreateTopics(client_.get(), wanted.data(), wanted.size(), nullptr, queue_.get());
        wait();
    }
    void grow(const std::string& topic, size_t partitions) {
        std::array<char, 256> why{};
        const NewPartitions one(
            rd_kafka_NewPartitions_new(topic.c_str(), partitions, why.data(), why.size()));
        std::array wanted{one.get()};
        rd_kafka_CreatePartitions(client_.get(), wanted.data(), wanted.size(), nullptr,
                                  queue_.get());
        wait();
    }
    void remove(const std::string& topic) {
        const DeleteTopic one(rd_kafka_DeleteTopic_new(topic.c_str()));
        std::array wanted{one.get()};
        rd_kafka_DeleteTopics(client_.get(), wanted.data(), wanted.size(), nullptr, queue_.get());
        wait();
    }

  private:
    void wait() { const AdminEvent event(rd_kafka_queue_poll(queue_.get(), patience_ms)); }

    cli::RdKafka client_;
    Queue queue_;
};

}  // namespace

void churn(Shared& shared) {
    Admin admin(shared);
    for (int turn = 0; !shared.end; ++turn) {
        const std::string topic = "churn-" + std::to_string(turn);
        admin.make(topic);
        constexpr size_t grown = 3;
        admin.grow(topic, grown);
        constexpr int kept = 3;
        if (turn >= kept) admin.remove("churn-" + std::to_string(turn - kept));
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
}

}  // namespace chaos
