#include "storage/log.h"

#include "storage/log_fixture.h"

namespace storage {
namespace {

using kafka::ErrorCode;
using Operation = io::MemoryDisk::Operation;

TEST_F(LogTest, NumbersBatchesInPlace) {
    open();
    base::Bytes first = batch(now, 3);
    ASSERT_TRUE(log->append(first, 4, now).ok());
    base::Bytes second = batch(now, 2);
    const auto done = log->append(second, 5, now);
    ASSERT_TRUE(done.ok());
    EXPECT_EQ(done->first, 3);
    EXPECT_EQ(done->last, 4);
    EXPECT_EQ(done->log_append_time, -1);
    EXPECT_EQ(kafka::BatchView(second).base_offset(), 3);
    EXPECT_EQ(kafka::BatchView(second).leader_epoch(), 5);
    EXPECT_TRUE(kafka::BatchView(second).crc_ok());
    EXPECT_EQ(log->last_epoch(), 5);
    EXPECT_EQ(log->end_of_epoch(4).end, 3);
    EXPECT_EQ(log->synced(), 0);
}

TEST_F(LogTest, GivesTheAppendTimeOfABatchThatHasOne) {
    open();
    const auto done =
        append(batch(now, 1, {.timestamp_type = kafka::TimestampType::log_append_time}));
    ASSERT_TRUE(done.ok());
    EXPECT_EQ(done->log_append_time, now);
}

TEST_F(LogTest, RefusesBatchesThatAreTooLarge) {
    config.max_message_bytes = batch_bytes;
    open();
    EXPECT_EQ(append(batch(now, 2)).error().code, ErrorCode::message_too_large);
    config.max_message_bytes = 1 << 20;
    log->set_config(config);
    EXPECT_EQ(append(batch(now, 20)).error().code, ErrorCode::record_list_too_large);
    EXPECT_EQ(log->end(), 0);
}

TEST_F(LogTest, RefusesAnOlderEpoch) {
    open();
    ASSERT_TRUE(log->begin_epoch(3).ok());
    EXPECT_EQ(append(batch()).error().code, ErrorCode::fenced_leader_epoch);
    EXPECT_FALSE(log->begin_epoch(2).ok());
}

TEST_F(LogTest, AnEpochBeginsEvenIfNothingIsAppended) {
    open();
    append_many(2);
    ASSERT_TRUE(log->begin_epoch(9).ok());
    EXPECT_EQ(log->last_epoch(), 9);
    EXPECT_EQ(log->end_of_epoch(1).end, 2);
    EXPECT_EQ(log->end_of_epoch(9).end, 2);
}

TEST_F(LogTest, AFullDiskPasses) {
    open();
    append_many(1);
    disk->set_capacity(log->size_bytes() + 50);
    EXPECT_EQ(append(batch()).error().code, ErrorCode::kafka_storage_error);
    EXPECT_TRUE(log->health().ok());
    EXPECT_EQ(disk->open(path(0), io::Open::read_only).value()->size(), log->size_bytes());
    disk->heal();
    ASSERT_TRUE(append(batch()).ok());
    EXPECT_EQ(log->end(), 2);
}

TEST_F(LogTest, AFullDiskThatCannotBeCutBackFences) {
    open();
    append_many(1);
    disk->set_capacity(log->size_bytes() + 50);
    disk->fail(Operation::truncate);
    EXPECT_FALSE(append(batch()).ok());
    EXPECT_TRUE(absl::IsUnavailable(log->health()));
}

TEST_F(LogTest, AFailedWriteFencesForGood) {
    open();
    disk->fail(Operation::append);
    EXPECT_EQ(append(batch()).error().code, ErrorCode::kafka_storage_error);
    EXPECT_TRUE(absl::IsUnavailable(log->health()));
    EXPECT_EQ(append(batch()).error().code, ErrorCode::kafka_storage_error);
    EXPECT_FALSE(log->checkpoint(0).ok());
    EXPECT_FALSE(log->take_sync().has_value());
}

TEST_F(LogTest, AFailedSyncFencesAndItsRecordsAreNotTrustedLater) {
    open();
    append_many(2);
    sync();
    append_many(3);
    disk->fail(Operation::sync);
    auto taken = log->take_sync();
    const auto outcome = taken->run();
    EXPECT_FALSE(outcome.ok());
    log->synced(*taken, outcome);
    EXPECT_EQ(log->synced(), 2);
    EXPECT_FALSE(append(batch()).ok());
    EXPECT_FALSE(log->take_sync().has_value()) << "never retried";
    crash();  // the page cache still shows all five
    open();
    EXPECT_EQ(log->end(), 2);
}

TEST_F(LogTest, OneSyncIsOutAtATime) {
    open();
    EXPECT_FALSE(log->take_sync().has_value());
    append_many(1);
    auto first = log->take_sync();
    ASSERT_TRUE(first.has_value());
    append_many(1);
    EXPECT_FALSE(log->take_sync().has_value());
    EXPECT_EQ(first->end(), 1);
    log->synced(*first, first->run());
    EXPECT_EQ(log->synced(), 1);
    sync();
    EXPECT_EQ(log->synced(), 2);
    EXPECT_FALSE(log->take_sync().has_value());
}

// A flush that ends after a truncation must not vouch for what was appended since (a bug that
// Redpanda had).
TEST_F(LogTest, ASyncFromBeforeATruncationSaysNothingOfWhatCameAfter) {
    open();
    append_many(4);
    auto taken = log->take_sync();
    ASSERT_TRUE(log->truncate_to(1).ok());
    EXPECT_EQ(log->synced(), 0) << "the one that is out may fail";
    append_many(3);
    log->synced(*taken, taken->run());
    EXPECT_EQ(log->synced(), 0);
    for (uint64_t seed = 0; seed < 20; ++seed) {
        const auto image = disk->after_power_loss(seed);
        const auto rows = store->after_power_loss(seed);
        const auto opened = Log::open({"data/topic-0", id, image.get(), rows.get()}, config, now);
        ASSERT_TRUE(opened.ok()) << opened.status();
        EXPECT_GE((*opened)->end(), 1);
    }
    sync();
    EXPECT_EQ(log->synced(), 4);
}

TEST_F(LogTest, RollsBySizeTimeAndIndex) {
    open();
    append_many(5);
    EXPECT_TRUE(has(segment_name(4)));
    config.segment_ms = 1000;
    log->set_config(config);
    ASSERT_TRUE(append(batch(now + 2000)).ok());
    EXPECT_TRUE(has(segment_name(5))) << "by the first record's timestamp and this one's";
    ASSERT_TRUE(log->maintain(now + 5000).ok());
    EXPECT_TRUE(has(segment_name(6))) << "by the clock";
    config.segment_bytes = 1 << 20;
    config.segment_ms = 1'000'000;
    config.segment_index_bytes = 3 * SparseIndex::entry_bytes;
    log->set_config(config);
    append_many(5);
    EXPECT_TRUE(has(segment_name(10))) << "three entries fill the index";
}

TEST_F(LogTest, ReplicatedBatchesKeepTheirNumbers) {
    open();
    base::Bytes all;
    for (int i = 0; i < 10; ++i) {
        const auto one = numbered(i, i < 6 ? 1 : 2);
        all.insert(all.end(), one.begin(), one.end());
    }
    ASSERT_TRUE(log->append_replicated(all, 1, now).ok());
    EXPECT_EQ(log->end(), 6) << "stops at an epoch that the fetch did not know";
    EXPECT_TRUE(has(segment_name(4)));
    ASSERT_TRUE(log->append_replicated(base::View(all).subspan(6 * all.size() / 10), 2, now).ok());
    EXPECT_EQ(log->end(), 10);
    EXPECT_EQ(log->end_of_epoch(1).end, 6);
}

TEST_F(LogTest, ReplicatedBatchesMustFollowOn) {
    open();
    ASSERT_TRUE(log->append_replicated(numbered(0, 3), 9, now).ok());
    EXPECT_FALSE(log->append_replicated(numbered(2, 3), 9, now).ok()) << "a gap";
    EXPECT_FALSE(log->append_replicated(numbered(0, 3), 9, now).ok()) << "there already";
    EXPECT_FALSE(log->append_replicated(numbered(1, 2), 9, now).ok()) << "an older epoch";
    auto bad = numbered(1, 3);
    bad.back() ^= std::byte{1};
    EXPECT_FALSE(log->append_replicated(bad, 9, now).ok()) << "a wrong checksum";
    EXPECT_EQ(log->end(), 1);
    EXPECT_TRUE(log->health().ok());
}

TEST_F(LogTest, BeginsAnewWithinABatchOfTheLeaders) {
    open();
    append_many(3);
    ASSERT_TRUE(log->restart_at(52).ok());
    ASSERT_TRUE(log->append_replicated(numbered(50, 2, 5), 2, now).ok());
    EXPECT_EQ(log->start(), 52);
    EXPECT_EQ(log->end(), 55);
    const auto read = log->read(52, 55, 1, true);
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->next, 55);
}

TEST_F(LogTest, ARetryOlderThanTheRetainedSegmentsIsAnswered) {
    open();
    ASSERT_TRUE(append(from_producer(7, 0)).ok());
    ASSERT_TRUE(append(from_producer(7, 1)).ok());
    append_many(8);
    sync();
    config.retention_bytes = batch_bytes;
    log->set_config(config);
    const auto removed = log->apply_retention(log->end(), now);
    ASSERT_TRUE(removed.ok());
    ASSERT_GE(*removed, 1u);
    ASSERT_GT(log->start(), 1);
    const auto retry = append(from_producer(7, 1));
    ASSERT_TRUE(retry.ok());
    EXPECT_TRUE(retry->duplicate);
    EXPECT_EQ(retry->first, 1);
    crash();
    open();
    const auto again = append(from_producer(7, 0));
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->first, 0);
    EXPECT_EQ(append(from_producer(7, 5)).error().code, ErrorCode::out_of_order_sequence_number);
}

