#include "controller/quorum/log_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/quorum/rows.h"
#include "controller/quorum/sealed.h"
#include "controller/quorum/testing.h"
#include "metadata/snapshot.h"

namespace quorum {
namespace {

using absl::StatusCode;
using raft::EntryKind;
using testing::HasSubstr;

const raft::Member kOther{2, {9, 9}};

class LogStoreTest : public testing::Test {
  protected:
    LogStoreTest() { reopen(); }

    void reopen() {
        auto opened = open_log(store);
        ASSERT_TRUE(opened.ok()) << opened.status();
        at = *std::move(opened);
    }
    raft::Configuration configuration() const {
        return {.voters = {{at.log->self(), "here:19092"}, {kOther, "there:19092"}},
                .learners = {{{7, {8, 9}}, "elsewhere:19092"}},
                .promised = {{7, {8, 9}}}};
    }
    void found() { ASSERT_TRUE(at.log->found(kCluster, configuration()).ok()); }
    /// One entry more, in that term.
    void append(raft::Term term, std::string data, EntryKind kind = EntryKind::data) {
        ASSERT_TRUE(at.log
                        ->write({.state = {term, std::nullopt},
                                 .from = ++last,
                                 .entries = {{term, kind, std::move(data)}}})
                        .ok());
    }
    void fill(raft::Index up_to) {
        while (last < up_to) append(1, topic_data(static_cast<uint64_t>(last + 1)));
    }
    raft::SnapshotInfo at_index(raft::Index index, raft::Term term = 1) const {
        return {{index, term}, configuration()};
    }
    static std::vector<std::string> parts(uint64_t topics, size_t bytes = 64) {
        const auto n = static_cast<int64_t>(topics);
        return chunks_of(*image_with_topics(topics, {n, 1}), bytes);
    }
    void compact(raft::Index index) {
        ASSERT_TRUE(at.log
                        ->write({.state = {1, {}}, .compact = at_index(index)},
                                parts(static_cast<uint64_t>(index)))
                        .ok());
    }
    base::Status reopened_after(const std::function<void(storage::Store&)>& damage) const {
        auto copy = store.after_process_crash();
        damage(*copy);
        return open_log(*copy).status();
    }

