#include "controller/quorum/upgrade.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/quorum/rows.h"
#include "controller/quorum/sealed.h"
#include "controller/quorum/testing.h"
#include "metadata/snapshot.h"

namespace quorum {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

/// The rows as a node wrote them that was the only controller of its cluster.
class FormatOne {
  public:
    void term(raft::Term term) {
        std::string body;
        put(body, term);
        row("m/term", body);
    }
    void entry(raft::Index index, raft::Term term, const std::string& data) {
        std::string key = "m/entry/";
        put(key, index);
        std::string body;
        put(body, term);
        row(key, body + data);
    }
    void snapshot(const metadata::Image& image) {
        const auto chunks = chunks_of(image, 50);
        std::string body;
        put(body, image.position().index);
        put(body, image.position().term);
        put(body, static_cast<uint32_t>(chunks.size()));
        put<uint32_t>(body, 1);
        row("m/snapshot", body);
        for (uint32_t i = 0; i < chunks.size(); ++i) {
            std::string key = "m/chunk/";
            put(key, i);
            row(key, chunks[i]);
        }
    }
    void row(const std::string& key, const std::string& body) {
        write_row(store, key, seal(key, body));
    }

  private:
    std::unique_ptr<storage::MemoryStore> kept_ = std::make_unique<storage::MemoryStore>();

  public:
    storage::MemoryStore& store = *kept_;
};

std::string founding_data() {
    metadata::v1::Entry entry;
    *entry.add_records() = metadata::cluster_record(kCluster);
    return entry.SerializeAsString();
}

/// Entry 1 founds the cluster, entry n + 1 makes topic n.
FormatOne entries_only() {
    FormatOne old;
    old.term(2);
    old.entry(1, 1, founding_data());
    old.entry(2, 1, topic_data(1));
    old.entry(3, 2, topic_data(2));
    return old;
}

FormatOne with_snapshot() {
    FormatOne old;
    old.term(7);
    old.snapshot(*image_with_topics(9, {10, 3}));
    old.entry(11, 3, topic_data(10));
    old.entry(12, 5, topic_data(11));
    return old;
}

TEST(Upgrade, TheLogOfAQuorumOfOneGoesOn) {
    auto old = with_snapshot();
    const auto count = rows_of(old.store, "m/chunk/").size();
    ASSERT_GT(count, 2u);
    auto opened = open_log(old.store);
    ASSERT_TRUE(opened.ok()) << opened.status();
    const auto self = opened->log->self();
    EXPECT_EQ(opened->log->cluster_id(), kCluster);
    EXPECT_EQ(opened->stored.state, (raft::HardState{7, self}));
    EXPECT_EQ(opened->stored.snapshot.position, (raft::Position{10, 3}));
    EXPECT_EQ(opened->stored.snapshot.configuration,
              (raft::Configuration{.voters = {{self, "here:19092"}}, .learners = {}}));
    EXPECT_EQ(opened->stored.last, 12);
    EXPECT_EQ(opened->stored.applied, 10);
    EXPECT_EQ(metadata::hash(*opened->image), metadata::hash(*image_with_topics(9, {10, 3})));
    const std::vector<raft::Entry> expected{{3, raft::EntryKind::data, topic_data(10)},
                                            {5, raft::EntryKind::data, topic_data(11)}};
    EXPECT_EQ(*opened->log->entries(11, 13, 1 << 20), expected);
    EXPECT_EQ(rows_of(old.store, "m/").size(), 3 + 2 + count) << "nothing of the old rows is left";

    const auto again = open_log(old.store);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->log->self(), self);
    EXPECT_EQ(again->stored.last, 12);
}

TEST(Upgrade, ALogWithoutASnapshotGoesOnFromItsFirstEntry) {
    auto old = entries_only();
    auto opened = LogStore::open(old.store, options_of(1, ""));
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->log->cluster_id(), kCluster) << "as its first entry says";
    EXPECT_EQ(opened->stored.snapshot.position, raft::Position{});
    EXPECT_EQ(opened->stored.state.term, 2);
    EXPECT_EQ(opened->log->entries(1, 4, 1 << 20)->size(), 3u);
    EXPECT_EQ(opened->log->found(kCluster, {}).status().code(), StatusCode::kFailedPrecondition);
}

TEST(Upgrade, ANodeThatFoundedNothingYetStartsAnew) {
    FormatOne old;
    old.term(1);
    auto opened = open_log(old.store);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->stored.state, raft::HardState{});
    EXPECT_EQ(opened->stored.snapshot, raft::SnapshotInfo{});
    EXPECT_TRUE(opened->log->found(kCluster, {}).ok());
    EXPECT_EQ(rows_of(old.store, "m/term").size(), 0u);
}

TEST(Upgrade, IsDoneWholeOrNotAtAll) {
    int before = 0;
    int after = 0;
    for (uint64_t seed = 0; seed < 40; ++seed) {
        auto old = with_snapshot();
        old.store.fail_write();
        EXPECT_FALSE(open_log(old.store).ok());
        auto left = old.store.after_power_loss(seed);
        ++((*left->get("m/term")).has_value() ? before : after);
        auto opened = open_log(*left);
        ASSERT_TRUE(opened.ok()) << opened.status();
        EXPECT_EQ(opened->stored.last, 12);
        EXPECT_EQ(opened->log->entries(11, 13, 1 << 20)->size(), 2u);
    }
    EXPECT_GT(before, 0);
    EXPECT_GT(after, 0);
}

TEST(Upgrade, AnotherClustersRowsAreRefusedAndLeftAsTheyAre) {
    auto old = with_snapshot();
    const auto rows = rows_of(old.store);
    const auto status = LogStore::open(old.store, options_of(1, "b-cluster")).status();
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(base::message(status), HasSubstr("a-cluster"));
    EXPECT_THAT(base::message(status), HasSubstr("b-cluster"));
    EXPECT_EQ(rows_of(old.store), rows);
}

TEST(Upgrade, AnyDamageIsDataLossAndNothingIsWritten) {
    const auto refused = [](const std::string& what, auto&& damage) {
        auto old = with_snapshot();
        damage(old);
        const auto rows = rows_of(old.store);
        const auto status = open_log(old.store).status();
        EXPECT_EQ(status.code(), StatusCode::kDataLoss) << what << ": " << status;
        EXPECT_EQ(rows_of(old.store), rows) << what;
    };
    for (const auto& [k, value] : rows_of(with_snapshot().store)) {
        const auto key = k;
        for (size_t byte = 0; byte < value.size(); ++byte)
            refused(key, [&](FormatOne& old) { flip_bit(old.store, key, byte); });
        // Without the newest entry it is a log that ends there: format 1 can't tell.
        std::string newest = "m/entry/";
        put<int64_t>(newest, 12);
        if (key != newest) refused(key, [&](FormatOne& old) { remove_row(old.store, key); });
    }
    refused("not records", [](FormatOne& old) { old.entry(12, 5, "\xff\xff"); });
    refused("a term that falls", [](FormatOne& old) { old.entry(12, 2, topic_data(11)); });
    refused("format 2",
            [](FormatOne& old) { write_row(old.store, "m/snapshot", rows::Snapshot{}.encode()); });
    refused("two formats",
            [](FormatOne& old) { write_row(old.store, "m/state", rows::State{}.encode()); });
}

TEST(Upgrade, NoClusterIsDataLoss) {
    FormatOne old;
    old.term(1);
    old.entry(1, 1, topic_data(1));
    EXPECT_EQ(open_log(old.store).status().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace quorum
