#include "controller/journal.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/endian.h"
#include "controller/controller.h"
#include "metadata/snapshot.h"

namespace controller {

namespace {

constexpr std::string_view kEntryPrefix = "m/entry/";
constexpr std::string_view kChunkPrefix = "m/chunk/";
constexpr std::string_view kSnapshotKey = "m/snapshot";
constexpr std::string_view kTermKey = "m/term";
constexpr size_t kChunkBytes = 256 * 1024;
constexpr uint32_t kFormat = 1;
constexpr size_t kCrcBytes = 4;
constexpr size_t kTermBytes = 8;

template <class I>
void put(std::string& out, I value) {
    std::byte bytes[sizeof(I)];
    base::store_be(bytes, value);
    out.append(reinterpret_cast<const char*>(bytes), sizeof(I));
}

template <class I>
I take(std::string_view& in) {
    CHECK(in.size() >= sizeof(I)) << "short row";
    I v = base::load_be<I>(base::as_bytes(in).data());
    in.remove_prefix(sizeof(I));
    return v;
}

template <class I>
std::string key(std::string_view prefix, I number) {
    std::string out(prefix);
    put(out, number);
    return out;
}

uint32_t checksum(std::string_view row_key, std::string_view body) {
    return base::crc32c_extend(base::crc32c(base::as_bytes(row_key)), base::as_bytes(body));
}

std::string sealed(std::string_view row_key, std::string_view body) {
    std::string out;
    out.reserve(kCrcBytes + body.size());
    put(out, checksum(row_key, body));
    return out.append(body);
}

base::Status damaged(std::string_view what) {
    return base::data_loss("the metadata log: " + std::string(what));
}

/// The row without its checksum. kDataLoss if that is wrong or fewer than `least` bytes follow it.
base::Result<std::string_view> unsealed(std::string_view row_key, std::string_view row,
                                        size_t least) {
    if (row.size() < kCrcBytes + least) return damaged("a row is cut short");
    auto crc = take<uint32_t>(row);
    if (crc != checksum(row_key, row)) return damaged("the checksum of a row is wrong");
    return row;
}

std::string entry_row(const std::string& row_key, const Entry& entry) {
    v1::Entry message;
    for (const auto& r : entry.records) *message.add_records() = r;
    std::string body;
    put(body, entry.position.term);
    CHECK(message.AppendToString(&body)) << "metadata entry";
    return sealed(row_key, body);
}

base::Result<Entry> parse_entry(std::string_view row_key, std::string_view row) {
    ASSIGN_OR_RETURN(std::string_view body, unsealed(row_key, row, kTermBytes));
    std::string_view number = row_key.substr(kEntryPrefix.size());
    if (number.size() != sizeof(int64_t)) return damaged("a key is not an index");
    Entry entry;
    entry.position.index = take<int64_t>(number);
    entry.position.term = take<int64_t>(body);
    v1::Entry message;
    if (!message.ParseFromArray(body.data(), static_cast<int>(body.size())))
        return damaged("entry " + std::to_string(entry.position.index) + " can't be read");
    entry.records.assign(message.records().begin(), message.records().end());
    return entry;
}

}  // namespace

base::Result<metadata::ImagePtr> Journal::open_snapshot() {
    snapshot_ = {};
    chunks_ = 0;
    snapshot_bytes_ = 0;
    ASSIGN_OR_RETURN(auto row, store_.get(kSnapshotKey));
    if (!row) return metadata::Image::empty();
    ASSIGN_OR_RETURN(std::string_view head, unsealed(kSnapshotKey, *row, 24));
    snapshot_.index = take<int64_t>(head);
    snapshot_.term = take<int64_t>(head);
    chunks_ = take<uint32_t>(head);
    if (auto format = take<uint32_t>(head); format != kFormat)
        return damaged("the snapshot has format " + std::to_string(format) +
                       ", this version reads " + std::to_string(kFormat));
    Records records;
    for (uint32_t i = 0; i < chunks_; ++i) {
        auto chunk_key = key(kChunkPrefix, i);
        ASSIGN_OR_RETURN(auto chunk, store_.get(chunk_key));
        if (!chunk) return damaged("a chunk of the snapshot is missing");
        ASSIGN_OR_RETURN(std::string_view body, unsealed(chunk_key, *chunk, 0));
        v1::Entry message;
        if (!message.ParseFromArray(body.data(), static_cast<int>(body.size())))
            return damaged("a chunk of the snapshot can't be read");
        snapshot_bytes_ += chunk->size();
        records.insert(records.end(), message.records().begin(), message.records().end());
    }
    auto image = metadata::image_of(records, snapshot_);
    if (!image.ok()) return damaged("the snapshot: " + base::message(image.status()));
    return image;
}

base::Result<metadata::ImagePtr> Journal::open() {
    ASSIGN_OR_RETURN(auto image, open_snapshot());
    bytes_since_snapshot_ = 0;
    Controller controller{image};
    base::Status failed;
    RETURN_IF_ERROR(store_.scan(kEntryPrefix, [&](std::string_view row_key, std::string_view row) {
        auto entry = parse_entry(row_key, row);
        failed = entry.ok() ? controller.replay({&*entry, 1}).status() : entry.status();
        bytes_since_snapshot_ += row.size();
        return failed.ok();
    }));
    if (!failed.ok()) return damaged(base::message(failed));
    last_ = controller.image()->position();
    return controller.image();
}

base::Result<int64_t> Journal::begin_term() {
    int64_t term = last_.term;
    ASSIGN_OR_RETURN(auto row, store_.get(kTermKey));
    if (row) {
        ASSIGN_OR_RETURN(std::string_view body, unsealed(kTermKey, *row, kTermBytes));
        term = std::max(term, take<int64_t>(body));
    }
    ++term;
    std::string body;
    put(body, term);
    storage::WriteBatch batch;
    batch.put(std::string(kTermKey), sealed(kTermKey, body));
    RETURN_IF_ERROR(store_.write(batch, storage::Store::Durability::synced));
    return term;
}

base::Status Journal::append(std::span<const Entry> entries, const metadata::Image& after) {
    storage::WriteBatch batch;
    const int64_t first_new = last_.index + 1;
    for (const auto& entry : entries) {
        CHECK(entry.position.index == last_.index + 1 && entry.position.term >= last_.term)
            << "entry " << entry.position.index << " after " << last_.index;
        auto row_key = key(kEntryPrefix, entry.position.index);
        auto row = entry_row(row_key, entry);
        bytes_since_snapshot_ += row.size();
        batch.put(std::move(row_key), std::move(row));
        last_ = entry.position;
    }
    CHECK(after.position() == last_) << "the image is not the one after the entries";
    if (bytes_since_snapshot_ > std::max(least_bytes_for_snapshot_, snapshot_bytes_)) {
        batch = {};
        add_snapshot(batch, after, first_new);
    }
    return store_.write(batch, storage::Store::Durability::synced);
}

/// The snapshot has the newest entries in it: only those written before have rows to remove.
void Journal::add_snapshot(storage::WriteBatch& batch, const metadata::Image& image,
                           int64_t first_new) {
    for (int64_t i = first(); i < first_new; ++i) batch.remove(key(kEntryPrefix, i));
    uint32_t chunks = 0;
    snapshot_bytes_ = 0;
    v1::Entry chunk;
    size_t chunk_bytes = 0;
    auto finish = [&] {
        auto row_key = key(kChunkPrefix, chunks++);
        auto row = sealed(row_key, chunk.SerializeAsString());
        snapshot_bytes_ += row.size();
        batch.put(std::move(row_key), std::move(row));
        chunk.Clear();
        chunk_bytes = 0;
    };
    metadata::for_each_record(image, [&](const v1::Record& record) {
        *chunk.add_records() = record;
        chunk_bytes += record.ByteSizeLong();
        if (chunk_bytes >= kChunkBytes) finish();
    });
    if (chunk_bytes > 0) finish();
    for (uint32_t i = chunks; i < chunks_; ++i) batch.remove(key(kChunkPrefix, i));
    chunks_ = chunks;
    snapshot_ = image.position();
    bytes_since_snapshot_ = 0;
    std::string head;
    put(head, snapshot_.index);
    put(head, snapshot_.term);
    put(head, chunks_);
    put(head, kFormat);
    batch.put(std::string(kSnapshotKey), sealed(kSnapshotKey, head));
}

base::Status Journal::truncate_after(int64_t index) {
    CHECK(index >= snapshot_.index) << "entries of the snapshot can't be removed";
    metadata::LogPosition kept = snapshot_;
    if (index > snapshot_.index && index < last_.index) {
        ASSIGN_OR_RETURN(auto entries, read(index, 0));
        kept = entries.front().position;
    }
    if (index >= last_.index) return base::ok();
    storage::WriteBatch batch;
    for (int64_t i = index + 1; i <= last_.index; ++i) batch.remove(key(kEntryPrefix, i));
    last_ = kept;
    return store_.write(batch, storage::Store::Durability::synced);
}

base::Result<std::vector<Entry>> Journal::read(int64_t from, size_t most_bytes) const {
    if (from < first())
        return base::not_found("entry " + std::to_string(from) + " is in the snapshot only");
    std::vector<Entry> out;
    size_t bytes = 0;
    for (int64_t i = from; i <= last_.index && (out.empty() || bytes < most_bytes); ++i) {
        auto row_key = key(kEntryPrefix, i);
        ASSIGN_OR_RETURN(auto row, store_.get(row_key));
        if (!row) return damaged("entry " + std::to_string(i) + " is missing");
        ASSIGN_OR_RETURN(auto entry, parse_entry(row_key, *row));
        bytes += row->size();
        out.push_back(std::move(entry));
    }
    return out;
}

}  // namespace controller
