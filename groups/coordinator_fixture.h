#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "groups/coordinators.h"
#include "io/fake_shards.h"
#include "io/memory_disk.h"
#include "kafka/records/builder.h"
#include "replication/partition.h"
#include "replication/testing.h"
#include "storage/store/memory_store.h"

namespace groups {

using kafka::ErrorCode;
using std::chrono::milliseconds;

struct TestEnvironment final : Environment {
    Now now() override { return {time, 1'700'000'000'000 + time}; }
    uint64_t random() override { return ++drawn; }
    base::InstantMs time = 0;
    uint64_t drawn = 0;
};

struct TestTopics final : Topics {
    std::optional<base::Uuid> id_of(const io::Shard&, const std::string& name) const override {
        const auto it = ids.find(name);
        return it == ids.end() ? std::nullopt : std::optional(it->second);
    }
    std::map<std::string, base::Uuid> ids{{"t", {7, 1}}};
};

inline constexpr replication::Partition::Identity kIdentity{
    {.topic = {1, 2}, .index = 0},
    {replication::testing::kSelf, replication::testing::kBrokerEpoch}};

/// Notes from where something was read.
class CountingJournal final : public Journal {
  public:
    CountingJournal(std::unique_ptr<Journal> of, std::vector<base::Offset>& read_from)
        : of_(std::move(of)), read_from_(read_from) {}

    void append(base::MutableView batch, AppendDone done) override {
        of_->append(batch, std::move(done));
    }
    kafka::Outcome<storage::LogRead> read(base::Offset from, base::LeaderEpoch epoch,
                                          uint32_t max_bytes) const override {
        auto read = of_->read(from, epoch, max_bytes);
        if (read.ok() && !read->slices.empty()) read_from_.push_back(from);
        return read;
    }
    uint64_t watch(base::Offset offset, base::Function<void()> wake) override {
        return of_->watch(offset, std::move(wake));
    }
    void unwatch(uint64_t key) override { of_->unwatch(key); }
    bool leading() const override { return of_->leading(); }
    base::LeaderEpoch epoch() const override { return of_->epoch(); }
    base::Offset start() const override { return of_->start(); }
    base::Offset end() const override { return of_->end(); }
    base::Offset high_watermark() const override { return of_->high_watermark(); }
    io::Shard& shard() override { return of_->shard(); }

  private:
    const std::unique_ptr<Journal> of_;
    std::vector<base::Offset>& read_from_;
};

/// What the partition has asked of its leader.
struct Peers final : replication::Exchange, replication::Proposals {
    void opened(const base::TopicPartition&) override {}
    void closed(const base::TopicPartition&) override {}
    void send(const base::TopicPartition&, base::BrokerId, const replica::Message& m) override {
        if (const auto* attach = std::get_if<replica::Attach>(&m)) asked = *attach;
    }
    void grown(const base::TopicPartition&) override {}
    void detach(const base::TopicPartition&, base::BrokerId) override {}
    void propose(const base::TopicPartition&, const replica::Proposal&) override {}
    replica::Attach asked;
};

/// A real partition on a disk in memory, one shard run by hand.
class CoordinatorTest : public testing::Test {
  protected:
    CoordinatorTest() {
        auto environment = std::make_unique<TestEnvironment>();
        clock = environment.get();
        coordinators =
            std::make_unique<Coordinators>(shards, Config{}, topics, 1, std::move(environment));
        open(0);
    }
    ~CoordinatorTest() override {
        coordinators->remove(0);
        partition->abandon();
    }

    void open(base::LeaderEpoch epoch) {
        auto log = storage::Log::open({.directory = "/data/__consumer_offsets-0",
                                       .id = kIdentity.id,
                                       .disk = &disk,
                                       .store = &store},
                                      {}, clock->now().wall);
        CHECK(log.ok()) << log.status();
        partition = std::make_unique<replication::Partition>(
            *std::move(log), shards, shards.at(0), kIdentity, replication::Partition::Options{},
            peers, peers, log_dir);
        partition->assign(replication::testing::led_alone(epoch));
        serve(epoch);
    }
    void serve(base::LeaderEpoch epoch) {
        coordinators->lead(0, std::make_unique<CountingJournal>(journal_of(*partition), read_from),
                           epoch);
    }
    void fail_over(base::LeaderEpoch epoch) {
        coordinators->remove(0);
        partition->abandon();
        open(epoch);
        shards.settle();
    }
    void pass(int64_t ms) {
        for (; ms > 0; ms -= 100) {
            clock->time += 100;
            shards.pass(milliseconds(100));
            shards.settle();
        }
    }