TEST_F(LogTest, TruncationTakesProducersBack) {
    open();
    for (int i = 0; i < 6; ++i) ASSERT_TRUE(append(from_producer(7, i)).ok());
    ASSERT_TRUE(log->truncate_to(3).ok());
    EXPECT_EQ(append(from_producer(7, 5)).error().code, ErrorCode::out_of_order_sequence_number);
    const auto next = append(from_producer(7, 3));
    ASSERT_TRUE(next.ok());
    EXPECT_FALSE(next->duplicate);
    EXPECT_EQ(next->first, 3);
}

TEST_F(LogTest, TruncationAtTheEndForgetsAnEpochThatWroteNothing) {
    open();
    append_many(2);
    ASSERT_TRUE(log->begin_epoch(5).ok());
    ASSERT_TRUE(log->truncate_to(2).ok());
    EXPECT_EQ(log->last_epoch(), 1);
    EXPECT_TRUE(log->append_replicated(numbered(2, 4), 6, now).ok());
}

TEST_F(LogTest, TheStoredHighWatermarkGoesBackWithTheLog) {
    open();
    append_many(9);
    ASSERT_TRUE(log->checkpoint(7).ok());
    ASSERT_TRUE(log->truncate_to(5).ok());
    EXPECT_EQ(log->stored_high_watermark(), 5);
    append_many(4);
    crash();
    open();
    EXPECT_EQ(log->end(), 9);
    EXPECT_EQ(log->stored_high_watermark(), 5) << "of the others nobody has said anything";
    ASSERT_TRUE(log->restart_at(3).ok());
    append_many(4);
    crash();
    open();
    EXPECT_EQ(log->end(), 7);
    EXPECT_EQ(log->stored_high_watermark(), 3);
}

