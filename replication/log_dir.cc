#include "replication/log_dir.h"

#include <algorithm>
#include <limits>

#include "spdlog/spdlog.h"

namespace replication {

namespace {

constexpr base::InstantMs look_every_ms = 1000;
constexpr base::InstantMs look_again_ms = 100;

}  // namespace

LogDir::LogDir(io::Shards& shards, io::Disk& disk, std::string path, uint64_t reserve_bytes)
    : shards_(shards), disk_(disk), path_(std::move(path)), reserve_bytes_(reserve_bytes) {
    look();
}

void LogDir::fence(const base::Status& why) {
    if (fenced_.exchange(true)) return;
    spdlog::critical(
        "log directory {}: a sync failed ({}). Nothing more is written there until this node is "
        "started anew; check the disk first.",
        path_, base::message(why));
}

base::Status LogDir::health() const {
    return fenced() ? base::unavailable("a sync failed in log directory " + path_) : base::ok();
}

bool LogDir::take(uint64_t bytes, base::InstantMs now) {
    const auto wanted = static_cast<int64_t>(bytes);
    const bool enough = room_.fetch_sub(wanted, std::memory_order_relaxed) >= wanted;
    if (!enough) room_.fetch_add(wanted, std::memory_order_relaxed);
    const auto pause = enough ? look_every_ms : look_again_ms;
    if (now - looked_at_.load(std::memory_order_relaxed) >= pause) look_later(now);
    return enough;
}

void LogDir::recheck(base::InstantMs now) {
    if (short_.load(std::memory_order_relaxed)) look_later(now);
}

void LogDir::look_later(base::InstantMs now) {
    if (looking_.exchange(true)) return;
    looked_at_.store(now, std::memory_order_relaxed);
    shards_.block([self = shared_from_this()] {
        self->look();
        self->looking_.store(false);
    });
}

void LogDir::look() {
    // A disk that can't say how full it is gives its word on each write.
    const auto free = disk_.free_bytes(path_);
    const auto most = static_cast<uint64_t>(std::numeric_limits<int64_t>::max() / 2);
    const auto room = static_cast<int64_t>(std::min(free.value_or(most), most)) -
                      static_cast<int64_t>(std::min(reserve_bytes_, most));
    room_.store(room, std::memory_order_relaxed);
    const bool now_short = room <= 0;
    if (short_.exchange(now_short) == now_short) return;
    if (now_short)
        spdlog::error(
            "log directory {} has {} bytes free, no more than storage.reserve.bytes ({}): produce "
            "is refused until there is more",
            path_, *free, reserve_bytes_);
    else spdlog::info("log directory {} has room again; produce is accepted", path_);
}

}  // namespace replication
