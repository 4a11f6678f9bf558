#include "storage/fuzz/storage_fuzz.h"

#include <spdlog/spdlog.h>

#include <string>
#include <string_view>

#include "base/check.h"
#include "io/memory_disk.h"
#include "kafka/records/builder.h"
#include "storage/checkpoint.h"
#include "storage/encoding.h"
#include "storage/log.h"
#include "storage/segment.h"
#include "storage/store/memory_store.h"

namespace storage {

namespace {

const base::TopicPartition id{{1, 2}, 0};
constexpr const char* directory = "/topic-0";

std::string_view text(const uint8_t* data, size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

LogConfig small_segments() {
    LogConfig config;
    config.segment_bytes = 600;
    config.index_interval_bytes = 0;
    return config;
}

/// A log of ten batches of two producers in several segments, closed; the same each time.
struct Written {
    io::MemoryDisk disk{1};
    MemoryStore store;

    Written() {
        auto log = Log::open({directory, id, &disk, &store}, small_segments(), 1000);
        CHECK(log.ok()) << log.status();
        for (int i = 0; i < 10; ++i) {
            kafka::BatchBuilder builder(
                {.producer_id = {i % 2}, .producer_epoch = 0, .base_sequence = i / 2});
            builder.add(1000 + i, "key", std::string(80, 'v'));
            base::Bytes batch = std::move(builder).build();
            CHECK((*log)->append(batch, i / 4, 1000).ok());
        }
        CHECK((*log)->close(10).ok());
    }

    void replace_file(const std::string& name, std::string_view bytes) {
        auto file = disk.open(std::string(directory) + "/" + name, io::Open::create);
        CHECK(file.ok() && (*file)->truncate(0).ok());
        const base::View view = base::as_bytes(bytes);
        CHECK((*file)->append({&view, 1}).ok());
    }
    void replace_row(const std::string& key, std::string_view bytes) {
        WriteBatch batch;
        batch.put(key, std::string(bytes));
        CHECK(store.write(batch, Store::Durability::synced).ok());
    }
};

std::string index_path() { return std::string(directory) + "/" + index_name(0); }

/// Gives every batch the checksum of what it holds.
void seal_batches(std::string& bytes) {
    base::MutableView rest = std::as_writable_bytes(std::span(bytes));
    while (true) {
        const auto peek = kafka::peek_batch(rest);
        if (peek.found != kafka::BatchPeek::Found::batch) return;
        kafka::BatchEditor(rest.first(peek.size)).update_crc();
        rest = rest.subspan(peek.size);
    }
}

void check_slice(const FileSlice& slice, base::Offset& next) {
    base::Bytes bytes(slice.size);
    CHECK(slice.file->read_at(slice.position, bytes).value() == bytes.size());
    base::View rest = bytes;
    while (const auto batch = kafka::take_batch(rest)) {
        CHECK(batch->crc_ok());
        CHECK(next < 0 || batch->base_offset() == next);
        next = batch->next_offset();
    }
    CHECK(rest.empty());
}

/// `whole`: the file under test is read and checked in full, so nothing bad may come out of it.
void open_and_use(Written& at, bool whole) {
    spdlog::set_level(spdlog::level::off);
    auto opened = Log::open({directory, id, &at.disk, &at.store}, small_segments(), 2000);
    if (!opened.ok()) return;
    Log& log = **opened;
    CHECK(log.start() <= log.end() && log.synced() == log.end());
    const auto read = log.read(log.start(), log.end(), 1u << 30, true);
    CHECK(read.ok() || absl::IsDataLoss(read.status())) << read.status();
    base::Offset next = -1;
    if (read.ok() && whole) {
        for (const auto& slice : read->slices) check_slice(slice, next);
    }
    for (base::Offset from = log.start(); from < log.end() && from < log.start() + 20; ++from) {
        const auto one = log.read(from, log.end(), 1, true);
        CHECK(one.ok() || absl::IsDataLoss(one.status())) << one.status();
    }
    const auto found = log.find_timestamp(1005, log.end());
    CHECK(found.ok() || absl::IsDataLoss(found.status())) << found.status();
    const auto newest = log.max_timestamp(log.end());
    CHECK(newest.ok() || absl::IsDataLoss(newest.status())) << newest.status();
}

}  // namespace

int fuzz_segment(const uint8_t* data, size_t size) {
    std::string bytes(text(data, size));
    for (const bool sealed : {false, true}) {
        if (sealed) seal_batches(bytes);
        Written at;
        // Nothing is said to be synced: all of it is to be checked.
        at.replace_row(checkpoint_key(id), Checkpoint{}.serialize());
        at.replace_file(segment_name(0), bytes);
        open_and_use(at, true);
        Written stored;
        stored.replace_file(segment_name(0), bytes);
        open_and_use(stored, false);
    }
    return 0;
}

int fuzz_index(const uint8_t* data, size_t size) {
    Written at;
    at.replace_file(index_name(0), text(data, size));
    open_and_use(at, true);
    // With the right checksums, as from another time.
    Written other;
    SparseIndex good;
    auto summary = SparseIndex::load(other.disk, index_path(), good);
    CHECK(summary.ok()) << summary.status();
    SparseIndex lie;
    Decoder in(text(data, size));
    while (!in.done() && in.ok()) {
        IndexEntry e;
        e.relative_offset = in.get<uint32_t>();
        e.position = in.get<uint32_t>();
        e.newest_before = in.get<int64_t>();
        if (in.ok()) lie.add(e);
    }
    CHECK(lie.save(other.disk, index_path(), *summary).ok());
    open_and_use(other, true);
    return 0;
}

int fuzz_producer_snapshot(const uint8_t* data, size_t size) {
    Encoder inner;
    inner.put(text(data, size));
    const std::string state = std::move(inner).sealed();
    Encoder outer;
    outer.put<uint8_t>(1);
    outer.put<int64_t>(9);
    outer.put<uint64_t>(size % 200);
    outer.put(state);
    for (const std::string& row : {std::string(text(data, size)), std::move(outer).sealed()}) {
        const auto parsed = ProducerSnapshot::parse(row);
        if (parsed.ok()) {
            CHECK(ProducerSnapshot::parse(parsed->serialize()).ok());
        }
        Written at;
        at.replace_row(snapshot_key(id, 10), row);
        open_and_use(at, true);
    }
    return 0;
}

int fuzz_checkpoint(const uint8_t* data, size_t size) {
    Encoder sealed;
    sealed.put(text(data, size));
    for (const std::string& row : {std::string(text(data, size)), std::move(sealed).sealed()}) {
        const auto parsed = Checkpoint::parse(row);
        if (parsed.ok()) {
            CHECK(Checkpoint::parse(parsed->serialize()).ok());
        }
        Written at;
        at.replace_row(checkpoint_key(id), row);
        open_and_use(at, false);
    }
    return 0;
}

}  // namespace storage
