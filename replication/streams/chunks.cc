#include "replication/streams/chunks.h"

#include <memory>
#include <utility>

#include "kafka/records/batch.h"

namespace replication::streams {

base::Result<base::Slice> load(const storage::LogRead& read) {
    // Not initialised: all of it is read over.
    const std::shared_ptr<std::byte[]> memory(new std::byte[read.bytes]);
    size_t filled = 0;
    for (const auto& slice : read.slices) {
        const base::MutableView to{memory.get() + filled, slice.size};
        ASSIGN_OR_RETURN(const size_t count, slice.file->read_at(slice.position, to));
        if (count < slice.size)
            return base::data_loss(slice.file->path() + " ends before byte " +
                                   std::to_string(slice.position + slice.size));
        filled += slice.size;
    }
    return base::Slice(memory, {memory.get(), filled});
}

base::Status verify(base::View batches) {
    while (!batches.empty()) {
        const auto batch = kafka::take_batch(batches);
        if (!batch || !batch->crc_ok()) return base::data_loss("a batch with a wrong checksum");
    }
    return base::ok();
}

std::optional<Chunk> Chunks::find(const base::TopicPartition& id, base::LeaderEpoch epoch,
                                  base::Offset from) const {
    const auto found = last_.find(id);
    if (found == last_.end()) return std::nullopt;
    const Chunk& chunk = found->second;
    if (chunk.epoch != epoch || from < chunk.from || from >= chunk.next) return std::nullopt;
    if (from == chunk.from) return chunk;
    auto rest = chunk.bytes.bytes();
    while (const auto batch = kafka::take_batch(rest)) {
        if (batch->next_offset() < from) continue;
        if (batch->next_offset() > from) return std::nullopt;
        const size_t before = chunk.bytes.size() - rest.size();
        return Chunk{epoch, from, chunk.next, chunk.bytes.part(before, rest.size())};
    }
    return std::nullopt;
}

void Chunks::keep(const base::TopicPartition& id, Chunk chunk) {
    if (chunk.bytes.size() > most_bytes_) return;
    bytes_ += chunk.bytes.size();
    const auto [at, is_new] = last_.try_emplace(id);
    bytes_ -= at->second.bytes.size();
    at->second = std::move(chunk);
    if (is_new) order_.push_back(id);
    while (bytes_ > most_bytes_) {
        const auto oldest = order_.front();
        order_.pop_front();
        if (oldest == id) order_.push_back(id);
        else drop(oldest);
    }
}

void Chunks::drop(const base::TopicPartition& id) {
    const auto found = last_.find(id);
    if (found == last_.end()) return;
    bytes_ -= found->second.bytes.size();
    last_.erase(found);
}

}  // namespace replication::streams