TEST_F(LogTest, TheStoredHighWatermarkIsNotPastWhatALossOfPowerLeaves) {
    open();
    append_many(3);
    sync();
    append_many(3);
    ASSERT_TRUE(log->checkpoint(6).ok());
    ASSERT_TRUE(store->write({}, Store::Durability::synced).ok());
    lose_power(1);
    open();
    const auto left = log->end();
    ASSERT_LT(left, 6);
    append_many(3);
    crash();
    open();
    ASSERT_EQ(log->end(), left + 3);
    EXPECT_EQ(log->stored_high_watermark(), left);
}

TEST_F(LogTest, RemovedSegmentsStayReadableForThoseWhoHoldThem) {
    open();
    append_many(9);
    const auto held = log->read(0, 4, 1 << 20, false);
    ASSERT_TRUE(held.ok());
    ASSERT_EQ(held->slices.size(), 1u);
    config.retention_bytes = 1;
    log->set_config(config);
    ASSERT_EQ(*log->apply_retention(8, now), 2u);
    EXPECT_EQ(log->start(), 8);
    EXPECT_TRUE(has(segment_name(0) + ".deleted"));
    ASSERT_TRUE(log->maintain(now + config.file_delete_delay_ms + 1).ok());
    EXPECT_FALSE(has(segment_name(0) + ".deleted"));
    base::Bytes bytes(held->bytes);
    EXPECT_EQ(held->slices[0].file->read_at(0, bytes).value(), bytes.size());
    base::View rest = bytes;
    EXPECT_EQ(kafka::take_batch(rest)->base_offset(), 0);
}

