#include "storage/scrub.h"

#include "storage/log_fixture.h"

namespace storage {
namespace {

constexpr base::Offset kAll = 1 << 20;

/// Ten records in segments 0, 4 and 8, of epochs 1 and 2 (from offset 6 on), all on disk.
class ScrubTest : public LogTest {
  protected:
    void ten_stored() {
        open();
        append_many(6);
        ASSERT_TRUE(log->begin_epoch(2).ok());
        add(6, 10);
        sync();
        ASSERT_TRUE(log->checkpoint(10).ok());
    }
    void ten_stored_anew() {
        LogTest::log.reset();
        disk = std::make_unique<io::MemoryDisk>(1);
        store = std::make_unique<MemoryStore>();
        ASSERT_TRUE(disk->make_directories("data").ok());
        ASSERT_TRUE(disk->sync_directory("/").ok());
        ten_stored();
    }
    void add(int from, int to) {
        for (int i = from; i < to; ++i) {
            auto one = batch(now + i);
            ASSERT_TRUE(log->append(one, 2, now).ok());
        }
    }
    base::Status check(base::Offset base) {
        const auto check = log->check(*log->closed_segment(base, kAll));
        while (true) {
            const auto more = check->step(1);
            if (!more.ok()) return more.status();
            if (!*more) return base::ok();
        }
    }
    /// What another replica sends of [from, to).
    base::Bytes sent(base::Offset from, base::Offset to) {
        base::Bytes out;
        for (auto offset = from; offset < to; ++offset) {
            const auto one =
                batch(now + offset, 1, {.base_offset = offset, .leader_epoch = offset < 6 ? 1 : 2});
            out.insert(out.end(), one.begin(), one.end());
        }
        return out;
    }
    base::Bytes content(base::Offset base) { return *io::read_file(*disk, path(base), 1 << 20); }
    void damage() {
        disk->flip_bit(path(4), batch_bytes + 100, 2);
        ASSERT_TRUE(log->mark_damaged(*log->closed_segment(4, kAll)));
    }
};

TEST_F(ScrubTest, GoesThroughAllClosedSegmentsButNotTheActiveOne) {
    ten_stored();
    EXPECT_EQ(log->closed_segment(0, kAll)->end, 4);
    EXPECT_EQ(log->closed_segment(4, kAll)->end, 8);
    EXPECT_FALSE(log->closed_segment(8, kAll));
    EXPECT_FALSE(log->closed_segment(4, 7)) << "not wholly below the limit";
    EXPECT_TRUE(check(0).ok());
    EXPECT_TRUE(check(4).ok());
    add(10, 13);
    EXPECT_FALSE(log->closed_segment(8, kAll)) << "it is not on disk yet";
}

TEST_F(ScrubTest, EveryBitOfABatchCounts) {
    ten_stored();
    const auto whole = content(4);
    for (uint64_t at = 0; at < whole.size(); ++at) {
        const auto bit = static_cast<unsigned>(at % 8);
        disk->flip_bit(path(4), at, bit);
        const auto found = check(4);
        EXPECT_TRUE(absl::IsDataLoss(found)) << "byte " << at << ": " << found;
        disk->flip_bit(path(4), at, bit);
    }
    EXPECT_TRUE(check(4).ok());
}

TEST_F(ScrubTest, ReadsOfADamagedSegmentAreRefusedAndOthersAreNot) {
    ten_stored();
    damage();
    EXPECT_TRUE(absl::IsDataLoss(log->read(4, 10, 1 << 20, true).status()));
    EXPECT_EQ(log->read(0, 10, 1 << 20, true)->next, 4);
    EXPECT_EQ(log->read(8, 10, 1 << 20, true)->next, 10);
    EXPECT_EQ(log->damaged()->base, 4);
    EXPECT_EQ(log->end(), 10);
}

TEST_F(ScrubTest, DamageIsFoundAgainAfterARestart) {
    for (const bool power_loss : {false, true}) {
        SCOPED_TRACE(power_loss);
        ten_stored_anew();
        damage();
        if (power_loss) lose_power(1);
        else crash();
        open();
        EXPECT_EQ(log->end(), 10) << "nothing is cut";
        EXPECT_EQ(log->recovery().damaged_segments, 1u);
        ASSERT_TRUE(log->damaged());
        EXPECT_EQ(log->damaged()->base, 4);
        EXPECT_EQ(log->damaged()->end, 8);
        EXPECT_TRUE(absl::IsDataLoss(log->read(5, 10, 1 << 20, true).status()));
    }
}

TEST_F(ScrubTest, AnUncleanRestartDoesNotCutAtAFlippedBit) {
    ten_stored();
    add(10, 15);
    disk->flip_bit(path(4), batch_bytes + 100, 2);
    crash();
    open();
    EXPECT_EQ(log->end(), 15);
    EXPECT_TRUE(absl::IsDataLoss(check(4))) << "and the scrub finds it";
}

TEST_F(ScrubTest, MendedItIsAsItWas) {
    ten_stored();
    const auto whole = content(4);
    damage();
    auto copy = log->begin_copy(*log->damaged());
    ASSERT_TRUE(copy.ok()) << copy.status();
    ASSERT_TRUE((*copy)->take(sent(4, 6)).ok());
    EXPECT_EQ((*copy)->next(), 6);
    ASSERT_TRUE((*copy)->take(sent(6, 10)).ok()) << "what is too much is left";
    ASSERT_TRUE((*copy)->complete());
    ASSERT_TRUE((*copy)->sync().ok());
    const auto done = log->mend(*std::move(copy));
    ASSERT_TRUE(done.ok()) << done;
    EXPECT_FALSE(log->damaged());
    EXPECT_EQ(content(4), whole);
    EXPECT_TRUE(check(4).ok());
    EXPECT_EQ(log->read(0, 10, 1 << 20, true)->next, 10);
    EXPECT_EQ(log->find_timestamp(now + 5, 10).value()->offset, 5);
    EXPECT_TRUE(has(index_name(4)));
    for (const bool power_loss : {false, true}) {
        if (power_loss) lose_power(3);
        else crash();
        open();
        EXPECT_FALSE(log->damaged());
        EXPECT_EQ(content(4), whole);
        EXPECT_EQ(log->read(0, 10, 1 << 20, true)->next, 10);
    }
}

TEST_F(ScrubTest, ACopyTakesOnlyWhatWasThere) {
    ten_stored();
    damage();
    auto copy = *log->begin_copy(*log->damaged());
    EXPECT_TRUE(absl::IsDataLoss(copy->take(sent(5, 8)))) << "not what is next";
    EXPECT_TRUE(absl::IsDataLoss(copy->take(numbered(4, 2)))) << "of another epoch";
    auto bad = sent(4, 5);
    bad[100] ^= std::byte{1};
    EXPECT_TRUE(absl::IsDataLoss(copy->take(bad))) << "damaged itself";
    bad = sent(4, 5);
    bad.pop_back();
    EXPECT_TRUE(absl::IsDataLoss(copy->take(bad))) << "torn";
    EXPECT_TRUE(absl::IsDataLoss(copy->take(numbered(4, 1, 5)))) << "past the segment's end";
    EXPECT_EQ(copy->next(), 4);
    EXPECT_TRUE(copy->take(sent(4, 6)).ok());
    EXPECT_FALSE(log->mend(std::move(copy)).ok());
    EXPECT_EQ(log->damaged()->base, 4) << "an incomplete copy takes no place";
    EXPECT_FALSE(has(segment_name(4) + ".copy"));
}

TEST_F(ScrubTest, WhatWasCutOrRemovedMeanwhileIsLeftAlone) {
    ten_stored();
    damage();
    auto copy = *log->begin_copy(*log->damaged());
    ASSERT_TRUE(copy->take(sent(4, 8)).ok());
    ASSERT_TRUE(log->restart_at(20).ok());
    EXPECT_FALSE(log->mend(std::move(copy)).ok());
    EXPECT_FALSE(log->damaged());
    EXPECT_EQ(files(), std::vector<std::string>{segment_name(20)});
}

TEST_F(ScrubTest, ACrashAtAnyMomentLeavesTheOldOrTheNew) {
    for (uint64_t seed = 0; seed < 60; ++seed) {
        SCOPED_TRACE(seed);
        ten_stored_anew();
        const auto whole = content(4);
        damage();
        auto copy = *log->begin_copy(*log->damaged());
        ASSERT_TRUE(copy->take(sent(4, seed % 4 == 0 ? 6 : 8)).ok());
        if (seed % 4 > 1) {
            ASSERT_TRUE(copy->sync().ok());
        }
        const bool mended = seed % 4 > 2;
        if (mended) {
            ASSERT_TRUE(log->mend(std::move(copy)).ok());
        }
        lose_power(seed);
        open();
        EXPECT_FALSE(has(segment_name(4) + ".copy"));
        EXPECT_EQ(log->damaged().has_value(), !mended);
        if (mended) {
            EXPECT_EQ(content(4), whole);
        } else {
            EXPECT_EQ(log->damaged()->base, 4);
        }
    }
}

}  // namespace
}  // namespace storage
