#include <gtest/gtest.h>

#include "io/memory_disk.h"
#include "kafka/records/builder.h"
#include "replication/streams/chunks.h"
#include "replication/streams/outbox.h"
#include "replication/streams/throttle.h"
#include "replication/streams/write_turn.h"

namespace replication::streams {
namespace {

const base::TopicPartition kA{{1, 1}, 0};
const base::TopicPartition kB{{1, 1}, 1};

TEST(OutboxTest, OnlyTheNewestOfEachPartitionLeaves) {
    Outbox box;
    box.put(kA, replica::Acknowledgement{.held = 1});
    box.put(kA, replica::Acknowledgement{.held = 2});
    box.put(kB, replica::Acknowledgement{.held = 1});
    box.put(kB, replica::Attach{.epoch = 3, .session = 1});
    box.put(kB, replica::Attach{.epoch = 3, .session = 2});
    EXPECT_EQ(box.asks_in(kB), 3);
    EXPECT_EQ(box.asks_in(kA), std::nullopt);
    const auto message = box.take(10);
    ASSERT_EQ(message.acknowledgements.size(), 1u);
    EXPECT_EQ(message.acknowledgements[0].second.held, 2);
    ASSERT_EQ(message.attaches.size(), 1u);
    EXPECT_EQ(message.attaches[0].second.session, 2u);
    EXPECT_TRUE(box.empty());
}

TEST(OutboxTest, AMessageHasABound) {
    Outbox box;
    for (int i = 0; i < 10; ++i) box.put({{1, 1}, i}, replica::Acknowledgement{});
    EXPECT_EQ(box.take(4).acknowledgements.size(), 4u);
    EXPECT_EQ(box.size(), 6u);
    box.put(kA, replica::Attach{});
    EXPECT_EQ(box.take_attaches().size(), 1u);
    EXPECT_TRUE(box.empty()) << "acknowledgements belong to one stream";
}

TEST(ThrottleTest, LetsThroughWhatItsRateAllows) {
    Throttle throttle;
    EXPECT_EQ(throttle.wait_ms(5'000), 0) << "no bound";
    throttle.set_rate(1000, 5'000);
    int64_t sent = 0;
    for (base::InstantMs now = 10'000; now < 20'000; ++now)
        while (throttle.wait_ms(now) == 0) {
            throttle.spend(100, now);
            sent += 100;
        }
    EXPECT_GE(sent, 10'000);
    EXPECT_LE(sent, 11'200);
    throttle.spend(5'000, 20'000);
    const auto wait = throttle.wait_ms(20'000);
    EXPECT_GT(wait, 4'000);
    EXPECT_GT(throttle.wait_ms(20'000 + wait / 2), 0);
    EXPECT_EQ(throttle.wait_ms(20'000 + 6'000), 0);
    throttle.set_rate(0, 30'000);
    EXPECT_EQ(throttle.wait_ms(30'000), 0);
}

TEST(WriteTurnTest, TheShardIsToldOnlyIfItWaits) {
    WriteTurn turn;
    EXPECT_FALSE(turn.taken());
    turn.begin();
    EXPECT_FALSE(turn.end()) << "nobody waits";
    turn.begin();
    EXPECT_TRUE(turn.taken());
    EXPECT_TRUE(turn.end());
    EXPECT_TRUE(turn.taken()) << "until it has been told";
    turn.told();
    EXPECT_FALSE(turn.taken());
}

base::Bytes batch(base::Offset base_offset, size_t bytes) {
    kafka::BatchBuilder::Options options;
    options.base_offset = base_offset;
    kafka::BatchBuilder builder(options);
    builder.add(1000, "k", std::string(bytes, 'v'));
    return std::move(builder).build();
}

Chunk chunk(base::Offset from, int count, size_t bytes = 100) {
    base::Bytes all;
    for (int i = 0; i < count; ++i) {
        const auto one = batch(from + i, bytes);
        all.insert(all.end(), one.begin(), one.end());
    }
    return {1, from, from + count, base::Slice(std::move(all))};
}

TEST(ChunksTest, WhatWasReadIsFoundFromEveryBatchOn) {
    Chunks chunks(1 << 20);
    chunks.keep(kA, chunk(10, 5));
    EXPECT_FALSE(chunks.find(kB, 1, 10));
    EXPECT_FALSE(chunks.find(kA, 2, 10)) << "of another epoch";
    EXPECT_FALSE(chunks.find(kA, 1, 9));
    EXPECT_FALSE(chunks.find(kA, 1, 15));
    const auto whole = chunks.find(kA, 1, 10);
    ASSERT_TRUE(whole);
    for (base::Offset from = 11; from < 15; ++from) {
        const auto rest = chunks.find(kA, 1, from);
        ASSERT_TRUE(rest);
        EXPECT_EQ(rest->from, from);
        EXPECT_EQ(rest->next, 15);
        EXPECT_EQ(rest->bytes.size(), whole->bytes.size() / 5 * static_cast<size_t>(15 - from));
        auto view = rest->bytes.bytes();
        EXPECT_EQ(kafka::take_batch(view)->base_offset(), from);
    }
    chunks.drop(kA);
    EXPECT_FALSE(chunks.find(kA, 1, 10));
    EXPECT_EQ(chunks.bytes(), 0u);
}

TEST(ChunksTest, TheOldestGoesWhereTheBoundIs) {
    const auto size = chunk(0, 1, 1000).bytes.size();
    Chunks chunks(3 * size);
    for (int i = 0; i < 5; ++i) chunks.keep({{1, 1}, i}, chunk(0, 1, 1000));
    EXPECT_EQ(chunks.bytes(), 3 * size);
    EXPECT_FALSE(chunks.find({{1, 1}, 1}, 1, 0));
    EXPECT_TRUE(chunks.find({{1, 1}, 4}, 1, 0));
    for (int i = 0; i < 100; ++i) chunks.keep(kA, chunk(i, 2, 1000));
    EXPECT_LE(chunks.bytes(), 3 * size);
    EXPECT_TRUE(chunks.find(kA, 1, 99));
    chunks.keep(kB, chunk(0, 4, 1000));
    EXPECT_FALSE(chunks.find(kB, 1, 0)) << "larger than all";
}

TEST(ChunksTest, AFileThatIsShorterThanItsIndexSaysIsDamage) {
    io::MemoryDisk disk;
    ASSERT_TRUE(disk.make_directories("/d").ok());
    auto opened = disk.open("/d/f", io::Open::create_new);
    ASSERT_TRUE(opened.ok());
    std::shared_ptr<io::File> file = *std::move(opened);
    const std::vector<base::View> pieces{base::as_bytes("0123456789")};
    ASSERT_TRUE(file->append(pieces).ok());
    storage::LogRead read;
    read.slices = {{file, 2, 3}, {file, 7, 3}};
    read.bytes = 6;
    const auto loaded = load(read);
    ASSERT_TRUE(loaded.ok());
    EXPECT_EQ(base::as_text(loaded->bytes()), "234789");
    read.slices[1].size = 4;
    read.bytes = 7;
    EXPECT_EQ(load(read).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace replication::streams