TEST_F(LogTest, WhenAllIsExpiredAnEmptySegmentStays) {
    open();
    append_many(6);
    sync();
    config.retention_ms = 1000;
    log->set_config(config);
    EXPECT_EQ(*log->apply_retention(6, now + 10'000), 2u);
    EXPECT_EQ(log->start(), 6);
    EXPECT_EQ(log->end(), 6);
    EXPECT_EQ(log->size_bytes(), 0u);
    lose_power(3);
    open();
    EXPECT_EQ(log->start(), 6);
    EXPECT_EQ(log->end(), 6);
}

TEST_F(LogTest, FindsRecordsByTimestampInsideCompressedBatches) {
    open();
    kafka::BatchBuilder::Options zipped;
    zipped.compression.codec = kafka::Codec::zstd;
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(append(batch(now + 10 * i, 3, zipped)).ok());
    const auto found = log->find_timestamp(now + 41, log->end());
    ASSERT_TRUE(found.ok() && *found);
    EXPECT_EQ((*found)->offset, 13);
    EXPECT_EQ((*found)->timestamp, now + 41);
    EXPECT_EQ((*found)->epoch, 1);
    EXPECT_FALSE(log->find_timestamp(now + 41, 13)->has_value()) << "below the limit only";
    EXPECT_FALSE(log->find_timestamp(now + 93, log->end())->has_value());
    EXPECT_EQ((*log->max_timestamp(log->end()))->offset, 29);
    EXPECT_EQ((*log->max_timestamp(15))->offset, 14);
}

TEST_F(LogTest, NothingWorksAfterClose) {
    open();
    append_many(2);
    ASSERT_TRUE(log->close(2).ok());
    EXPECT_FALSE(append(batch()).ok());
    EXPECT_FALSE(log->truncate_to(0).ok());
    ASSERT_TRUE(store->write({}, Store::Durability::synced).ok());
    lose_power(1);
    open();
    EXPECT_EQ(log->end(), 2);
    EXPECT_EQ(log->stored_high_watermark(), 2);
    EXPECT_EQ(log->recovery().checked_bytes, 0u);
}

TEST_F(LogTest, DestroyLeavesNothing) {
    open();
    append_many(9);
    ASSERT_TRUE(log->close(9).ok());
    log.reset();
    ASSERT_TRUE(Log::destroy(place()).ok());
    EXPECT_FALSE(disk->exists("data/topic-0"));
    int rows = 0;
    ASSERT_TRUE(store->scan("", [&](auto, auto) { return ++rows > 0; }).ok());
    EXPECT_EQ(rows, 0);
}

TEST_F(LogTest, LeavesNothingOnDiskBeforeTheFirstRecord) {
    const auto rows = [this] {
        int count = 0;
        EXPECT_TRUE(store->scan("", [&](auto, auto) { return ++count > 0; }).ok());
        return count;
    };
    const auto syncs = disk->count(Operation::sync) + disk->count(Operation::sync_directory);
    open();
    ASSERT_TRUE(log->begin_epoch(1).ok());
    ASSERT_TRUE(log->checkpoint(0).ok());
    ASSERT_TRUE(log->maintain(now).ok());
    ASSERT_TRUE(log->truncate_to(0).ok());
    EXPECT_EQ(*log->apply_retention(0, now), 0u);
    EXPECT_EQ(log->take_sync(), std::nullopt);
    EXPECT_TRUE(log->read(0, 0, 100, true)->slices.empty());
    EXPECT_EQ(*log->find_timestamp(0, 0), std::nullopt);
    ASSERT_TRUE(log->close(0).ok());
    EXPECT_FALSE(append(batch()).ok()) << "closed";
    EXPECT_FALSE(disk->exists("data/topic-0"));
    EXPECT_EQ(rows(), 0);
    EXPECT_EQ(disk->count(Operation::sync) + disk->count(Operation::sync_directory), syncs);
    open();
    EXPECT_EQ(log->end(), 0);
    append_many(1);
    EXPECT_TRUE(has(segment_name(0)));
    EXPECT_GT(rows(), 0);
}

TEST_F(LogTest, TheFirstSyncMakesTheDirectoryAndItsRowDurable) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        open();
        append_many(2);
        sync();
        EXPECT_EQ(log->synced(), 2);
        lose_power(seed);
        int rows = 0;
        ASSERT_TRUE(store->scan("", [&](auto, auto) { return ++rows > 0; }).ok());
        EXPECT_GT(rows, 0);
        open();
        ASSERT_EQ(log->end(), 2) << seed;
        log.reset();
        ASSERT_TRUE(Log::destroy(place()).ok());
    }
}

