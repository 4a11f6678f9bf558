#include "storage/recovery.h"

#include "storage/log_fixture.h"

namespace storage {
namespace {

class RecoveryTest : public LogTest {
  protected:
    /// Ten batches in segments 0, 4 and 8, all synced and below the stored recovery point.
    void ten_stored() {
        open();
        append_many(10);
        sync();
        ASSERT_TRUE(log->checkpoint(10).ok());
        crash();
    }
    void expect_refused(const std::string& words) {
        const auto opened = try_open();
        ASSERT_FALSE(opened.ok());
        EXPECT_TRUE(absl::IsDataLoss(opened.status())) << opened.status();
        EXPECT_NE(base::message(opened.status()).find(words), std::string::npos) << opened.status();
    }
    void overwrite(const std::string& file, uint64_t size) {
        ASSERT_TRUE(disk->open(file, io::Open::existing).value()->truncate(size).ok());
    }
};

TEST_F(RecoveryTest, KillLosesNothing) {
    open();
    append_many(10);
    crash();
    open();
    EXPECT_EQ(log->end(), 10);
    EXPECT_EQ(log->synced(), 10) << "recovery syncs what it found";
    EXPECT_EQ(log->recovery().checked_bytes, 10 * batch_bytes);
    lose_power(5);
    open();
    EXPECT_EQ(log->end(), 10);
}

TEST_F(RecoveryTest, ATornTailIsCutAndCounted) {
    open();
    append_many(6);
    log.reset();
    overwrite(path(4), 2 * batch_bytes - 7);
    open();
    EXPECT_EQ(log->end(), 5);
    EXPECT_EQ(log->recovery().cut_bytes, batch_bytes - 7);
    append_many(1);
    EXPECT_EQ(log->end(), 6);
}

TEST_F(RecoveryTest, UnsyncedSegmentsAfterATornOneGo) {
    open();
    append_many(10);
    log.reset();
    overwrite(path(4), batch_bytes + 30);
    open();
    EXPECT_EQ(log->end(), 5);
    EXPECT_EQ(log->recovery().dropped_segments, 1u);
    EXPECT_FALSE(has(segment_name(8)));
}

TEST_F(RecoveryTest, ReadsOnlyPastTheRecoveryPoint) {
    config.segment_bytes = 1 << 20;
    open();
    append_many(2000);
    sync();
    ASSERT_TRUE(log->checkpoint(2000).ok());
    append_many(3);
    crash();
    const auto before = disk->count(io::MemoryDisk::Operation::read);
    open();
    EXPECT_EQ(log->end(), 2003);
    EXPECT_EQ(log->recovery().checked_bytes, 3 * batch_bytes);
    EXPECT_LT(disk->count(io::MemoryDisk::Operation::read) - before, 100u);
    const auto read = log->read(1000, 1001, 1 << 20, false);
    ASSERT_TRUE(read.ok()) << "the index is made when it is needed first";
    EXPECT_EQ(read->next, 1001);
}

TEST_F(RecoveryTest, DamageBelowTheRecoveryPointIsNeverCut) {
    ten_stored();
    ASSERT_TRUE(disk->remove("data/topic-0/" + index_name(4)).ok());
    disk->flip_bit(path(4), batch_bytes + 100, 2);
    open();
    EXPECT_EQ(log->end(), 10);
    EXPECT_EQ(log->damaged()->base, 4);
    EXPECT_EQ(log->recovery().damaged_segments, 1u);
    EXPECT_TRUE(absl::IsDataLoss(log->read(5, 10, 1 << 20, true).status()));
    EXPECT_EQ(log->read(0, 10, 1 << 20, true)->next, 4);
    EXPECT_EQ(disk->open(path(4), io::Open::read_only).value()->size(), 4 * batch_bytes);
}

TEST_F(RecoveryTest, DamageFoundByAReadIsSaid) {
    ten_stored();
    open();
    disk->flip_bit(path(4), batch_bytes + 16, 1);  // the magic byte of offset 5
    const auto read = log->read(5, 6, 100, true);
    EXPECT_TRUE(absl::IsDataLoss(read.status())) << read.status();
    EXPECT_TRUE(log->read(4, 5, 100, true).ok());
}

TEST_F(RecoveryTest, AMissingSegmentIsDataLoss) {
    ten_stored();
    ASSERT_TRUE(disk->remove(path(4)).ok());
    expect_refused("the next segment begins at 8");
}

TEST_F(RecoveryTest, TheFirstSegmentMissingIsDataLoss) {
    ten_stored();
    ASSERT_TRUE(disk->remove(path(0)).ok());
    expect_refused("no segment holds offset 0");
}

TEST_F(RecoveryTest, TheLastSegmentMissingIsDataLoss) {
    ten_stored();
    ASSERT_TRUE(disk->remove(path(8)).ok());
    expect_refused("before the recovery point 10");
}

TEST_F(RecoveryTest, AnEmptiedSegmentIsDataLoss) {
    ten_stored();
    overwrite(path(4), 0);
    expect_refused(segment_name(4));
}

TEST_F(RecoveryTest, AShortenedLastSegmentIsDataLoss) {
    ten_stored();
    overwrite(path(8), batch_bytes);
    expect_refused("before the recovery point");
}

TEST_F(RecoveryTest, OverlappingSegmentsAreDataLoss) {
    ten_stored();
    ASSERT_TRUE(disk->rename(path(8), path(7)).ok());
    expect_refused("the next segment begins at 7");
}

TEST_F(RecoveryTest, ForeignFilesAreLeftAlone) {
    ten_stored();
    for (const char* name : {"notes.txt", "12.log", "0000000000000000000x.log"}) {
        ASSERT_TRUE(disk->open("data/topic-0/" + std::string(name), io::Open::create).ok());
    }
    open();
    EXPECT_EQ(log->end(), 10);
    EXPECT_TRUE(has("notes.txt") && has("12.log") && has("0000000000000000000x.log"));
}

TEST_F(RecoveryTest, RemainsOfRetentionGo) {
    ten_stored();
    ASSERT_TRUE(disk->rename(path(0), path(0) + ".deleted").ok());
    expect_refused("no segment holds offset 0");
    EXPECT_FALSE(has(segment_name(0) + ".deleted"));
}

TEST_F(RecoveryTest, IndexesAreRebuilt) {
    for (const uint64_t at : {3, 30, 68, 80}) {
        ten_stored();
        disk->flip_bit("data/topic-0/" + index_name(4), at, 5);
        open();
        const auto read = log->read(6, 7, 1000, false);
        ASSERT_TRUE(read.ok()) << read.status();
        EXPECT_EQ(read->bytes, batch_bytes);
        log.reset();
        ASSERT_TRUE(Log::destroy(place()).ok());
    }
}

TEST_F(RecoveryTest, AnIndexFromAnotherTimeIsNotBelieved) {
    ten_stored();
    const std::string index = "data/topic-0/" + index_name(4);
    SparseIndex lie;
    lie.add({1, 5, now});
    ASSERT_TRUE(lie.save(*disk, index, {4, 8, 4 * batch_bytes, now, now + 9, now}).ok());
    open();
    const auto read = log->read(6, 7, 1000, false);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->next, 7);
}

TEST_F(RecoveryTest, ADamagedCheckpointIsDataLoss) {
    ten_stored();
    WriteBatch bad;
    bad.put(checkpoint_key(id), "nonsense");
    ASSERT_TRUE(store->write(bad, Store::Durability::synced).ok());
    expect_refused("checkpoint");
}

TEST_F(RecoveryTest, ALostStoreIsReplacedByReadingAll) {
    ten_stored();
    store = std::make_unique<MemoryStore>();
    open();
    EXPECT_EQ(log->start(), 0);
    EXPECT_EQ(log->end(), 10);
    EXPECT_EQ(log->end_of_epoch(1).end, 10);
}

TEST_F(RecoveryTest, ADamagedProducerSnapshotIsDoneWithout) {
    open();
    for (int i = 0; i < 6; ++i) ASSERT_TRUE(append(from_producer(7, i)).ok());
    ASSERT_TRUE(log->close(6).ok());
    const std::string expected = log->producers().serialize();
    log.reset();
    WriteBatch bad;
    bad.put(snapshot_key(id, 6), "nonsense");
    bad.put(snapshot_key(id, 4), std::string(40, 'x'));
    ASSERT_TRUE(store->write(bad, Store::Durability::synced).ok());
    open();
    EXPECT_EQ(log->producers().serialize(), expected);
}

TEST_F(RecoveryTest, AStartPastTheEndBeginsAnewThere) {
    open();
    append_many(2);
    sync();
    append_many(4);
    ASSERT_TRUE(log->advance_start(5).ok());
    log.reset();
    ASSERT_TRUE(disk->remove(path(4)).ok());  // as a power loss may leave it
    overwrite(path(0), 2 * batch_bytes + 9);
    open();
    EXPECT_EQ(log->start(), 5);
    EXPECT_EQ(log->end(), 5);
    append_many(1);
    EXPECT_EQ(log->end(), 6);
}

TEST_F(RecoveryTest, ARestartIsFinishedAfterACrashAtAnyStep) {
    for (uint64_t steps = 0; steps < 12; ++steps) {
        open();
        append_many(10);
        sync();
        disk->stop_after(steps);
        const bool done = log->restart_at(100).ok();
        lose_power(steps);
        open();
        EXPECT_EQ(log->start(), 100) << steps;
        EXPECT_EQ(log->end(), 100) << steps;
        log.reset();
        ASSERT_TRUE(Log::destroy(place()).ok());
        if (done) return;
    }
    FAIL() << "more steps than expected";
}

TEST_F(RecoveryTest, EveryStepOfARecoveryMayBeInterrupted) {
    open();
    append_many(3);
    sync();
    ASSERT_TRUE(log->checkpoint(3).ok());
    append_many(7);
    for (uint64_t steps = 0; steps < 40; ++steps) {
        auto image = disk->after_process_crash();
        const auto rows = store->after_process_crash();
        image->stop_after(steps);
        const bool done =
            Log::open({"data/topic-0", id, image.get(), rows.get()}, config, now).ok();
        const auto next = image->after_power_loss(steps);
        const auto next_rows = rows->after_power_loss(steps);
        const auto opened =
            Log::open({"data/topic-0", id, next.get(), next_rows.get()}, config, now);
        ASSERT_TRUE(opened.ok()) << steps << ": " << opened.status();
        EXPECT_GE((*opened)->end(), done ? 10 : 3) << steps;
        if (done) return;
    }
    FAIL() << "more steps than expected";
}

/// The row named a segment whose file a power loss took; the one before was then read under the
/// epochs of all.
TEST_F(RecoveryTest, TheRecoveryPointMovesToAnEmptySegmentOnlyOnceItsFileIsSynced) {
    for (uint64_t seed = 1; seed <= 30; ++seed) {
        config.segment_ms = 1000;
        open();
        append_many(2);
        base::Bytes newer = batch();
        ASSERT_TRUE(log->append(newer, 2, now).ok());
        sync();
        ASSERT_TRUE(log->checkpoint(3).ok());
        ASSERT_TRUE(log->maintain(now + 10'000).ok());
        ASSERT_TRUE(has(segment_name(3))) << "rolled by time";
        crash();
        open();
        ASSERT_TRUE(log->checkpoint(3).ok());
        lose_power(seed);
        ASSERT_NO_FATAL_FAILURE(open()) << seed;
        ASSERT_EQ(log->end(), 3) << seed;
        log.reset();
        ASSERT_TRUE(Log::destroy(place()).ok());
    }
}

/// Files below the start went, and then the snapshot that was to stand in for them was lost.
TEST_F(RecoveryTest, SnapshotsOutlastTheFilesThatTheyStandFor) {
    for (uint64_t seed = 1; seed <= 30; ++seed) {
        open();
        for (int i = 0; i < 4; ++i) ASSERT_TRUE(append(from_producer(5, i)).ok());
        sync();
        ASSERT_TRUE(log->advance_start(4).ok());
        append_many(3);  // rolls, with a snapshot at 4 that nothing syncs
        sync();
        ASSERT_TRUE(log->close(7).ok());
        crash();
        open();
        ASSERT_EQ(log->producers().states().size(), 1u);
        lose_power(seed);
        ASSERT_NO_FATAL_FAILURE(open()) << seed;
        ASSERT_EQ(log->end(), 7);
        ASSERT_EQ(log->producers().states().size(), 1u) << seed;
        log.reset();
        ASSERT_TRUE(Log::destroy(place()).ok());
    }
}

}  // namespace
}  // namespace storage
