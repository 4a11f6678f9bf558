#include "storage/checkpoint.h"

#include <gtest/gtest.h>

namespace storage {
namespace {

Checkpoint sample() {
    return {.recovery = {.offset = 12, .segment = 10, .position = 300, .newest = 77},
            .start = 3,
            .high_watermark = 11,
            .lineage = {{1, 3}, {4, 9}}};
}

TEST(Checkpoint, SurvivesSerialization) {
    const auto back = Checkpoint::parse(sample().serialize());
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(back->serialize(), sample().serialize());
    EXPECT_EQ(back->recovery.position, 300u);
    EXPECT_EQ(back->lineage, sample().lineage);
}

TEST(Checkpoint, EveryFlippedBitAndEveryPrefixIsFound) {
    const std::string text = sample().serialize();
    for (size_t i = 0; i < text.size(); ++i) {
        EXPECT_FALSE(Checkpoint::parse(text.substr(0, i)).ok()) << i;
        std::string bad = text;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        EXPECT_FALSE(Checkpoint::parse(bad).ok()) << i;
    }
}

TEST(Checkpoint, NonsenseWithARightChecksumIsRefused) {
    Checkpoint bad = sample();
    bad.recovery.segment = 13;
    EXPECT_FALSE(Checkpoint::parse(bad.serialize()).ok()) << "the offset lies before its segment";
    bad = sample();
    bad.start = -1;
    EXPECT_FALSE(Checkpoint::parse(bad.serialize()).ok());
    bad = sample();
    bad.lineage = {{4, 3}, {1, 9}};
    EXPECT_FALSE(Checkpoint::parse(bad.serialize()).ok());
}

TEST(Checkpoint, KeysSortByOffsetAndPartition) {
    const base::TopicPartition id{{1, 2}, 3};
    EXPECT_LT(snapshot_key(id, 9), snapshot_key(id, 10));
    EXPECT_EQ(parse_snapshot_key(id, snapshot_key(id, 123)), 123);
    EXPECT_EQ(parse_snapshot_key({{1, 2}, 4}, snapshot_key(id, 123)), std::nullopt);
    EXPECT_EQ(parse_snapshot_key(id, snapshot_prefix(id) + "x"), std::nullopt);
    EXPECT_TRUE(checkpoint_key(id).starts_with(row_prefix(id)));
}

}  // namespace
}  // namespace storage