    storage::MemoryStore store;
    LogStore::Opened at;
    raft::Index last = 0;
};

TEST_F(LogStoreTest, TheFirstStartDrawsAnIncarnationThatStays) {
    const auto self = at.log->self();
    EXPECT_EQ(self.id, 1);
    EXPECT_FALSE(self.incarnation.is_zero());
    EXPECT_EQ(at.stored.state, raft::HardState{});
    EXPECT_EQ(at.stored.snapshot, raft::SnapshotInfo{});
    EXPECT_EQ(at.stored.last, 0);
    EXPECT_EQ(metadata::hash(*at.image), metadata::hash(*metadata::Image::empty()));

    auto options = options_of(1);
    options.draw = [] { return uint64_t{7}; };
    auto again = LogStore::open(store, std::move(options));
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->log->self(), self) << "the draw of the second start counts for nothing";
    storage::MemoryStore wiped;
    options = options_of(1);
    options.draw = [] { return uint64_t{7}; };
    EXPECT_NE(LogStore::open(wiped, std::move(options))->log->self(), self);
}

TEST_F(LogStoreTest, FoundsOnceAndOnlyBeforeItTakesPart) {
    found();
    EXPECT_EQ(at.log->found(kCluster, configuration()).status().code(),
              StatusCode::kFailedPrecondition);
    reopen();
    EXPECT_EQ(at.stored.snapshot, (raft::SnapshotInfo{{}, configuration()}));

    storage::MemoryStore other;
    auto waits = LogStore::open(other, options_of(3, ""));
    ASSERT_TRUE(waits.ok());
    EXPECT_EQ(waits->log->cluster_id(), "");
    ASSERT_TRUE(waits->log->found("joined", {}).ok());
    ASSERT_TRUE(waits->log->write({.state = {4, std::nullopt}}).ok());
    auto late = waits->log->found("joined", configuration());
    EXPECT_EQ(late.status().code(), StatusCode::kFailedPrecondition)
        << "it heard of a term of those who founded it";
    waits = LogStore::open(other, options_of(3, ""));
    EXPECT_EQ(waits->log->cluster_id(), "joined");
    EXPECT_EQ(waits->log->found("else", {}).status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(LogStoreTest, TheRowsOfAnotherNodeOrClusterAreRefusedWithBothIds) {
    auto status = LogStore::open(store, options_of(2)).status();
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(base::message(status), HasSubstr("node 1, but this is node 2"));
    status = LogStore::open(store, options_of(1, "b-cluster")).status();
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(base::message(status), HasSubstr("a-cluster"));
    EXPECT_THAT(base::message(status), HasSubstr("b-cluster"));
    EXPECT_TRUE(LogStore::open(store, options_of(1, "")).ok());
}

TEST_F(LogStoreTest, AClusterThatIsConfiguredLaterIsKept) {
    storage::MemoryStore other;
    ASSERT_TRUE(LogStore::open(other, options_of(1, "")).ok());
    ASSERT_TRUE(LogStore::open(other, options_of(1, "named")).ok());
    EXPECT_EQ(LogStore::open(other, options_of(1, ""))->log->cluster_id(), "named");
}

TEST_F(LogStoreTest, GivesBackWhatWasWritten) {
    found();
    const std::string bytes("\0opaque\xff", 8);
    append(1, "", EntryKind::empty);
    append(1, bytes);
    append(3, configuration().encode(), EntryKind::configuration);
    ASSERT_TRUE(at.log->write({.state = {4, kOther}}).ok());
    reopen();
    EXPECT_EQ(at.stored.state, (raft::HardState{4, kOther}));
    EXPECT_EQ(at.stored.last, 3);
    EXPECT_EQ(at.stored.applied, 0);
    auto entries = at.log->entries(1, 4, 1 << 20);
    ASSERT_TRUE(entries.ok());
    const std::vector<raft::Entry> expected{
        {1, EntryKind::empty, ""},
        {1, EntryKind::data, bytes},
        {3, EntryKind::configuration, configuration().encode()}};
    EXPECT_EQ(*entries, expected);
    EXPECT_EQ(at.log->entries(2, 4, 1)->size(), 1u) << "one, however small the bound";
    EXPECT_EQ(at.log->entries(1, 3, 1 << 20)->size(), 2u) << "not the end";
    EXPECT_EQ(at.log->entries(3, 5, 1 << 20).status().code(), StatusCode::kDataLoss);
}

TEST_F(LogStoreTest, EntriesOfALostTermAreReplaced) {
    found();
    fill(8);
    ASSERT_TRUE(
        at.log
            ->write({.state = {2, std::nullopt}, .from = 5, .entries = {{2, EntryKind::empty, ""}}})
            .ok());
    reopen();
    EXPECT_EQ(at.stored.last, 5);
    EXPECT_EQ((*at.log->entries(5, 6, 1))[0].term, 2);
    EXPECT_EQ(rows_of(store, rows::kEntries).size(), 5u);
}

TEST_F(LogStoreTest, ASnapshotReplacesTheEntriesBeforeIt) {
    found();
    fill(10);
    ASSERT_TRUE(at.log
                    ->write({.state = {1, {}},
                             .compact = at_index(7),
                             .from = 10,
                             .entries = {{1, EntryKind::data, topic_data(10)},
                                         {1, EntryKind::data, topic_data(11)}}},
                            parts(7))
                    .ok());
    const auto count = static_cast<uint32_t>(parts(7).size());
    ASSERT_GT(count, 1u);
    reopen();
    EXPECT_EQ(at.stored.snapshot, at_index(7));
    EXPECT_EQ(at.stored.applied, 7);
    EXPECT_EQ(at.stored.last, 11);
    EXPECT_EQ(metadata::hash(*at.image), metadata::hash(*image_with_topics(7, {7, 1})));
    EXPECT_EQ(rows_of(store, rows::kEntries).size(), 4u);
    for (uint32_t i = 0; i < count; ++i) {
        auto chunk = at.log->snapshot_chunk(7, i);
        ASSERT_TRUE(chunk.ok()) << chunk.status();
        EXPECT_EQ(chunk->bytes, parts(7)[i]);
        EXPECT_EQ(chunk->last, i + 1 == count);
    }
    EXPECT_EQ(at.log->snapshot_chunk(7, count).status().code(), StatusCode::kNotFound);
    EXPECT_EQ(at.log->snapshot_chunk(8, 0).status().code(), StatusCode::kNotFound);
    const auto bytes = at.log->snapshot_bytes();
    ASSERT_TRUE(
        at.log->write({.state = {1, {}}, .compact = at_index(9)}, std::vector{parts(1)[0]}).ok());
    EXPECT_LT(at.log->snapshot_bytes(), bytes);
    EXPECT_EQ(at.log->snapshot_chunk(7, 0).status().code(), StatusCode::kNotFound);
    EXPECT_EQ(rows_of(store, rows::kChunks).size(), 1u) << "no chunk of the one before is left";
}

TEST_F(LogStoreTest, AReceivedSnapshotCountsOnceItIsInstalled) {
    found();
    fill(3);
    compact(2);
    const auto info = at_index(20, 5);
    const auto sent = chunks_of(*image_with_topics(20, {20, 5}), 200);
    ASSERT_GE(sent.size(), 3u);
    const auto n = static_cast<uint32_t>(sent.size());
    ASSERT_TRUE(
        at.log->write({.state = {5, {}}, .received = {{info, 0, "another leader's"}}}).ok());
    for (uint32_t i = 0; i + 1 < n; ++i)
        ASSERT_TRUE(at.log->write({.state = {5, {}}, .received = {{info, i, sent[i]}}}).ok());
    EXPECT_EQ(at.log->snapshot_chunk(20, 0).status().code(), StatusCode::kNotFound);
    EXPECT_EQ(at.log->snapshot_chunk(2, 0)->bytes, parts(2)[0]);
    ASSERT_TRUE(at.log
                    ->write({.state = {5, {}},
                             .received = {{info, n - 1, sent[n - 1]}},
                             .install = info,
                             .from = 21,
                             .entries = {{5, EntryKind::empty, ""}}})
                    .ok());
    const auto expected = metadata::hash(*image_with_topics(20, {20, 5}));
    EXPECT_EQ(metadata::hash(**at.log->snapshot_image()), expected);
    reopen();
    EXPECT_EQ(at.stored.snapshot, info);
    EXPECT_EQ(at.stored.last, 21);
    EXPECT_EQ(metadata::hash(*at.image), expected);
    EXPECT_TRUE(at.log->snapshot_chunk(20, n - 1)->last);
    EXPECT_EQ(rows_of(store, "m/").size(), 3u + n + 1) << "nothing of the old log is left";
}

TEST_F(LogStoreTest, WhatWasReceivedInPartIsGoneAfterARestart) {
    found();
    fill(3);
    ASSERT_TRUE(at.log->write({.state = {5, {}}, .received = {{at_index(20, 5), 0, "x"}}}).ok());
    ASSERT_TRUE(at.log->write({.state = {5, {}}, .received = {{at_index(20, 5), 1, "y"}}}).ok());
    EXPECT_EQ(rows_of(store, rows::kChunks).size(), 2u);
    auto cancelled = store.after_process_crash();
    reopen();
    EXPECT_EQ(rows_of(store, rows::kChunks).size(), 0u);
    auto opened = open_log(*cancelled);
    ASSERT_TRUE(
        opened->log->write({.state = {5, {}}, .received = {{at_index(9, 5), 0, "z"}}}).ok());
    ASSERT_TRUE(opened->log->write({.state = {5, {}}, .discard_received = true}).ok());
    EXPECT_EQ(rows_of(*cancelled, rows::kChunks).size(), 0u);
}

TEST_F(LogStoreTest, AnyDamageIsDataLossThatSaysWhatToDo) {
    found();
    fill(9);
    compact(4);
    for (const auto& [key, value] : rows_of(store, "m/")) {
        for (size_t byte = 0; byte < value.size(); ++byte) {
            const auto status = reopened_after([&](auto& s) { flip_bit(s, key, byte); });
            ASSERT_EQ(status.code(), StatusCode::kDataLoss) << key << " byte " << byte;
            ASSERT_THAT(base::message(status), HasSubstr("start it again"));
        }
        const auto removed = reopened_after([&](auto& s) { remove_row(s, key); });
        EXPECT_EQ(removed.code(), StatusCode::kDataLoss) << key << ": " << removed;
        const auto cut = reopened_after([&](auto& s) { write_row(s, key, value.substr(0, 3)); });
        EXPECT_EQ(cut.code(), StatusCode::kDataLoss) << key;
    }
}

TEST_F(LogStoreTest, TheMessageNamesTheRow) {
    found();
    fill(3);
    auto status = reopened_after([](auto& s) { flip_bit(s, "m/state", 9); });
    EXPECT_THAT(base::message(status), HasSubstr("its term and vote (row m/state) has a wrong"));
    EXPECT_THAT(base::message(status), HasSubstr("must not vote"));
    status = reopened_after([](auto& s) { remove_row(s, rows::entry_key(3)); });
    EXPECT_THAT(base::message(status), HasSubstr("it ends with entry 2 of term 1, but entry 3"));
    status = reopened_after([](auto& s) { remove_row(s, rows::entry_key(2)); });
    EXPECT_THAT(base::message(status), HasSubstr("entry 2 is missing"));
}

TEST_F(LogStoreTest, ARowInAnotherRowsPlaceIsNoticed) {
    found();
    append(1, "a");
    append(1, "b");
    const auto status = reopened_after(
        [](auto& s) { write_row(s, rows::entry_key(1), **s.get(rows::entry_key(2))); });
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
}

TEST_F(LogStoreTest, DamageThatComesLaterIsFoundWhenItIsRead) {
    found();
    fill(9);
    compact(4);
    flip_bit(store, rows::entry_key(6), 5);
    EXPECT_EQ(at.log->entries(5, 10, 1 << 20).status().code(), StatusCode::kDataLoss);
    const auto chunk = rows_of(store, rows::kChunks).front();
    flip_bit(store, chunk.first, chunk.second.size() - 1);
    EXPECT_EQ(at.log->snapshot_chunk(4, 0).status().code(), StatusCode::kDataLoss);
    remove_row(store, chunk.first);
    EXPECT_EQ(at.log->snapshot_chunk(4, 0).status().code(), StatusCode::kDataLoss);
}

TEST_F(LogStoreTest, RowsWithGoodChecksumsThatMakeNoSenseAreRefused) {
    found();
    append(1, "a");
    const auto refused = [&](const std::string& key, const std::string& row) {
        const auto status = reopened_after([&](auto& s) { write_row(s, key, row); });
        EXPECT_EQ(status.code(), StatusCode::kDataLoss) << key << ": " << status;
    };
    const auto state = std::string(rows::kState);
    const auto snapshot = std::string(rows::kSnapshot);
    for (const std::string body : {"", "x", "0123456789012345678"}) {
        refused(state, seal(state, body));
        refused(snapshot, seal(snapshot, body));
        refused("m/member", seal("m/member", body));
    }
    refused(state, seal(state, std::string(46, '\0')));
    refused(snapshot, seal(snapshot, std::string(23, '\0') + '\x02'));
    refused(snapshot, seal(snapshot, std::string(23, '\0') + '\x02' + std::string(12, '\xff')));
    refused("m/member", rows::Member{{-1, {1, 1}}, kCluster}.encode());
    refused(state, rows::State{{1, {}}, {1, 2}}.encode());
    refused(state, rows::State{{-1, {}}, {1, -1}}.encode());
    refused(rows::entry_key(1), seal(rows::entry_key(1), std::string(8, '\0') + '\x03'));
    refused(rows::entry_key(2), rows::encode(2, {0, EntryKind::data, ""}));
    refused("m/entry/short", seal("m/entry/short", std::string(9, '\0')));
    refused("m/chunk/short", seal("m/chunk/short", ""));
    refused(rows::chunk_key(0, 0), rows::encode_chunk(0, 0, "no part of a snapshot without any"));
}

TEST_F(LogStoreTest, ANewerFormatIsRefusedByName) {
    found();
    auto row = **store.get(rows::kSnapshot);
    auto body = std::string(*unseal(rows::kSnapshot, row));
    body[23] = 3;
    const auto status =
        reopened_after([&](auto& s) { write_row(s, "m/snapshot", seal(rows::kSnapshot, body)); });
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(base::message(status), HasSubstr("has format 3, this version reads 2"));
}

TEST_F(LogStoreTest, ASnapshotOfAnotherClusterIsRefused) {
    storage::MemoryStore other;
    auto opened = LogStore::open(other, options_of(1, "b-cluster"));
    ASSERT_TRUE(opened->log->found("b-cluster", configuration()).ok());
    ASSERT_TRUE(
        opened->log->write({.state = {1, {}}, .from = 1, .entries = {{1, EntryKind::empty, ""}}})
            .ok());
    ASSERT_TRUE(opened->log->write({.state = {1, {}}, .compact = at_index(1)}, parts(1)).ok());
    const auto status = LogStore::open(other, options_of(1, "")).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(base::message(status), HasSubstr("a-cluster"));
}

TEST_F(LogStoreTest, ASnapshotThatThisVersionCantReadIsRefused) {
    found();
    append(1, "");
    ASSERT_TRUE(at.log
                    ->write({.state = {1, {}}, .compact = at_index(1)},
                            std::vector<std::string>{"\xff\xff"})
                    .ok());
    EXPECT_EQ(open_log(store).status().code(), StatusCode::kDataLoss);
}

TEST_F(LogStoreTest, AfterAFailedWriteNothingIsWritten) {
    found();
    store.fail_write();
    const raft::Write write{.state = {1, {}}, .from = 1, .entries = {{1, EntryKind::empty, ""}}};
    EXPECT_EQ(at.log->write(write).code(), StatusCode::kUnavailable);
    EXPECT_EQ(at.log->write(write).code(), StatusCode::kUnavailable);
    EXPECT_EQ(at.log->found(kCluster, {}).status().code(), StatusCode::kUnavailable);
}

TEST_F(LogStoreTest, WhatAStartFindsIsDurable) {
    found();
    store.fail_write();
    ASSERT_FALSE(
        at.log->write({.state = {3, kOther}, .from = 1, .entries = {{3, EntryKind::empty, ""}}})
            .ok());
    auto killed = store.after_process_crash();
    ASSERT_EQ(open_log(*killed)->stored.last, 1) << "not synced, but there";
    for (uint64_t seed = 0; seed < 8; ++seed) {
        auto after = open_log(*killed->after_power_loss(seed));
        ASSERT_TRUE(after.ok());
        EXPECT_EQ(after->stored.last, 1);
        EXPECT_EQ(after->stored.state, (raft::HardState{3, kOther}));
    }
}

using LogStoreDeathTest = LogStoreTest;

TEST_F(LogStoreDeathTest, WhatWouldBreakAPromiseEndsTheProcess) {
    found();
    fill(3);
    ASSERT_TRUE(at.log->write({.state = {4, kOther}}).ok());
    const auto write = [&](const raft::Write& w, const std::vector<std::string>& chunks = {}) {
        (void)at.log->write(w, chunks);
    };
    const std::vector<raft::Entry> one{{4, EntryKind::empty, ""}};
    const std::vector<raft::Entry> newer{{5, EntryKind::empty, ""}};
    EXPECT_DEATH(write({.state = {3, {}}}), "the term falls");
    EXPECT_DEATH(write({.state = {4, at.log->self()}}), "the vote changes");
    EXPECT_DEATH(write({.state = {4, {}}}), "the vote changes");
    EXPECT_DEATH(write({.state = {4, kOther}, .from = 5, .entries = one}), "a gap");
    EXPECT_DEATH(write({.state = {4, kOther}, .from = 4, .entries = newer}), "has not begun");
    EXPECT_DEATH(write({.state = {4, kOther}, .compact = at_index(4)}, parts(1)), "not there");
    EXPECT_DEATH(write({.state = {4, kOther}, .compact = at_index(2)}), "is its parts");
    EXPECT_DEATH(write({.state = {4, kOther}, .install = at_index(9)}), "another snapshot");
    EXPECT_DEATH(write({.state = {4, kOther}, .received = {{at_index(9), 1, ""}}}),
                 "does not follow");
}

}  // namespace
}  // namespace quorum
