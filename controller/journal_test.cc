#include "controller/journal.h"

#include <gtest/gtest.h>

#include "controller/controller.h"
#include "controller/testing.h"
#include "metadata/snapshot.h"
#include "storage/store/memory_store.h"

namespace controller {
namespace {

Entry entry(int64_t index, int64_t term, Records records) {
    return {{index, term}, std::move(records)};
}

/// A topic named after the index.
Entry topic_entry(int64_t index, int64_t term = 1) {
    auto n = static_cast<uint64_t>(index);
    return entry(index, term, {metadata::topic_record("t" + std::to_string(index), {1, n})});
}

class JournalTest : public testing::Test {
  protected:
    /// Appends topics up to the index, one entry a write.
    void fill(int64_t up_to) {
        while (controller.image()->position().index < up_to)
            append(topic_entry(controller.image()->position().index + 1));
    }
    void append(const Entry& e) {
        ASSERT_TRUE(controller.replay({&e, 1}).ok());
        ASSERT_TRUE(journal.append({&e, 1}, *controller.image()).ok());
    }
    static base::Result<metadata::ImagePtr> reopened(storage::Store& store) {
        return Journal(store).open();
    }
    static void damage(storage::MemoryStore& store, const std::string& prefix, bool remove) {
        std::string key, value;
        ASSERT_TRUE(store
                        .scan(prefix,
                              [&](std::string_view k, std::string_view v) {
                                  key = k;
                                  value = v;
                                  return false;
                              })
                        .ok());
        ASSERT_FALSE(key.empty());
        storage::WriteBatch batch;
        value[value.size() / 2] = static_cast<char>(value[value.size() / 2] ^ 1);
        if (remove) batch.remove(key);
        else batch.put(key, value);
        ASSERT_TRUE(store.write(batch, storage::Store::Durability::synced).ok());
    }

