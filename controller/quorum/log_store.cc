#include "controller/quorum/log_store.h"

#include <algorithm>

#include "base/check.h"
#include "controller/quorum/chunks.h"
#include "controller/quorum/rows.h"
#include "controller/quorum/sealed.h"
#include "controller/quorum/upgrade.h"

namespace quorum {

namespace {

using storage::Store;

base::Result<bool> has_rows(const Store& store) {
    bool any = false;
    RETURN_IF_ERROR(store.scan(rows::kAll, [&](auto, auto) {
        any = true;
        return false;
    }));
    return any;
}

/// The row as `decode` reads it; it must be there.
template <class Row>
base::Result<Row> read(const Store& store, std::string_view key) {
    ASSIGN_OR_RETURN(const auto row, store.get(key));
    if (!row) return damaged("its row " + std::string(key) + " is missing");
    return Row::decode(*row);
}

base::Result<std::string> read_chunk(const Store& store, uint64_t generation, uint32_t number) {
    ASSIGN_OR_RETURN(const auto row, store.get(rows::chunk_key(generation, number)));
    if (!row) return damaged("part " + std::to_string(number) + " of its snapshot is missing");
    return rows::decode_chunk(generation, number, *row);
}

}  // namespace

base::Result<LogStore::Opened> LogStore::open(Store& store, Options options) {
    CHECK(options.id >= 0 && options.draw) << "options of a controller's log";
    auto log = std::unique_ptr<LogStore>(new LogStore(store));
    const uint64_t hi = options.draw();
    const raft::Member drawn{options.id, base::Uuid::from_random(hi, options.draw())};
    ASSIGN_OR_RETURN(const bool old, is_format_one(store));
    if (old) RETURN_IF_ERROR(upgrade_format_one(store, drawn, options.cluster_id, options.address));
    ASSIGN_OR_RETURN(const bool any, has_rows(store));
    if (any) RETURN_IF_ERROR(log->load(options));
    else RETURN_IF_ERROR(log->create(drawn, options.cluster_id));
    ASSIGN_OR_RETURN(auto image, log->snapshot_image());
    const auto& of = image->cluster_id();
    if (!of.empty() && of != log->cluster_id_)
        return damaged("its snapshot is of cluster " + of + ", its other rows of " +
                       log->cluster_id_);
    auto stored = log->stored();
    return Opened{std::move(log), std::move(stored), std::move(image)};
}

base::Status LogStore::create(const raft::Member& self, const std::string& cluster_id) {
    self_ = self;
    cluster_id_ = cluster_id;
    storage::WriteBatch batch;
    batch.put(std::string(rows::kMember), rows::Member{self_, cluster_id_}.encode());
    batch.put(std::string(rows::kState), rows::State{}.encode());
    batch.put(std::string(rows::kSnapshot), rows::Snapshot{}.encode());
    return store_.write(batch, Store::Durability::synced);
}

/// What a process that was killed wrote last may be there without having been synced. Raft builds
/// on what it finds, so it is made durable first: the sync of a later batch covers those before.
base::Status LogStore::load(const Options& options) {
    ASSIGN_OR_RETURN(auto member, read<rows::Member>(store_, rows::kMember));
    RETURN_IF_ERROR(member.check(options.id, options.cluster_id));
    if (member.cluster_id.empty()) member.cluster_id = options.cluster_id;
    self_ = member.self;
    cluster_id_ = member.cluster_id;
    ASSIGN_OR_RETURN(const auto state, read<rows::State>(store_, rows::kState));
    ASSIGN_OR_RETURN(auto snapshot, read<rows::Snapshot>(store_, rows::kSnapshot));
    kept_.state = state.hard;
    kept_.snapshot = std::move(snapshot.info);
    kept_.chunks = snapshot.chunks;
    kept_.generation = snapshot.generation;
    RETURN_IF_ERROR(load_entries());
    if (kept_.last != state.last)
        return damaged("it ends with entry " + std::to_string(kept_.last.index) + " of term " +
                       std::to_string(kept_.last.term) + ", but entry " +
                       std::to_string(state.last.index) + " of term " +
                       std::to_string(state.last.term) + " was written last");
    storage::WriteBatch batch;
    RETURN_IF_ERROR(load_chunks(batch));
    batch.put(std::string(rows::kMember), member.encode());
    batch.put(std::string(rows::kState), state.encode());
    return store_.write(batch, Store::Durability::synced);
}

/// Every entry is looked at, one at a time: a hole must not be found only when Raft needs it.
base::Status LogStore::load_entries() {
    auto at = kept_.snapshot.position;
    base::Status found;
    const auto entry = [&](std::string_view key, std::string_view row) -> base::Status {
        if (rows::index_of(key) != at.index + 1)
            return damaged("entry " + std::to_string(at.index + 1) + " is missing");
        ASSIGN_OR_RETURN(const auto read, rows::decode_entry(at.index + 1, row));
        if (read.term < at.term)
            return damaged("the term of entry " + std::to_string(at.index + 1) + " falls");
        at = {at.index + 1, read.term};
        return base::ok();
    };
    RETURN_IF_ERROR(store_.scan(rows::kEntries, [&](std::string_view key, std::string_view row) {
        found = entry(key, row);
        return found.ok();
    }));
    kept_.last = at;
    return found;
}

/// Counts the snapshot's parts, and removes those of one that was not received completely: its
/// sender begins anew.
base::Status LogStore::load_chunks(storage::WriteBatch& batch) {
    uint32_t count = 0;
    bool readable = true;
    RETURN_IF_ERROR(store_.scan(rows::kChunks, [&](std::string_view key, std::string_view row) {
        const auto generation = rows::generation_of(key);
        readable = generation.has_value();
        if (!readable) return false;
        if (*generation == kept_.generation) {
            ++count;
            kept_.snapshot_bytes += row.size();
        } else {
            batch.remove(std::string(key));
        }
        kept_.next_generation = std::max(kept_.next_generation, *generation + 1);
        return true;
    }));
    kept_.next_generation = std::max(kept_.next_generation, kept_.generation + 1);
    snapshot_bytes_ = kept_.snapshot_bytes;
    if (!readable) return damaged("a part of a snapshot has a key that can't be read");
    if (count == kept_.chunks) return base::ok();
    return damaged("its snapshot has " + std::to_string(count) + " parts, of " +
                   std::to_string(kept_.chunks));
}

raft::Stored LogStore::stored() const {
    return {kept_.state, kept_.snapshot, kept_.last.index, kept_.snapshot.position.index};
}

base::Result<raft::Stored> LogStore::found(const std::string& cluster_id,
                                           const raft::Configuration& configuration) {
    RETURN_IF_ERROR(failed_);
    CHECK(!cluster_id.empty()) << "a cluster without an id";
    const rows::Member member{self_, cluster_id_};
    RETURN_IF_ERROR(member.check(self_.id, cluster_id));
    if (kept_.state != raft::HardState{} || kept_.last != raft::Position{} ||
        kept_.snapshot != raft::SnapshotInfo{})
        return base::precondition("controller " + std::to_string(self_.id) +
                                  " takes part in cluster " + cluster_id_ +
                                  " already: it can't found it again");
    cluster_id_ = cluster_id;
    kept_.snapshot.configuration = configuration;
    storage::WriteBatch batch;
    batch.put(std::string(rows::kMember), rows::Member{self_, cluster_id_}.encode());
    batch.put(std::string(rows::kSnapshot), rows::Snapshot{.info = kept_.snapshot}.encode());
    failed_ = store_.write(batch, Store::Durability::synced);
    RETURN_IF_ERROR(failed_);
    return stored();
}

base::Result<metadata::ImagePtr> LogStore::snapshot_image() const {
    ImageReader image;
    for (uint32_t i = 0; i < kept_.chunks; ++i) {
        ASSIGN_OR_RETURN(const auto chunk, read_chunk(store_, kept_.generation, i));
        RETURN_IF_ERROR(image.add(chunk));
    }
    const auto& at = kept_.snapshot.position;
    return image.finish({at.index, at.term});
}

base::Result<std::vector<raft::Entry>> LogStore::entries(raft::Index from, raft::Index end,
                                                         size_t most_bytes) const {
    std::vector<raft::Entry> out;
    size_t bytes = 0;
    for (auto i = from; i < end && (out.empty() || bytes < most_bytes); ++i) {
        ASSIGN_OR_RETURN(const auto row, store_.get(rows::entry_key(i)));
        if (!row) return damaged("entry " + std::to_string(i) + " is missing");
        ASSIGN_OR_RETURN(auto entry, rows::decode_entry(i, *row));
        bytes += entry.bytes();
        out.push_back(std::move(entry));
    }
    return out;
}

/// Only from rows: a write that replaces the snapshot may be under way on another thread.
base::Result<raft::Storage::Chunk> LogStore::snapshot_chunk(raft::Index index,
                                                            uint32_t number) const {
    ASSIGN_OR_RETURN(const auto snapshot, read<rows::Snapshot>(store_, rows::kSnapshot));
    const auto absent = base::not_found("snapshot " + std::to_string(index) + " has no part " +
                                        std::to_string(number));
    if (snapshot.info.position.index != index || number >= snapshot.chunks) return absent;
    auto bytes = read_chunk(store_, snapshot.generation, number);
    if (bytes.ok()) return Chunk{*std::move(bytes), number + 1 == snapshot.chunks};
    ASSIGN_OR_RETURN(const auto now, read<rows::Snapshot>(store_, rows::kSnapshot));
    return now.generation == snapshot.generation ? bytes.status() : absent;
}

}  // namespace quorum
