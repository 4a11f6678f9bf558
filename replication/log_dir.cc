#include "replication/log_dir.h"

#include <algorithm>
#include <limits>

#include "io/disk_view.h"
#include "spdlog/spdlog.h"

namespace replication {

namespace {

constexpr base::InstantMs look_every_ms = 1000;
constexpr base::InstantMs look_again_ms = 100;

/// Other failures of a sync say that there is nothing to sync, or no descriptor to do it with.
base::Status watched(LogDir& dir, base::Status sync) {
    if (absl::IsUnavailable(sync)) dir.fence(sync);
    return sync;
}

class WatchedFile final : public io::File {
  public:
    WatchedFile(std::unique_ptr<io::File> file, std::shared_ptr<LogDir> dir)
        : file_(std::move(file)), dir_(std::move(dir)) {}

    base::Status append(std::span<const base::View> pieces) override {
        return file_->append(pieces);
    }
    base::Result<size_t> read_at(uint64_t position, base::MutableView to) const override {
        return file_->read_at(position, to);
    }
    base::Status sync() override {
        const LogDir::Syncing syncing(*dir_);
        return watched(*dir_, file_->sync());
    }
    base::Status truncate(uint64_t size) override { return file_->truncate(size); }
    uint64_t size() const override { return file_->size(); }
    int descriptor() const override { return file_->descriptor(); }
    const std::string& path() const override { return file_->path(); }

  private:
    const std::unique_ptr<io::File> file_;
    const std::shared_ptr<LogDir> dir_;
};

class WatchedDisk final : public io::DiskView {
  public:
    WatchedDisk(io::Disk& disk, LogDir& dir) : DiskView(disk), dir_(dir) {}

    base::Result<std::unique_ptr<io::File>> open(const std::string& path, io::Open how) override {
        ASSIGN_OR_RETURN(auto file, DiskView::open(path, how));
        return std::make_unique<WatchedFile>(std::move(file), dir_.shared_from_this());
    }
    base::Status sync_directory(const std::string& path) override {
        const LogDir::Syncing syncing(dir_);
        return watched(dir_, DiskView::sync_directory(path));
    }

  private:
    LogDir& dir_;  // which holds this
};

}  // namespace

LogDir::LogDir(io::Shards& shards, io::Disk& disk, std::string path, uint64_t reserve_bytes)
    : shards_(shards),
      disk_(disk),
      path_(std::move(path)),
      reserve_bytes_(reserve_bytes),
      watched_(std::make_unique<WatchedDisk>(disk, *this)) {
    look();
}

LogDir::~LogDir() = default;

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

LogDir::Syncing::Syncing(LogDir& dir) {
    const base::InstantMs now = std::max<base::InstantMs>(io::monotonic_clock(), 1);
    for (auto& since : dir.syncs_) {
        base::InstantMs free = 0;
        if (!since.compare_exchange_strong(free, now, std::memory_order_relaxed)) continue;
        since_ = &since;
        return;
    }
}

LogDir::Syncing::~Syncing() {
    if (since_ != nullptr) since_->store(0, std::memory_order_relaxed);
}

std::optional<base::InstantMs> LogDir::oldest_sync() const {
    std::optional<base::InstantMs> oldest;
    for (const auto& since : syncs_)
        if (const auto at = since.load(std::memory_order_relaxed); at != 0)
            oldest = oldest ? std::min(*oldest, at) : at;
    return oldest;
}

bool LogDir::take(uint64_t bytes, base::InstantMs now) {
    const auto wanted = static_cast<int64_t>(bytes);
    auto room = room_.load(std::memory_order_relaxed);
    bool enough = room >= wanted;
    while (enough && !room_.compare_exchange_weak(room, room - wanted, std::memory_order_relaxed))
        enough = room >= wanted;
    if (!enough) {
        auto missed = missed_.load(std::memory_order_relaxed);
        while (missed < wanted && !missed_.compare_exchange_weak(missed, wanted)) {
        }
    }
    const auto pause = enough ? look_every_ms : look_again_ms;
    if (now - looked_at_.load(std::memory_order_relaxed) >= pause) look_later(now);
    return enough;
}

void LogDir::recheck(base::InstantMs now) {
    if (full()) look_later(now);
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
    const auto free = disk_.free_bytes(path_);
    constexpr auto most = uint64_t{std::numeric_limits<int64_t>::max()};
    // A disk that can't say how full it is gives its word on each write.
    if (!free.ok()) return room_.store(most, std::memory_order_relaxed);
    const auto room = static_cast<int64_t>(std::min(*free, most)) -
                      static_cast<int64_t>(std::min(reserve_bytes_, most));
    room_.store(room, std::memory_order_relaxed);
    const bool full = room <= missed_.load(std::memory_order_relaxed);
    if (!full) missed_.store(0, std::memory_order_relaxed);
    if (full_.exchange(full) == full) return;
    if (full)
        spdlog::error(
            "log directory {} is full: of {} bytes free, storage.reserve.bytes keeps {}; until "
            "there are more, produce is refused, and other brokers lead where enough are in sync",
            path_, *free, reserve_bytes_);
    else spdlog::info("log directory {} has room again; produce is accepted", path_);
}

}  // namespace replication
