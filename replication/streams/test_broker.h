#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "io/memory_disk.h"
#include "io/run_on.h"
#include "io/transport/server.h"
#include "kafka/records/builder.h"
#include "replication/partitions.h"
#include "replication/streams/streams.h"
#include "storage/store/memory_store.h"

namespace replication::streams {

using namespace std::chrono_literals;

/// gRPC is not instrumented, so ThreadSanitizer looks long at each byte that has been through it:
/// with it there is so much less to carry, and so much more time.
#ifdef __SANITIZE_THREAD__
constexpr int kLess = 20;
#else
constexpr int kLess = 1;
#endif

/// Of every broker's registration.
constexpr int64_t kTestEpoch = 7;

/// A broker on loopback with partitions of one topic, on a disk in memory, and the streams between
/// it and others.
class TestBroker {
  public:
    TestBroker(int32_t id, size_t shards, Options options = quick(),
               std::shared_ptr<io::Disk> disk = std::make_shared<io::MemoryDisk>(),
               const std::string& directory = "/data")
        : id_{id},
          disk_(std::move(disk)),
          shards_(io::Shards::start(shards, 2)),
          partitions_(
              std::make_unique<Partitions>(*shards_, *disk_, store_, id_, std::vector{directory})) {
        auto server = transport::Server::start({.address = "127.0.0.1:0"}, {&streams_.service()});
        CHECK(server.ok()) << server.status();
        server_ = *std::move(server);
        options.self = id_;
        if (options.cluster_id.empty()) options.cluster_id = "test";
        streams_.start(*shards_, *partitions_, options);
        std::vector<Partitions::Peers> peers;
        for (auto* exchange : streams_.exchanges()) peers.push_back({exchange, &alone_});
        partitions_->connect(peers);
        partitions_->registered(kTestEpoch);
        partitions_->maintain_every(60s);
    }
    ~TestBroker() {
        stop();
        CHECK(partitions_->close().ok());
        shards_->stop();
    }
    void stop() {
        if (server_ == nullptr) return;
        streams_.stop();
        server_->stop();
        server_.reset();
    }
    static Options quick() {
        Options out;
        out.keepalive_time = 300ms;
        out.keepalive_timeout = 300ms * kLess;
        return out;
    }
    static base::TopicPartition partition(int32_t index) { return {{1, 2}, index}; }

    base::BrokerId id() const { return id_; }
    Streams& streams() { return streams_; }
    std::string address() const { return "127.0.0.1:" + std::to_string(server_->port()); }
    void know(const std::vector<TestBroker*>& brokers) {
        std::map<base::BrokerId, std::string> addresses;
        for (auto* broker : brokers) addresses[broker->id()] = broker->address();
        streams_.set_addresses(addresses);
    }
    template <class Work>
    auto at(int32_t index, Work work) {
        return io::run_on(partitions_->home(partition(index)), [&] {
            const auto found = partitions_->find(partition(index));
            CHECK(found.ok()) << "partition " << index;
            return work(**found);
        });
    }
    using Ids = std::vector<base::BrokerId>;
    static replica::Assignment led_by(base::BrokerId leader, int epoch, const Ids& replicas,
                                      const Ids& isr) {
        replica::Assignment a{.row = {epoch, epoch, leader, replicas, isr}, .brokers = {}};
        for (const auto r : replicas) a.brokers[r] = {kTestEpoch, true};
        return a;
    }
    /// Opens the partition, or has it follow other words of the metadata.
    void assign(int32_t index, base::BrokerId leader, int epoch, const Ids& replicas,
                const Ids& isr = {}) {
        const auto to = led_by(leader, epoch, replicas, isr.empty() ? replicas : isr);
        const auto id = partition(index);
        if (!open_.emplace(index).second)
            return io::run_on(partitions_->home(id), [&] { partitions_->assign(id, to); });
        Partitions::Settings settings;
        settings.options.write_caching = true;
        settings.log.max_message_bytes = 16 << 20;
        const auto opened = io::wait_for<base::Status>(
            [&](auto done) { partitions_->open(id, settings, to, std::move(done)); });
        CHECK(opened.ok()) << opened;
    }
    void remove(int32_t index) {
        open_.erase(index);
        const auto removed = io::wait_for<base::Status>(
            [&](auto done) { partitions_->remove(partition(index), std::move(done)); });
        CHECK(removed.ok()) << removed;
    }
    void append(int32_t index, size_t bytes, int count = 1) {
        at(index, [&](Partition& p) {
            for (int i = 0; i < count; ++i) {
                kafka::BatchBuilder builder(kafka::BatchBuilder::Options{});
                builder.add(1000, "k", std::string(bytes, 'x'));
                auto batch = std::move(builder).build();
                p.append(batch, Acks::none, 1s,
                         [](const auto& outcome) { EXPECT_TRUE(outcome.ok()); });
            }
        });
    }
    base::Offset end(int32_t index) {
        return at(index, [](Partition& p) { return p.log().end(); });
    }
    base::Offset high_watermark(int32_t index) {
        return at(index, [](Partition& p) { return p.high_watermark(); });
    }
    bool attached(int32_t index, base::BrokerId follower) {
        return at(index, [&](Partition& p) { return p.replica().attached(follower); });
    }
    bool following(int32_t index) {
        return at(index, [](Partition& p) { return p.replica().following(); });
    }

  private:
    const base::BrokerId id_;
    const std::shared_ptr<io::Disk> disk_;
    storage::MemoryStore store_;
    Alone alone_;
    std::unique_ptr<io::Shards> shards_;
    Streams streams_;
    std::unique_ptr<Partitions> partitions_;
    std::unique_ptr<transport::Server> server_;
    std::set<int32_t> open_;
};

/// Whether it comes true in time.
template <class F>
bool soon(F condition, std::chrono::milliseconds patience = 20s) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(2ms);
    }
    return true;
}

/// Every broker knows every other, and the first leads partitions 0 .. count - 1.
inline void set_up(const std::vector<TestBroker*>& brokers, int32_t count, int epoch = 1) {
    std::vector<base::BrokerId> ids;
    for (auto* broker : brokers) ids.push_back(broker->id());
    for (auto* broker : brokers) {
        broker->know(brokers);
        for (int32_t i = 0; i < count; ++i) broker->assign(i, ids.front(), epoch, ids);
    }
}

/// All have all that the first has, and know that it is committed.
inline bool in_step(const std::vector<TestBroker*>& brokers, int32_t count) {
    for (int32_t i = 0; i < count; ++i) {
        const auto end = brokers.front()->end(i);
        for (auto* broker : brokers)
            if (broker->end(i) != end || broker->high_watermark(i) != end) return false;
    }
    return true;
}

}  // namespace replication::streams