    storage::MemoryStore store;
    Journal journal{store, 2000};
    Controller controller{metadata::Image::empty()};
};

TEST_F(JournalTest, AnEmptyStoreIsTheEmptyImage) {
    auto image = journal.open();
    ASSERT_TRUE(image.ok());
    EXPECT_EQ(hash(**image), hash(*metadata::Image::empty()));
    EXPECT_EQ(journal.first(), 1);
    EXPECT_EQ(journal.last().index, 0);
}

TEST_F(JournalTest, GivesBackWhatWasAppended) {
    fill(10);
    Journal again(store);
    auto image = again.open();
    ASSERT_TRUE(image.ok()) << image.status();
    EXPECT_EQ(hash(**image), hash(*controller.image()));
    EXPECT_EQ(again.last(), (metadata::LogPosition{10, 1}));
    auto entries = again.read(4, 1);
    ASSERT_TRUE(entries.ok());
    ASSERT_EQ(entries->size(), 1u) << "at least one, however small the limit";
    EXPECT_EQ((*entries)[0].position.index, 4);
    EXPECT_EQ((*entries)[0].records[0].topic().name(), "t4");
    EXPECT_EQ(again.read(1, 1 << 20)->size(), 10u);
    EXPECT_TRUE(again.read(11, 1)->empty());
}

TEST_F(JournalTest, ASnapshotReplacesTheEntriesBeforeIt) {
    fill(200);
    EXPECT_GT(journal.first(), 1);
    Journal again(store);
    auto image = again.open();
    ASSERT_TRUE(image.ok()) << image.status();
    EXPECT_EQ(hash(**image), hash(*controller.image()));
    EXPECT_EQ(again.first(), journal.first());
    EXPECT_EQ(again.read(1, 1).status().code(), absl::StatusCode::kNotFound);
    size_t entries = 0;
    ASSERT_TRUE(store
                    .scan("m/entry/",
                          [&](auto, auto) {
                              ++entries;
                              return true;
                          })
                    .ok());
    EXPECT_EQ(static_cast<int64_t>(entries), journal.last().index - journal.first() + 1);
    fill(210);
    EXPECT_EQ(hash(**reopened(store)), hash(*controller.image()));
}

TEST_F(JournalTest, ASmallerSnapshotLeavesNoOldChunks) {
    Records many;
    for (uint64_t i = 1; i <= 20'000; ++i)
        many.push_back(metadata::topic_record("topic-with-a-name-" + std::to_string(i), {2, i}));
    append(entry(1, 1, std::move(many)));
    Records gone;
    for (uint64_t i = 1; i <= 20'000; ++i) gone.push_back(metadata::remove_topic_record({2, i}));
    append(entry(2, 1, gone));
    for (int64_t i = 3; journal.snapshot().index < 3; ++i) {
        Records more;
        for (int k = 0; k < 500; ++k)
            more.push_back(metadata::broker_config_record(
                base::BrokerId{1}, "k", std::to_string(i) + std::string(2000, 'v')));
        append(entry(i, 1, std::move(more)));
    }
    size_t chunks = 0;
    ASSERT_TRUE(store
                    .scan("m/chunk/",
                          [&](auto, auto) {
                              ++chunks;
                              return true;
                          })
                    .ok());
    EXPECT_EQ(chunks, 1u);
    EXPECT_EQ(hash(**reopened(store)), hash(*controller.image()));
}

TEST_F(JournalTest, EachStartBeginsAHigherTermAndMakesDurableWhatItFound) {
    EXPECT_EQ(*journal.begin_term(), 1);
    fill(2);
    EXPECT_EQ(*journal.begin_term(), 2);
    EXPECT_EQ(*Journal(store).begin_term(), 3) << "though no entry has it";

    // A write that failed may be found after a kill, and must not be lost after it was found.
    store.fail_write();
    auto e = topic_entry(3);
    ASSERT_TRUE(controller.replay({&e, 1}).ok());
    ASSERT_FALSE(journal.append({&e, 1}, *controller.image()).ok());
    auto killed = store.after_process_crash();
    Journal again(*killed);
    auto found = again.open();
    ASSERT_TRUE(found.ok() && again.begin_term().ok());
    for (uint64_t seed = 0; seed < 8; ++seed) {
        auto image = reopened(*killed->after_power_loss(seed));
        ASSERT_TRUE(image.ok());
        EXPECT_EQ(hash(**image), hash(**found));
    }
}

TEST_F(JournalTest, EntriesOfALostTermAreCutOff) {
    fill(8);
    ASSERT_TRUE(journal.truncate_after(5).ok());
    EXPECT_EQ(journal.last(), (metadata::LogPosition{5, 1}));
    auto image = reopened(store);
    ASSERT_TRUE(image.ok());
    EXPECT_EQ((*image)->position().index, 5);
    EXPECT_FALSE((*image)->topic("t6"));
    Controller other{*image};
    auto next = topic_entry(6, 2);
    ASSERT_TRUE(other.replay({&next, 1}).ok());
    ASSERT_TRUE(journal.append({&next, 1}, *other.image()).ok());
    EXPECT_EQ((*reopened(store))->position(), (metadata::LogPosition{6, 2}));
    ASSERT_TRUE(journal.truncate_after(6).ok()) << "nothing to cut";
    ASSERT_TRUE(journal.truncate_after(0).ok());
    EXPECT_EQ((*reopened(store))->position().index, 0);
}

TEST_F(JournalTest, DamageIsDataLossNotAGuess) {
    fill(200);
    ASSERT_LT(journal.first(), journal.last().index) << "entries after the snapshot";
    for (const std::string prefix : {"m/entry/", "m/chunk/", "m/snapshot"}) {
        for (bool remove : {false, true}) {
            auto copy = store.after_process_crash();
            damage(*copy, prefix, remove);
            EXPECT_EQ(reopened(*copy).status().code(), absl::StatusCode::kDataLoss)
                << prefix << (remove ? " removed" : " with a bit flipped");
        }
    }
}

TEST_F(JournalTest, AnEntryThatDoesNotFitIsRefused) {
    fill(3);
    auto bad = topic_entry(4);
    bad.records = {metadata::remove_topic_record({9, 9})};
    EXPECT_EQ(controller.replay({&bad, 1}).status().code(), absl::StatusCode::kInvalidArgument);
    auto gap = topic_entry(5);
    EXPECT_FALSE(controller.replay({&gap, 1}).ok());
    auto old_term = topic_entry(4, 0);
    EXPECT_FALSE(controller.replay({&old_term, 1}).ok());
    EXPECT_EQ(controller.image()->position().index, 3);
}

}  // namespace
}  // namespace controller
