#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/fake_shards.h"
#include "io/memory_disk.h"
#include "kafka/records/builder.h"
#include "replication/partition.h"
#include "replication/testing.h"
#include "storage/store/memory_store.h"

namespace replication {

constexpr std::chrono::milliseconds kTimeout{1000};

constexpr base::TopicPartition kId{.topic = {1, 2}, .index = 0};

/// What a partition has asked of others.
class Peers final : public Exchange, public Proposals {
  public:
    void opened(const base::TopicPartition&) override {}
    void closed(const base::TopicPartition&) override {}
    void send(const base::TopicPartition&, base::BrokerId to, const replica::Message& m) override {
        sent.emplace_back(to.value, m);
    }
    void grown(const base::TopicPartition&) override { ++grown_count; }
    void detach(const base::TopicPartition&, base::BrokerId follower) override {
        detached.push_back(follower.value);
    }
    void propose(const base::TopicPartition&, const replica::Proposal& p) override {
        proposals.push_back(p);
    }
    template <class M>
    M last() const {
        return std::get<M>(sent.back().second);
    }

    std::vector<std::pair<int, replica::Message>> sent;
    std::vector<replica::Proposal> proposals;
    std::vector<int> detached;
    int grown_count = 0;
};

class PartitionTest : public ::testing::Test {
  protected:
    PartitionTest() { open({}); }
    // A partition that a test's failures leave unclean is let go of here.
    ~PartitionTest() override {
        if (partition) partition->abandon();
    }

    void open(Partition::Options options, base::LeaderEpoch epoch = 0) {
        auto log = storage::Log::open({.directory = "/data/p",
                                       .id = kId,
                                       .disk = dir ? &dir->disk() : &disk,
                                       .store = &store},
                                      config, io::wall_clock());
        ASSERT_TRUE(log.ok()) << log.status();
        partition = std::make_unique<Partition>(
            *std::move(log), shards, shards.at(0),
            Partition::Identity{kId, {testing::kSelf, testing::kBrokerEpoch}}, options, peers,
            peers, dir);
        if (epoch >= 0) partition->assign(testing::led_alone(epoch));
        shards.settle();
    }
    void reopen(Partition::Options options, base::LeaderEpoch epoch) {
        partition->abandon();
        partition.reset();
        open(options, epoch);
    }

    static base::Bytes batch(int records, kafka::BatchBuilder::Options options = {}) {
        kafka::BatchBuilder builder(options);
        for (int i = 0; i < records; ++i) builder.add(1000 + i, "k", "value");
        return std::move(builder).build();
    }

    /// Appends `records`; the outcome is noted in `log` as "name=first-last" or "name!code".
    void append(const std::string& name, int records, Acks acks = Acks::all,
                kafka::BatchBuilder::Options options = {}) {
        auto bytes = batch(records, options);
        partition->append(bytes, acks, kTimeout, [this, name](auto outcome) {
            if (outcome.ok()) {
                done.push_back(name + "=" + std::to_string(outcome->first) + "-" +
                               std::to_string(outcome->last));
            } else {
                done.push_back(name + "!" + std::to_string(static_cast<int>(outcome.error().code)));
            }
        });
    }
    uint64_t watch(const std::string& name, base::Offset offset) {
        return partition->watch(offset, [this, name] { done.push_back(name); });
    }
    std::vector<std::string> take_done() { return std::exchange(done, {}); }

    kafka::ErrorCode read_error(const Partition::ReadFrom& from) {
        const auto read = partition->read(from);
        return read.ok() ? kafka::ErrorCode::none : read.error().code;
    }

    io::MemoryDisk disk;
    storage::MemoryStore store;
    storage::LogConfig config;
    io::FakeShards shards;
    Peers peers;
    std::shared_ptr<LogDir> dir;  // none: it has no other partitions
    std::unique_ptr<Partition> partition;
    std::vector<std::string> done;
};

}  // namespace replication