TEST_F(LogTest, WhatAKilledProcessNeverSyncedIsMadeDurableByTheNext) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        open();
        disk->set_capacity(0);  // room for the file, not for the record
        EXPECT_FALSE(append(batch()).ok());
        disk->heal();
        crash();
        open();
        append_many(9);
        sync();
        lose_power(seed);
        open();
        ASSERT_EQ(log->end(), 9) << seed;
        log.reset();
        ASSERT_TRUE(Log::destroy(place()).ok());
    }
}

TEST_F(LogTest, ALogThatIsOnlyPlannedCanBeginElsewhere) {
    open();
    ASSERT_TRUE(log->restart_at(7).ok());
    lose_power(1);
    open();
    EXPECT_EQ(log->start(), 7);
    EXPECT_EQ(log->end(), 7);
}

TEST_F(LogTest, AFailureToMakeTheFirstFileFencesTheLog) {
    open();
    disk->fail(Operation::open, 1);
    EXPECT_FALSE(append(batch()).ok());
    EXPECT_FALSE(log->health().ok());
    crash();
    open();
    append_many(1);
}

TEST_F(LogTest, ClosingWhatDidNotChangeSyncsNothing) {
    open();
    append_many(6);
    sync();
    ASSERT_TRUE(log->close(6).ok());
    open();
    const auto syncs = disk->count(Operation::sync) + disk->count(Operation::sync_directory);
    ASSERT_TRUE(log->close(6).ok());
    EXPECT_EQ(disk->count(Operation::sync) + disk->count(Operation::sync_directory), syncs);
}

}  // namespace
}  // namespace storage
