#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "io/memory_disk.h"
#include "kafka/records/builder.h"
#include "storage/log.h"
#include "storage/segment.h"
#include "storage/store/memory_store.h"

namespace storage {

/// A log on a disk and a store in memory, and how tests speak of it.
class LogTest : public testing::Test {
  protected:
    static constexpr base::TimestampMs now = 1'700'000'000'000;
    static constexpr size_t batch_bytes = 61 + 9 + 100;  // of batch()

    LogTest() {
        EXPECT_TRUE(disk->make_directories("data").ok());
        EXPECT_TRUE(disk->sync_directory("/").ok());
        config.segment_bytes = 4 * batch_bytes;
        config.index_interval_bytes = 0;
        config.retention_ms = -1;
    }

    Log::Place place() { return {"data/topic-0", id, disk.get(), store.get()}; }
    base::Result<std::unique_ptr<Log>> try_open() { return Log::open(place(), config, now); }
    void open() {
        auto opened = try_open();
        ASSERT_TRUE(opened.ok()) << opened.status();
        log = *std::move(opened);
    }
    /// kill -9, or power loss of everything unsynced that the seed picks, and a new start.
    void crash() {
        log.reset();
        disk = disk->after_process_crash();
        store = store->after_process_crash();
    }
    void lose_power(uint64_t seed) {
        log.reset();
        disk = disk->after_power_loss(seed);
        store = store->after_power_loss(seed);
    }

    static base::Bytes batch(base::TimestampMs timestamp = now, int16_t records = 1,
                             kafka::BatchBuilder::Options options = {}) {
        kafka::BatchBuilder builder(options);
        for (int i = 0; i < records; ++i) {
            builder.add(timestamp + i, "", std::string(100, static_cast<char>('a' + i)));
        }
        return std::move(builder).build();
    }
    static base::Bytes from_producer(int64_t id, int32_t sequence) {
        return batch(now, 1, {.producer_id = {id}, .producer_epoch = 0, .base_sequence = sequence});
    }
    /// As a leader of epoch 1 numbered it.
    static base::Bytes numbered(base::Offset first, base::LeaderEpoch epoch = 1,
                                int16_t records = 1) {
        return batch(now, records, {.base_offset = first, .leader_epoch = epoch});
    }
    kafka::Outcome<Appended> append(base::Bytes bytes) { return log->append(bytes, 1, now); }
    void append_many(int n) {
        for (int i = 0; i < n; ++i) ASSERT_TRUE(append(batch(now + i)).ok());
    }
    void sync() {
        auto taken = log->take_sync();
        if (!taken) return;
        const auto outcome = taken->run();
        ASSERT_TRUE(outcome.ok());
        log->synced(*taken, outcome);
    }
    static std::string path(base::Offset base) { return "data/topic-0/" + segment_name(base); }
    std::vector<std::string> files() { return *disk->list("data/topic-0"); }
    bool has(const std::string& name) { return disk->exists("data/topic-0/" + name); }

    std::unique_ptr<io::MemoryDisk> disk = std::make_unique<io::MemoryDisk>(1);
    std::unique_ptr<MemoryStore> store = std::make_unique<MemoryStore>();
    base::TopicPartition id{{1, 2}, 0};
    LogConfig config;
    std::unique_ptr<Log> log;
};

}  // namespace storage
