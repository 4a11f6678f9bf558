// What brings the records that were appended onto the disk.
#include "replication/partition.h"
#include "spdlog/spdlog.h"

namespace replication {

namespace {

// With write.caching: what a power loss may take, and what recovery has to look through.
constexpr std::chrono::milliseconds flush_interval{1000};
constexpr uint64_t unsynced_bytes_most = uint64_t{64} << 20;

}  // namespace

/// This leader's log, by so many bytes. Followers are sent them while this disk syncs.
void Partition::grew(uint64_t bytes) {
    unsynced_bytes_ += bytes;
    schedule_sync();
    if (has_followers()) exchange_.grown(id_);
    carry_out(replica_.log_moved(shard_.now()));
}

void Partition::schedule_sync() {
    if (syncing_ || unsynced_bytes_ == 0) return;
    if (!options_.write_caching || unsynced_bytes_ >= unsynced_bytes_most) return start_sync();
    if (flush_timer_) return;
    flush_timer_ = shard_.after(flush_interval, [this] {
        const auto spent = std::move(flush_timer_);
        start_sync();
    });
}

void Partition::start_sync() {
    if (syncing_ || !health().ok()) return;
    auto sync = log_->take_sync();
    if (!sync) return;
    syncing_ = true;
    unsynced_bytes_ = 0;
    shards_.block([weak = std::weak_ptr(alive_), &shard = shard_,
                   sync = *std::move(sync)]() mutable {
        auto status = sync.run();
        shard.post([weak = std::move(weak), sync = std::move(sync), status = std::move(status)] {
            if (const auto alive = weak.lock()) (*alive)->finish_sync(sync, status);
        });
    });
}

void Partition::finish_sync(const storage::Sync& sync, const base::Status& status) {
    syncing_ = false;
    log_->synced(sync, status);
    if (!status.ok()) return note(status);
    schedule_sync();  // what came meanwhile goes together, while the answers leave
    carry_out(replica_.log_moved(shard_.now()));
}

}  // namespace replication