    template <class Response>
    base::Function<void(Response)> into(std::optional<Response>& slot) {
        return [&slot](Response r) { slot = std::move(r); };
    }
    ClientContext client(int16_t version) { return {"client", "/127.0.0.1", version}; }

    kafka::OffsetCommitRequest commit_request(int64_t offset, base::Uuid topic_id = {}) {
        kafka::OffsetCommitRequest request;
        request.group_id = "g";
        request.topics.push_back(
            {.name = "t",
             .topic_id = topic_id,
             .partitions = {{.partition_index = 0, .committed_offset = offset}}});
        return request;
    }
    void commit(int64_t offset, base::Uuid topic_id) {
        std::optional<kafka::OffsetCommitResponse> answer;
        coordinators->commit(shards.at(0), commit_request(offset, topic_id), client(8),
                             into(answer));
        shards.settle();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->topics[0].partitions[0].error_code, ErrorCode::none);
    }
    /// How many positions of the group are told to whoever asks for all.
    size_t positions() {
        std::optional<kafka::OffsetFetchResponse> response;
        kafka::OffsetFetchRequest request;
        request.groups.emplace_back().group_id = "g";
        request.groups[0].topics.reset();
        coordinators->fetch(shards.at(0), request, client(8), into(response));
        return response->groups.at(0).topics.size();
    }
    int64_t fetched(int32_t index = 0) {
        std::optional<kafka::OffsetFetchResponse> response;
        kafka::OffsetFetchRequest request;
        request.group_id = "g";
        request.topics->push_back({.name = "t", .partition_indexes = {index}});
        coordinators->fetch(shards.at(0), request, client(1), into(response));
        const auto& p = response->topics.at(0).partitions.at(0);
        return p.error_code == ErrorCode::none ? p.committed_offset
                                               : -100 - static_cast<int>(p.error_code);
    }
    kafka::JoinGroupRequest join_request() {
        kafka::JoinGroupRequest request;
        request.group_id = "g";
        request.session_timeout_ms = 10'000;
        request.rebalance_timeout_ms = 20'000;
        request.protocol_type = "consumer";
        request.protocols = {{"range", {}}};
        return request;
    }
    /// One member joins, is assigned a byte, and is told so. Its id.
    std::string settle_one_member() {
        std::optional<kafka::JoinGroupResponse> joined;
        coordinators->join(shards.at(0), join_request(), client(3), into(joined));
        pass(3'000);
        EXPECT_TRUE(joined && joined->error_code == ErrorCode::none);
        std::optional<kafka::SyncGroupResponse> synced;
        coordinators->sync(shards.at(0), sync_request(*joined), client(5), into(synced));
        EXPECT_FALSE(synced) << "before its record is durable";
        shards.settle();
        EXPECT_TRUE(synced && synced->error_code == ErrorCode::none &&
                    synced->assignment.size() == 1);
        return joined->member_id;
    }
    kafka::SyncGroupRequest sync_request(const kafka::JoinGroupResponse& joined) {
        kafka::SyncGroupRequest request;
        request.group_id = "g";
        request.generation_id = joined.generation_id;
        request.member_id = joined.member_id;
        request.protocol_type = "consumer";
        request.protocol_name = "range";
        request.assignments = {{joined.member_id, base::Bytes{std::byte{7}}}};
        return request;
    }
    ErrorCode heartbeat(const std::string& member, int32_t generation) {
        std::optional<kafka::HeartbeatResponse> response;
        kafka::HeartbeatRequest request;
        request.group_id = "g";
        request.member_id = member;
        request.generation_id = generation;
        coordinators->heartbeat(shards.at(0), request, client(4), into(response));
        return response ? response->error_code : ErrorCode::unknown_server_error;
    }

    io::MemoryDisk disk;
    storage::MemoryStore store;
    TestTopics topics;
    io::FakeShards shards;
    TestEnvironment* clock = nullptr;
    Peers peers;
    std::vector<base::Offset> read_from;
    std::shared_ptr<replication::LogDir> log_dir;  // none: nobody else's syncs matter
    std::unique_ptr<Coordinators> coordinators;
    std::unique_ptr<replication::Partition> partition;
};

}  // namespace groups
