#include "replication/partition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "io/fake_shards.h"
#include "io/memory_disk.h"
#include "kafka/records/builder.h"
#include "replication/testing.h"
#include "storage/store/memory_store.h"

namespace replication {
namespace {

using base::Offset;
using kafka::ErrorCode;
using replication::testing::assigned;
using replication::testing::kBrokerEpoch;
using replication::testing::kSelf;
using replication::testing::led_alone;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr milliseconds timeout{1000};

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
        partition = std::make_unique<Partition>(*std::move(log), shards, shards.at(0),
                                                Partition::Identity{kId, {kSelf, kBrokerEpoch}},
                                                options, peers, peers, dir);
        if (epoch >= 0) partition->assign(led_alone(epoch));
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
        partition->append(bytes, acks, timeout, [this, name](auto outcome) {
            if (outcome.ok()) {
                done.push_back(name + "=" + std::to_string(outcome->first) + "-" +
                               std::to_string(outcome->last));
            } else {
                done.push_back(name + "!" + std::to_string(static_cast<int>(outcome.error().code)));
            }
        });
    }
    uint64_t watch(const std::string& name, Offset offset) {
        return partition->watch(offset, [this, name] { done.push_back(name); });
    }
    std::vector<std::string> take_done() { return std::exchange(done, {}); }

