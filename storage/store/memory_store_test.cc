#include "storage/store/memory_store.h"

#include <gmock/gmock.h>

#include <set>

namespace storage {
namespace {

using Durability = Store::Durability;

base::Status write(Store& store, int i, Durability durability) {
    WriteBatch batch;
    batch.put("left/" + std::to_string(i), "");
    batch.put("right/" + std::to_string(i), "");
    return store.write(batch, durability);
}

/// Batches 0 to n - 1 are there whole and nothing else; returns n.
size_t batches(const Store& store) {
    size_t n = 0;
    while (store.get("left/" + std::to_string(n))->has_value()) {
        EXPECT_TRUE(store.get("right/" + std::to_string(n))->has_value());
        ++n;
    }
    size_t rows = 0;
    EXPECT_TRUE(store.scan("", [&](auto, auto) { return ++rows > 0; }).ok());
    EXPECT_EQ(rows, 2 * n);
    return n;
}

TEST(MemoryStore, PowerLossDropsUnsyncedBatchesFromTheEnd) {
    MemoryStore store;
    for (int i = 0; i < 9; ++i)
        ASSERT_TRUE(write(store, i, i == 4 ? Durability::synced : Durability::buffered).ok());
    std::set<size_t> seen;
    for (uint64_t seed = 0; seed < 200; ++seed) {
        seen.insert(batches(*store.after_power_loss(seed)));
        EXPECT_EQ(batches(*store.after_power_loss(seed)), batches(*store.after_power_loss(seed)));
    }
    EXPECT_THAT(seen, testing::ElementsAre(5, 6, 7, 8, 9));
    EXPECT_EQ(batches(store), 9);
    EXPECT_EQ(batches(*store.after_process_crash()), 9);
    EXPECT_EQ(store.writes(), 9);
}

TEST(MemoryStore, AProcessCrashDoesNotSync) {
    MemoryStore store;
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(write(store, i, Durability::buffered).ok());
    auto next = store.after_process_crash();
    std::set<size_t> seen;
    for (uint64_t seed = 0; seed < 100; ++seed) seen.insert(batches(*next->after_power_loss(seed)));
    EXPECT_THAT(seen, testing::ElementsAre(0, 1, 2, 3));
}

TEST(MemoryStore, FailsOnCommandAndStaysFailed) {
    MemoryStore store;
    store.fail_write(2);
    ASSERT_TRUE(write(store, 0, Durability::synced).ok());
    EXPECT_EQ(write(store, 1, Durability::synced).code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(write(store, 2, Durability::synced).code(), absl::StatusCode::kUnavailable);
    EXPECT_FALSE(store.get("left/0").ok());
    EXPECT_FALSE(store.scan("", [](auto, auto) { return true; }).ok());
    std::set<size_t> seen;
    for (uint64_t seed = 0; seed < 50; ++seed) seen.insert(batches(*store.after_power_loss(seed)));
    EXPECT_THAT(seen, testing::ElementsAre(1, 2));
}

}  // namespace
}  // namespace storage
