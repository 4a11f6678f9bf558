#include "kafka/records/batch.h"

#include <gtest/gtest.h>

#include "kafka/records/builder.h"

namespace kafka {
namespace {

base::Bytes sample(BatchBuilder::Options options = {}) {
    BatchBuilder builder(options);
    builder.add(1000, "k", "v");
    builder.add(1007, "k2", "v2");
    return std::move(builder).build();
}

TEST(Batch, HeaderFieldsReadBack) {
    const auto bytes = sample({.base_offset = 40,
                               .leader_epoch = 3,
                               .producer_id = {77},
                               .producer_epoch = 5,
                               .base_sequence = 9,
                               .transactional = true});
    base::View in(bytes);
    const auto batch = take_batch(in);
    ASSERT_TRUE(batch);
    EXPECT_TRUE(in.empty());
    EXPECT_EQ(batch->size(), bytes.size());
    EXPECT_EQ(batch->base_offset(), 40);
    EXPECT_EQ(batch->last_offset(), 41);
    EXPECT_EQ(batch->next_offset(), 42);
    EXPECT_EQ(batch->leader_epoch(), 3);
    EXPECT_EQ(batch->count(), 2);
    EXPECT_EQ(batch->base_timestamp(), 1000);
    EXPECT_EQ(batch->max_timestamp(), 1007);
    EXPECT_EQ(batch->producer_id(), base::ProducerId{77});
    EXPECT_EQ(batch->producer_epoch(), 5);
    EXPECT_EQ(batch->base_sequence(), 9);
    EXPECT_EQ(batch->last_sequence(), 10);
    EXPECT_TRUE(batch->transactional());
    EXPECT_FALSE(batch->control());
    EXPECT_FALSE(batch->compressed());
    EXPECT_EQ(batch->codec(), Codec::none);
    EXPECT_EQ(batch->timestamp_type(), TimestampType::create_time);
    EXPECT_TRUE(batch->crc_ok());
}

TEST(Batch, OffsetAndLeaderEpochLieOutsideTheChecksum) {
    auto bytes = sample();
    BatchEditor editor(bytes);
    editor.set_base_offset(int64_t{1} << 40);
    editor.set_leader_epoch(12);
    EXPECT_TRUE(editor.view().crc_ok());
    EXPECT_EQ(editor.view().base_offset(), int64_t{1} << 40);
    EXPECT_EQ(editor.view().leader_epoch(), 12);
}

TEST(Batch, OtherSettersNeedANewChecksum) {
    auto bytes = sample();
    BatchEditor editor(bytes);
    editor.set_max_timestamp(5);
    EXPECT_FALSE(editor.view().crc_ok());
    editor.update_crc();
    EXPECT_TRUE(editor.view().crc_ok());
    editor.set_timestamp_type(TimestampType::log_append_time);
    EXPECT_EQ(editor.view().timestamp_type(), TimestampType::log_append_time);
    editor.set_codec(Codec::zstd);
    EXPECT_EQ(editor.view().codec(), Codec::zstd);
    EXPECT_EQ(editor.view().timestamp_type(), TimestampType::log_append_time);
    editor.set_timestamp_type(TimestampType::create_time);
    EXPECT_EQ(editor.view().attributes(), 4);
}

TEST(Batch, UnknownCodecIsNamedAsSuch) {
    auto bytes = sample();
    for (int16_t bits = 5; bits < 8; ++bits) {
        BatchEditor(bytes).set_attributes(bits);
        EXPECT_EQ(BatchView(bytes).codec(), std::nullopt);
        EXPECT_TRUE(BatchView(bytes).compressed());
    }
}

TEST(Batch, WalksARangeAndStopsAtATornEnd) {
    auto range = sample();
    const auto size = range.size();
    range.insert(range.end(), range.begin(), range.begin() + static_cast<long>(size));
    for (size_t cut = 0; cut < size; ++cut) {
        auto in = base::View(range).first(size + cut);
        ASSERT_TRUE(take_batch(in));
        EXPECT_FALSE(take_batch(in));
        EXPECT_EQ(in.size(), cut);
        EXPECT_EQ(peek_batch(in).found, BatchPeek::Found::cut) << cut;
        EXPECT_EQ(peek_batch(in).size, cut < batch_frame_size ? 0 : size);
    }
}

TEST(Batch, PeekTellsBadSizesFromOldFormats) {
    auto bytes = sample();
    base::store_be<int32_t>(bytes.data() + batch_field::length, 48);
    EXPECT_EQ(peek_batch(bytes).found, BatchPeek::Found::bad_size);
    base::store_be<int32_t>(bytes.data() + batch_field::length, -1);
    EXPECT_EQ(peek_batch(bytes).found, BatchPeek::Found::bad_size);
    bytes[batch_field::magic] = std::byte{1};
    base::store_be<int32_t>(bytes.data() + batch_field::length, 20);
    EXPECT_EQ(peek_batch(bytes).found, BatchPeek::Found::bad_magic);
    EXPECT_EQ(peek_batch(bytes).magic, 1);
    base::View in(bytes);
    EXPECT_FALSE(take_batch(in));
}

TEST(Batch, SequencesWrapToZero) {
    EXPECT_EQ(sequence_plus(5, 3), 8);
    EXPECT_EQ(sequence_plus(2147483647, 0), 2147483647);
    EXPECT_EQ(sequence_plus(2147483647, 1), 0);
    EXPECT_EQ(sequence_plus(2147483640, 10), 2);
}

}  // namespace
}  // namespace kafka
