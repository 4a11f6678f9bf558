#include <gmock/gmock.h>

#include "replication/partition_fixture.h"

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
    shards.pass(kTimeout);
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
    partition->append(first, Acks::all, kTimeout, [&](auto) {
        done.push_back("first");
        watch("w", 1);
        partition->append(second, Acks::all, kTimeout, [&](auto) { done.push_back("second"); });
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

}  // namespace
}  // namespace replication