    ErrorCode read_error(const Partition::ReadFrom& from) {
        const auto read = partition->read(from);
        return read.ok() ? ErrorCode::none : read.error().code;
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

TEST_F(PartitionTest, AcksAllWaitsForTheSync) {
    append("a", 2);
    EXPECT_THAT(take_done(), IsEmpty());
    EXPECT_EQ(partition->high_watermark(), 0);
    EXPECT_EQ(shards.blocking(), 1u);
    shards.run_one_blocking();
    EXPECT_THAT(take_done(), IsEmpty()) << "the answer arrives on the shard";
    shards.run_posted();
    EXPECT_THAT(take_done(), ElementsAre("a=0-1"));
    EXPECT_EQ(partition->high_watermark(), 2);
    EXPECT_EQ(shards.timers(), 0u);
}

TEST_F(PartitionTest, OneSyncCarriesAllThatCameDuringTheLast) {
    append("a", 1);
    append("b", 1);
    append("c", 3);
    EXPECT_EQ(shards.blocking(), 1u) << "one at a time";
    shards.run_one_blocking();
    shards.run_posted();
    EXPECT_THAT(take_done(), ElementsAre("a=0-0"));
    EXPECT_EQ(shards.blocking(), 1u) << "the next starts at once";
    shards.settle();
    EXPECT_THAT(take_done(), ElementsAre("b=1-1", "c=2-4"));
    EXPECT_EQ(disk.count(io::MemoryDisk::Operation::sync) > 0, true);
}

TEST_F(PartitionTest, AcksOneAndZeroAnswerAfterTheAppend) {
    append("a", 1, Acks::leader);
    append("b", 1, Acks::none);
    EXPECT_THAT(take_done(), ElementsAre("a=0-0", "b=1-1"));
    EXPECT_EQ(partition->high_watermark(), 0) << "not safe, so not to be read";
    shards.settle();
    EXPECT_EQ(partition->high_watermark(), 2);
}

TEST_F(PartitionTest, WriteCachingAnswersFromMemoryAndFlushesBehind) {
    reopen({.write_caching = true}, 1);
    append("a", 1);
    EXPECT_THAT(take_done(), ElementsAre("a=0-0"));
    EXPECT_EQ(partition->high_watermark(), 1);
    EXPECT_EQ(shards.blocking(), 0u);
    append("b", 1);
    EXPECT_EQ(shards.timers(), 1u) << "one flush for both";
    shards.pass(milliseconds(1000));
    EXPECT_EQ(shards.blocking(), 1u);
    append("c", 1);
    shards.settle();
    EXPECT_EQ(partition->log().synced(), 2);
    shards.pass(milliseconds(1000));
    shards.settle();
    EXPECT_EQ(partition->log().synced(), 3);
    EXPECT_EQ(shards.timers(), 0u);
}

TEST_F(PartitionTest, WriteCachingTurnedOffSyncsWhatIsCached) {
    reopen({.write_caching = true}, 1);
    append("a", 1);
    partition->set_config(config, {});
    EXPECT_EQ(partition->high_watermark(), 1) << "it never goes back";
    shards.settle();
    EXPECT_EQ(partition->log().synced(), 1);
    take_done();
    append("b", 1);
    EXPECT_THAT(take_done(), IsEmpty());
}

TEST_F(PartitionTest, WriteCachingTurnedOnFreesWhatWaits) {
    append("a", 1);
    partition->set_config(config, {.write_caching = true});
    EXPECT_THAT(take_done(), ElementsAre("a=0-0"));
}

TEST_F(PartitionTest, ATimeOutAnswersOnceAndKeepsTheRecords) {
    append("a", 1);
    shards.pass(timeout);
    EXPECT_THAT(take_done(), ElementsAre("a!7"));
    shards.settle();
    EXPECT_THAT(take_done(), IsEmpty());
    EXPECT_EQ(partition->high_watermark(), 1);
}

TEST_F(PartitionTest, AFailedSyncFailsWhatWaitsAndAllThatComes) {
    append("a", 1);
    append("b", 1);
    watch("w", 0);
    disk.fail(io::MemoryDisk::Operation::sync);
    shards.settle();
    EXPECT_THAT(take_done(), ElementsAre("a!56", "b!56", "w"));
    append("c", 1);
    append("d", 1, Acks::leader);
    EXPECT_EQ(watch("v", 7), 0u);
    EXPECT_THAT(take_done(), ElementsAre("c!56", "d!56", "v"));
    EXPECT_EQ(read_error({.offset = 0}), ErrorCode::kafka_storage_error);
    EXPECT_EQ(partition->delete_records(-1).error().code, ErrorCode::kafka_storage_error);
    EXPECT_EQ(partition->high_watermark(), 0);
    EXPECT_EQ(shards.blocking(), 0u) << "never tried again";
    EXPECT_FALSE(partition->health().ok());
    partition->maintain(1);
}

TEST_F(PartitionTest, AFailedSyncFencesItsDirectory) {
    dir = std::make_shared<LogDir>(shards, disk, "/data", 0);
    reopen({}, 1);
    disk.fail(io::MemoryDisk::Operation::sync);
    append("a", 1);
    shards.settle();
    EXPECT_THAT(take_done(), ElementsAre("a!56"));
    EXPECT_TRUE(dir->fenced());
}

/// Maintenance would write, and its failure would take away what can still be read.
TEST_F(PartitionTest, InAFencedDirectoryNothingIsWrittenAndAllCanBeRead) {
    dir = std::make_shared<LogDir>(shards, disk, "/data", 0);
    reopen({}, 1);
    append("a", 1);
    shards.settle();
    EXPECT_THAT(take_done(), ElementsAre("a=0-0"));
    dir->fence(base::unavailable("EIO"));
    append("b", 1);
    EXPECT_THAT(take_done(), ElementsAre("b!56"));
    for (const auto what : {io::MemoryDisk::Operation::open, io::MemoryDisk::Operation::rename,
                            io::MemoryDisk::Operation::sync_directory})
        disk.fail(what, 1, 100);
    partition->maintain(io::wall_clock() + 2 * config.segment_ms);
    EXPECT_EQ(read_error({.offset = 0, .max_bytes = 1, .at_least_one = true}), ErrorCode::none);
    EXPECT_EQ(partition->log().end(), 1);
}

TEST_F(PartitionTest, AFailedWriteFailsWhatWaits) {
    append("a", 1);
    disk.fail(io::MemoryDisk::Operation::append);
    append("b", 1);
    EXPECT_THAT(take_done(), ElementsAre("a!56", "b!56"));
    append("c", 1);
    EXPECT_THAT(take_done(), ElementsAre("c!56"));
}

TEST_F(PartitionTest, AFullDiskRefusesWhatComesAndKeepsWhatWaits) {
    append("a", 1);
    disk.set_capacity(1);
    append("b", 1);
    EXPECT_THAT(take_done(), ElementsAre("b!56"));
    shards.settle();
    EXPECT_THAT(take_done(), ElementsAre("a=0-0"));
    disk.heal();
    append("c", 1);
    shards.settle();
    EXPECT_THAT(take_done(), ElementsAre("c=1-1"));
}

TEST_F(PartitionTest, ARetryOfABatchNotYetSafeWaitsToo) {
    const kafka::BatchBuilder::Options producer{
        .producer_id = {5}, .producer_epoch = 0, .base_sequence = 0};
    append("a", 2, Acks::all, producer);
    append("retry", 2, Acks::all, producer);
    EXPECT_THAT(take_done(), IsEmpty());
    shards.settle();
    EXPECT_THAT(take_done(), ElementsAre("a=0-1", "retry=0-1"));
    append("late", 2, Acks::all, producer);
    EXPECT_THAT(take_done(), ElementsAre("late=0-1"));
    EXPECT_EQ(partition->log().end(), 2);
}

TEST_F(PartitionTest, ProducerErrorsAreAnsweredAtOnce) {
    append("a", 1, Acks::all, {.producer_id = {5}, .producer_epoch = 0, .base_sequence = 0});
    append("gap", 1, Acks::all, {.producer_id = {5}, .producer_epoch = 0, .base_sequence = 9});
    EXPECT_THAT(take_done(), ElementsAre("gap!45"));
}

TEST_F(PartitionTest, WatchersWakeWhenTheirOffsetMayBeRead) {
    append("a", 2, Acks::leader);
    watch("at 2", 2);
    watch("at 1", 1);
    watch("at 0", 0);
    const auto key = watch("gone", 1);
    partition->unwatch(key);
    partition->unwatch(key);
    partition->unwatch(0);
    EXPECT_THAT(take_done(), ElementsAre("a=0-1"));
    shards.settle();
    EXPECT_THAT(take_done(), ElementsAre("at 0", "at 1"));
    EXPECT_EQ(watch("now", 1), 0u);
    EXPECT_THAT(take_done(), ElementsAre("now"));
    append("b", 1);
    shards.settle();
    EXPECT_THAT(take_done(), ElementsAre("b=2-2", "at 2"));
}

TEST_F(PartitionTest, ACompletionMayAppendAndWatchAnew) {
    auto first = batch(1);
    auto second = batch(1);
    partition->append(first, Acks::all, timeout, [&](auto) {
        done.push_back("first");
        watch("w", 1);
        partition->append(second, Acks::all, timeout, [&](auto) { done.push_back("second"); });
    });
    shards.settle();
    EXPECT_THAT(take_done(), ElementsAre("first", "second", "w"));
}

TEST_F(PartitionTest, ReadsEndAtTheHighWatermark) {
    append("a", 2);
    shards.settle();
    append("b", 1, Acks::leader);
    const auto read = partition->read({.offset = 0, .max_bytes = 1 << 20});
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->high_watermark, 2);
    EXPECT_EQ(read->last_stable_offset, 2);
    EXPECT_EQ(read->log_start, 0);
    EXPECT_EQ(read->records.next, 2);
    EXPECT_EQ(read->records.bytes, batch(2).size());
    for (const Offset offset : {2, 3}) {
        const auto empty = partition->read({.offset = offset, .max_bytes = 1 << 20});
        ASSERT_TRUE(empty.ok()) << offset;
        EXPECT_EQ(empty->records.bytes, 0u);
        EXPECT_EQ(empty->records.next, offset);
    }
    EXPECT_EQ(read_error({.offset = 4}), ErrorCode::offset_out_of_range);
    EXPECT_EQ(read_error({.offset = -1}), ErrorCode::offset_out_of_range);
}

TEST_F(PartitionTest, ReadsCheckTheLeaderEpoch) {
    partition->assign(led_alone(4));
    EXPECT_EQ(read_error({.offset = 0, .current_epoch = 3}), ErrorCode::fenced_leader_epoch);
    EXPECT_EQ(read_error({.offset = 0, .current_epoch = 5}), ErrorCode::unknown_leader_epoch);
    EXPECT_EQ(read_error({.offset = 0, .current_epoch = 4}), ErrorCode::none);
}

TEST_F(PartitionTest, AReaderOfAnotherHistoryIsToldWhereItParted) {
    append("a", 3);
    partition->assign(led_alone(2));
    append("b", 2);
    shards.settle();
    const auto read = partition->read({.offset = 4, .max_bytes = 1000, .last_fetched_epoch = 0});
    ASSERT_TRUE(read.ok());
    ASSERT_TRUE(read->diverging);
    EXPECT_EQ(read->diverging->epoch, 0);
    EXPECT_EQ(read->diverging->end, 3);
    EXPECT_EQ(read->records.bytes, 0u);
    const auto other = partition->read({.offset = 3, .max_bytes = 1000, .last_fetched_epoch = 1});
    ASSERT_TRUE(other.ok());
    EXPECT_TRUE(other->diverging) << "epoch 1 is not in this log";
    EXPECT_FALSE(partition->read({.offset = 3, .last_fetched_epoch = 0})->diverging);
    EXPECT_FALSE(partition->read({.offset = 5, .last_fetched_epoch = 2})->diverging);
    EXPECT_EQ(read_error({.offset = 3, .last_fetched_epoch = 9}), ErrorCode::offset_out_of_range);
}

TEST_F(PartitionTest, WithoutLeadershipNothingIsServed) {
    reopen({}, -1);
    append("a", 1);
    EXPECT_EQ(watch("w", 0), 0u);
    EXPECT_THAT(take_done(), ElementsAre("a!6", "w"));
    EXPECT_EQ(read_error({.offset = 0}), ErrorCode::not_leader_or_follower);
    EXPECT_EQ(partition->delete_records(-1).error().code, ErrorCode::not_leader_or_follower);
}

TEST_F(PartitionTest, LosingLeadershipFailsWhatWaits) {
    append("a", 1);
    watch("w", 0);
    partition->assign(assigned(1, 1, {0, 7}, {7}));
    EXPECT_THAT(take_done(), ElementsAre("a!6", "w"));
    shards.settle();
    EXPECT_FALSE(partition->leading());
    EXPECT_EQ(partition->high_watermark(), 0);
}

TEST_F(PartitionTest, TooFewInSyncRefusesAcksAllBeforeTheAppend) {
    partition->assign(assigned(1, 1, {0, 1}, {0}, 2));
    append("a", 1);
    EXPECT_THAT(take_done(), ElementsAre("a!19"));
    EXPECT_EQ(partition->log().end(), 0);
    append("b", 1, Acks::leader);
    shards.settle();
    EXPECT_THAT(take_done(), ElementsAre("b=0-0"));
    EXPECT_EQ(partition->high_watermark(), 0);
}

TEST_F(PartitionTest, DeleteRecordsMovesTheStartUpToTheHighWatermark) {
    for (int i = 0; i < 4; ++i) append("a", 1);
    shards.settle();
    append("b", 1, Acks::leader);
    EXPECT_EQ(*partition->delete_records(2), 2);
    EXPECT_EQ(*partition->delete_records(1), 2) << "it does not go back";
    EXPECT_EQ(read_error({.offset = 1}), ErrorCode::offset_out_of_range);
    EXPECT_EQ(partition->delete_records(5).error().code, ErrorCode::offset_out_of_range);
    EXPECT_EQ(partition->delete_records(-2).error().code, ErrorCode::offset_out_of_range);
    EXPECT_EQ(*partition->delete_records(-1), 4);
    EXPECT_EQ(partition->read({.offset = 4})->log_start, 4);
}

TEST_F(PartitionTest, CloseFailsWhatWaitsAndALateSyncFindsNobody) {
    append("a", 2);
    watch("w", 0);
    EXPECT_TRUE(partition->close().ok());
    EXPECT_THAT(take_done(), ElementsAre("a!6", "w"));
    partition.reset();
    shards.settle();
    open({}, 1);
    EXPECT_EQ(partition->log().end(), 2);
    EXPECT_EQ(partition->high_watermark(), 2);
}

TEST_F(PartitionTest, ARecoveredTailIsSyncedBeforeItIsShown) {
    reopen({.write_caching = true}, 1);
    append("a", 3);
    partition->abandon();
    partition.reset();
    open({}, -1);
    EXPECT_EQ(partition->log().end(), 3);
    partition->assign(led_alone(2));
    shards.settle();
    EXPECT_EQ(partition->log().synced(), 3);
    EXPECT_EQ(partition->high_watermark(), 3);
}

TEST_F(PartitionTest, TheHighWatermarkIsCheckpointedNowAndThen) {
    append("a", 2);
    shards.settle();
    partition->maintain(100'000);
    EXPECT_EQ(partition->log().stored_high_watermark(), 2);
    append("b", 1);
    shards.settle();
    partition->maintain(101'000);
    EXPECT_EQ(partition->log().stored_high_watermark(), 2) << "not so soon again";
    partition->maintain(106'000);
    EXPECT_EQ(partition->log().stored_high_watermark(), 3);
    const auto writes = store.writes();
    partition->maintain(120'000);
    EXPECT_EQ(store.writes(), writes) << "nothing new to tell";
}

TEST_F(PartitionTest, AFailedCheckpointStopsThePartition) {
    append("a", 1);
    shards.settle();
    take_done();
    watch("w", 1);
    store.fail_write();
    partition->maintain(100'000);
    EXPECT_THAT(take_done(), ElementsAre("w"));
    append("b", 1);
    EXPECT_THAT(take_done(), ElementsAre("b!56"));
}

/// Broker 0 leads, broker 1 follows and says what it has.
class LeadingPartitionTest : public PartitionTest {
  protected:
    LeadingPartitionTest() {
        partition->assign(assigned(1, 1, {0, 1}, {0, 1}, 2));
        shards.settle();
    }
    void attach(Offset end = 0, base::LeaderEpoch last_epoch = -1) {
        partition->receive(replica::Attach{.from = {1},
                                           .broker_epoch = kBrokerEpoch,
                                           .epoch = 1,
                                           .session = ++session,
                                           .end = end,
                                           .synced = end,
                                           .last_epoch = last_epoch});
    }
    void acknowledge(Offset held, Offset synced) {
        partition->receive(replica::Acknowledgement{.from = {1},
                                                    .broker_epoch = kBrokerEpoch,
                                                    .epoch = 1,
                                                    .session = session,
                                                    .held = held,
                                                    .synced = synced});
    }
    uint64_t session = 0;
};

TEST_F(LeadingPartitionTest, AcksAllWaitsForTheDiskOfTheFollower) {
    attach();
    ASSERT_EQ(peers.sent.size(), 1u);
    EXPECT_EQ(peers.last<replica::AttachReply>().session, 1u);
    const int grown = peers.grown_count;
    append("a", 2);
    EXPECT_GT(peers.grown_count, grown) << "before this disk has it";
    shards.settle();
    EXPECT_THAT(take_done(), IsEmpty());
    acknowledge(2, 0);
    EXPECT_THAT(take_done(), IsEmpty()) << "in memory only";
    acknowledge(2, 2);
    EXPECT_THAT(take_done(), ElementsAre("a=0-1"));
    EXPECT_EQ(partition->high_watermark(), 2);
}

TEST_F(LeadingPartitionTest, WithWriteCachingTheMemoryOfTheFollowerIsEnough) {
    partition->set_config(config, {.write_caching = true});
    attach();
    append("a", 1);
    EXPECT_THAT(take_done(), IsEmpty());
    acknowledge(1, 0);
    EXPECT_THAT(take_done(), ElementsAre("a=0-0"));
}

TEST_F(LeadingPartitionTest, AnIsrThatBecomesTooSmallAnswersWhatWaits) {
    attach();
    append("a", 1);
    partition->assign(assigned(1, 2, {0, 1}, {0}, 2));
    EXPECT_THAT(take_done(), ElementsAre("a!20"));
    shards.settle();
    EXPECT_EQ(partition->high_watermark(), 0) << "whoever left the ISR has all that is committed";
    append("b", 1);
    EXPECT_THAT(take_done(), ElementsAre("b!19"));
}

TEST_F(LeadingPartitionTest, ASilentFollowerIsToLeaveTheIsr) {
    attach();
    append("a", 1);
    shards.settle();
    shards.pass(milliseconds(30'500));
    partition->tick();
    ASSERT_EQ(peers.proposals.size(), 1u);
    EXPECT_EQ(peers.proposals[0].isr.size(), 1u);
    partition->answered(peers.proposals[0].number, replica::Answer::taken);
    EXPECT_EQ(partition->high_watermark(), 0) << "an answer moves nothing";
    partition->assign(assigned(1, 2, {0, 1}, {0}, 1));
    EXPECT_EQ(partition->high_watermark(), 1);
}

TEST_F(LeadingPartitionTest, ALostFollowerAndOneOfAnotherLifeAreDetached) {
    attach();
    partition->follower_lost({1});
    EXPECT_EQ(peers.detached, std::vector<int>{1});
    attach();
    auto anew = assigned(1, 1, {0, 1}, {0, 1}, 2);
    anew.brokers[base::BrokerId{1}].epoch = kBrokerEpoch + 1;
    partition->assign(anew);
    EXPECT_EQ(peers.detached, (std::vector<int>{1, 1}));
}

TEST_F(LeadingPartitionTest, WhoIsCutOffFromControllerAndFollowerTurnsClientsAway) {
    attach();
    append("a", 1);
    partition->set_in_session(false);
    EXPECT_THAT(take_done(), IsEmpty()) << "the follower is there: it can go on";
    partition->follower_lost({1});
    watch("w", 1);
    partition->tick();
    EXPECT_THAT(take_done(), ElementsAre("w", "a!6"));
    append("b", 1);
    EXPECT_THAT(take_done(), ElementsAre("b!6"));
    EXPECT_EQ(read_error({.offset = 0}), ErrorCode::not_leader_or_follower);
    attach(1, 1);
    EXPECT_EQ(read_error({.offset = 0}), ErrorCode::none);
    partition->follower_lost({1});
    partition->set_in_session(true);
    append("c", 1, Acks::leader);
    EXPECT_THAT(take_done(), ElementsAre("c=1-1"));
}

TEST_F(LeadingPartitionTest, AFailedSyncDetachesItsFollowersAndLeadsNoMore) {
    attach();
    append("a", 1);
    disk.fail(io::MemoryDisk::Operation::sync);
    shards.settle();
    EXPECT_THAT(take_done(), ElementsAre("a!56"));
    EXPECT_EQ(peers.detached, std::vector<int>{1});
    EXPECT_FALSE(partition->leading());
}

TEST_F(LeadingPartitionTest, ADeletedStartIsForItsFollowersToKnow) {
    attach();
    append("a", 2);
    shards.settle();
    acknowledge(2, 2);
    const int grown = peers.grown_count;
    EXPECT_EQ(*partition->delete_records(1), 1);
    EXPECT_GT(peers.grown_count, grown);
}

/// Broker 1 leads, broker 0 follows.
class FollowingPartitionTest : public PartitionTest {
  protected:
    FollowingPartitionTest() { follow(1); }
    void follow(base::LeaderEpoch epoch) {
        partition->assign(assigned(epoch, epoch, {0, 1}, {1, 0}));
        shards.settle();
    }
    replica::Attach asked() const { return peers.last<replica::Attach>(); }
    void answer(decltype(replica::AttachReply::outcome) outcome) {
        partition->receive(replica::AttachReply{
            .epoch = asked().epoch, .session = asked().session, .outcome = outcome});
    }
    base::Bytes numbered(Offset first, int records, base::LeaderEpoch epoch) {
        auto bytes = batch(records);
        kafka::BatchEditor editor(bytes);
        editor.set_base_offset(first);
        editor.set_leader_epoch(epoch);
        return bytes;
    }
    replica::Offer offer(const replica::Attach& to, Offset from, Offset high_watermark) const {
        return {.epoch = to.epoch,
                .session = to.session,
                .from = from,
                .high_watermark = high_watermark,
                .start = 0};
    }
};

TEST_F(FollowingPartitionTest, ItTakesWhatTheLeaderSendsAndTellsWhatItHas) {
    const auto attach = asked();
    EXPECT_EQ(peers.sent.back().first, 1);
    EXPECT_EQ(attach.end, 0);
    answer(replica::Accepted{0, 0, 0});
    partition->receive(offer(attach, 0, 0), numbered(0, 3, 1));
    EXPECT_EQ(partition->log().end(), 3);
    EXPECT_EQ(peers.last<replica::Acknowledgement>().held, 3);
    EXPECT_EQ(peers.last<replica::Acknowledgement>().synced, 0);
    shards.settle();
    EXPECT_EQ(peers.last<replica::Acknowledgement>().synced, 3);
    watch("w", 1);
    EXPECT_THAT(take_done(), IsEmpty());
    partition->receive(offer(attach, 3, 2), {});
    EXPECT_EQ(partition->high_watermark(), 2);
    EXPECT_THAT(take_done(), ElementsAre("w"));
    EXPECT_EQ(read_error({.offset = 0}), ErrorCode::not_leader_or_follower);
    const auto read = partition->read({.offset = 0, .max_bytes = 1000, .from_follower = true});
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->high_watermark, 2);
}

TEST_F(FollowingPartitionTest, ItCutsWhatItsLeaderHasNotAndStoresALowerHighWatermark) {
    partition->assign(led_alone(2));
    append("a", 4);
    shards.settle();
    partition->maintain(100'000);
    EXPECT_EQ(partition->log().stored_high_watermark(), 4);
    follow(3);
    EXPECT_EQ(asked().end, 4);
    EXPECT_EQ(asked().last_epoch, 2);
    answer(replica::Diverged{{1, 0}});
    EXPECT_EQ(partition->log().end(), 0);
    EXPECT_EQ(partition->log().stored_high_watermark(), 0);
    EXPECT_EQ(partition->high_watermark(), 0);
    EXPECT_EQ(asked().end, 0) << "it asks again";
}

TEST_F(FollowingPartitionTest, ItBeginsAnewWhereItsLeaderBegins) {
    answer(replica::Restart{70});
    EXPECT_EQ(partition->log().start(), 70);
    EXPECT_EQ(asked().end, 70);
    const auto attach = asked();
    answer(replica::Accepted{70, 70, 70});
    partition->receive(offer(attach, 70, 70), numbered(70, 1, 1));
    EXPECT_EQ(partition->log().end(), 71);
}

TEST_F(FollowingPartitionTest, WhatCanNotBeTakenIsAskedForAgainLater) {
    const auto attach = asked();
    answer(replica::Accepted{0, 0, 0});
    auto damaged = numbered(0, 1, 1);
    damaged.back() ^= std::byte{1};
    const auto sent = peers.sent.size();
    partition->receive(offer(attach, 0, 0), damaged);
    partition->receive(offer(attach, 0, 0), numbered(0, 1, 1));
    EXPECT_EQ(partition->log().end(), 0);
    EXPECT_EQ(peers.sent.size(), sent) << "not at once, that would go on and on";
    shards.pass(milliseconds(1000));
    partition->tick();
    EXPECT_GT(asked().session, attach.session);
    const auto again = asked();
    answer(replica::Accepted{0, 0, 0});
    partition->receive(offer(again, 0, 0), numbered(0, 1, 1));
    EXPECT_EQ(partition->log().end(), 1);
}

TEST_F(FollowingPartitionTest, AFullDiskTakesNothingOfTheReserve) {
    ASSERT_TRUE(disk.make_directories("/data").ok());
    disk.set_capacity(500);
    dir = std::make_shared<LogDir>(shards, disk, "/data", 1000);
    reopen({}, -1);
    follow(1);
    const auto attach = asked();
    answer(replica::Accepted{0, 0, 0});
    partition->receive(offer(attach, 0, 0), numbered(0, 1, 1));
    EXPECT_EQ(partition->log().end(), 0);
    EXPECT_TRUE(partition->health().ok());
}

TEST_F(FollowingPartitionTest, NothingHappensByAnImageThatKnowsAnotherProcess) {
    partition->registered(kBrokerEpoch + 1);
    const auto sent = peers.sent.size();
    follow(2);
    EXPECT_EQ(peers.sent.size(), sent);
    auto known = assigned(2, 2, {0, 1}, {1, 0});
    known.brokers[kSelf].epoch = kBrokerEpoch + 1;
    partition->assign(known);
    EXPECT_EQ(asked().broker_epoch, kBrokerEpoch + 1);
}

}  // namespace
}  // namespace replication
