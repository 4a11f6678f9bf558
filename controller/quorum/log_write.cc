#include "base/check.h"
#include "controller/quorum/log_store.h"
#include "controller/quorum/rows.h"

namespace quorum {

base::Status LogStore::write(const raft::Write& write, std::span<const std::string> chunks) {
    RETURN_IF_ERROR(failed_);
    CHECK(write.compact.has_value() == !chunks.empty()) << "a snapshot is its parts";
    storage::WriteBatch batch;
    Kept next = kept_;
    take_state(write.state, next);
    if (write.discard_received) drop_received(batch, next);
    for (const auto& chunk : write.received) receive(batch, next, chunk);
    if (write.install) install(batch, next, *write.install);
    if (write.compact) compact(batch, next, *write.compact, chunks);
    if (write.from > 0) append(batch, next, write.from, write.entries);
    CHECK(next.last.term <= next.state.term) << "an entry of a term that has not begun";
    batch.put(std::string(rows::kState), rows::State{next.state, next.last}.encode());
    if (write.install || write.compact)
        batch.put(std::string(rows::kSnapshot),
                  rows::Snapshot{next.snapshot, next.chunks, next.generation}.encode());
    failed_ = store_.write(batch, storage::Store::Durability::synced);
    RETURN_IF_ERROR(failed_);
    kept_ = std::move(next);
    snapshot_bytes_ = kept_.snapshot_bytes;
    return base::ok();
}

void LogStore::take_state(const raft::HardState& state, Kept& next) {
    CHECK(state.term >= next.state.term) << "the term falls";
    CHECK(state.term > next.state.term || !next.state.vote || state.vote == next.state.vote)
        << "the vote changes within term " << state.term;
    next.state = state;
}

void LogStore::drop_received(storage::WriteBatch& batch, Kept& next) {
    if (!next.received) return;
    for (uint32_t i = 0; i < next.received->chunks; ++i)
        batch.remove(rows::chunk_key(next.received->generation, i));
    next.received.reset();
}

void LogStore::receive(storage::WriteBatch& batch, Kept& next, const raft::ReceivedChunk& chunk) {
    if (chunk.number == 0) {
        drop_received(batch, next);
        next.received = Received{chunk.snapshot, next.next_generation++, 0, 0};
    }
    auto& to = next.received;
    CHECK(to && to->info == chunk.snapshot && to->chunks == chunk.number)
        << "part " << chunk.number << " of a snapshot does not follow";
    auto row = rows::encode_chunk(to->generation, to->chunks, chunk.bytes);
    to->bytes += row.size();
    batch.put(rows::chunk_key(to->generation, to->chunks++), std::move(row));
}

/// The parts that were received are in place already: only which ones count changes.
void LogStore::install(storage::WriteBatch& batch, Kept& next, const raft::SnapshotInfo& snapshot) {
    CHECK(next.received && next.received->info == snapshot) << "another snapshot was received";
    CHECK(snapshot.position.index > next.snapshot.position.index) << "a snapshot takes back";
    for (uint32_t i = 0; i < next.chunks; ++i) batch.remove(rows::chunk_key(next.generation, i));
    for (auto i = next.snapshot.position.index + 1; i <= next.last.index; ++i)
        batch.remove(rows::entry_key(i));
    next.snapshot = snapshot;
    next.generation = next.received->generation;
    next.chunks = next.received->chunks;
    next.snapshot_bytes = next.received->bytes;
    next.last = snapshot.position;
    next.received.reset();
}

void LogStore::compact(storage::WriteBatch& batch, Kept& next, const raft::SnapshotInfo& snapshot,
                       std::span<const std::string> chunks) {
    const auto index = snapshot.position.index;
    CHECK(index > next.snapshot.position.index && index <= next.last.index)
        << "a snapshot at " << index << " of what is not there";
    for (uint32_t i = 0; i < next.chunks; ++i) batch.remove(rows::chunk_key(next.generation, i));
    for (auto i = next.snapshot.position.index + 1; i <= index; ++i)
        batch.remove(rows::entry_key(i));
    next.snapshot = snapshot;
    next.generation = next.next_generation++;
    next.chunks = 0;
    next.snapshot_bytes = 0;
    for (const auto& chunk : chunks) {
        auto row = rows::encode_chunk(next.generation, next.chunks, chunk);
        next.snapshot_bytes += row.size();
        batch.put(rows::chunk_key(next.generation, next.chunks++), std::move(row));
    }
}

void LogStore::append(storage::WriteBatch& batch, Kept& next, raft::Index from,
                      const std::vector<raft::Entry>& entries) {
    CHECK(!entries.empty() && from > next.snapshot.position.index && from <= next.last.index + 1)
        << "entries from " << from << " on leave a gap";
    const auto before = next.last.index;
    raft::Term term = from > before ? next.last.term : next.snapshot.position.term;
    next.last.index = from - 1;
    for (const auto& entry : entries) {
        CHECK(entry.term >= term) << "the log's terms fall";
        term = entry.term;
        ++next.last.index;
        batch.put(rows::entry_key(next.last.index), rows::encode(next.last.index, entry));
    }
    next.last.term = term;
    for (auto i = next.last.index + 1; i <= before; ++i) batch.remove(rows::entry_key(i));
}

}  // namespace quorum
