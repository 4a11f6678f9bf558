#include "storage/index.h"

#include <gtest/gtest.h>

#include "io/memory_disk.h"

namespace storage {
namespace {

SparseIndex hundred() {
    SparseIndex index;
    for (uint32_t i = 1; i <= 100; ++i) index.add({10 * i, 1000 * i, 5000 + 7 * (i / 2)});
    return index;
}

void expect_finds(const SparseIndex& index) {
    EXPECT_EQ(index.at_offset(9)->position, 0u) << "before the first entry: the beginning";
    EXPECT_EQ(index.at_offset(10)->position, 1000u);
    EXPECT_EQ(index.at_offset(559)->position, 55'000u);
    EXPECT_EQ(index.at_offset(100'000)->position, 100'000u);
    EXPECT_EQ(index.at_position(54'321)->relative_offset, 540u);
    EXPECT_EQ(index.before_timestamp(5000)->position, 0u) << "strictly before";
    EXPECT_EQ(index.before_timestamp(5001)->position, 1000u);
    EXPECT_EQ(index.before_timestamp(5008)->position, 3000u);
}

TEST(SparseIndex, FindsInMemoryAndInAFileAlike) {
    io::MemoryDisk disk;
    expect_finds(hundred());
    const SegmentSummary summary{7, 2000, 123'456, 5, 9000, 10'000};
    ASSERT_TRUE(hundred().save(disk, "/a.index", summary).ok());
    SparseIndex loaded;
    const auto back = SparseIndex::load(disk, "/a.index", loaded);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(back->end, 2000);
    EXPECT_EQ(back->newest, 9000);
    EXPECT_FALSE(loaded.in_memory());
    expect_finds(loaded);
    ASSERT_TRUE(loaded.unload_file().ok());
    EXPECT_TRUE(loaded.in_memory());
    expect_finds(loaded);
}

TEST(SparseIndex, EveryFlippedBitIsFound) {
    io::MemoryDisk disk;
    SparseIndex three;
    for (uint32_t i = 1; i <= 3; ++i) three.add({i, i, i});
    const auto file = three.save(disk, "/a.index", {});
    ASSERT_TRUE(file.ok());
    for (uint64_t at = 0; at < (*file)->size(); ++at) {
        disk.flip_bit("/a.index", at, 3);
        SparseIndex loaded;
        const auto head = SparseIndex::load(disk, "/a.index", loaded);
        EXPECT_TRUE(!head.ok() || absl::IsDataLoss(loaded.at_offset(2).status())) << at;
        disk.flip_bit("/a.index", at, 3);
    }
}

TEST(SparseIndex, CutsBackByPosition) {
    SparseIndex index = hundred();
    index.cut_back(50'000);
    EXPECT_EQ(index.at_offset(100'000)->position, 49'000u);
}

}  // namespace
}  // namespace storage
