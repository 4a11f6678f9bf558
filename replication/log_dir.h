#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/status.h"
#include "base/time.h"
#include "io/disk.h"
#include "io/shard.h"

namespace replication {

/// What the partitions of one log directory share: whether it may still be written to, and how much
/// room there is. Callable from any shard.
class LogDir : public std::enable_shared_from_this<LogDir> {
  public:
    /// `reserve_bytes`: see storage.reserve.bytes. Looks at the disk, and so blocks. Shards and
    /// disk must outlive the work on the shards' pool.
    LogDir(io::Shards&, io::Disk&, std::string path, uint64_t reserve_bytes);
    ~LogDir();

    const std::string& path() const { return path_; }
    /// The disk, for the logs of this directory: whatever sync fails on it, of an append, a roll, a
    /// recovery or a deletion, fences the directory. Its files may outlive the logs.
    io::Disk& disk() { return *watched_; }

    /// A sync failed here: what the disk still holds of what it was given is unknown, and trying
    /// again would not tell. Nothing more is appended in this directory until the next start.
    void fence(const base::Status& why);
    bool fenced() const { return fenced_.load(std::memory_order_acquire); }
    base::Status health() const;
    /// When the oldest of the syncs began that are out now, on the monotonic clock: a disk that
    /// stalls shows by that. Nothing if none is.
    std::optional<base::InstantMs> oldest_sync() const;
    /// A sync of this directory is out as long as this lives.
    class Syncing {
      public:
        explicit Syncing(LogDir&);
        ~Syncing();
        Syncing(const Syncing&) = delete;
        Syncing& operator=(const Syncing&) = delete;

      private:
        std::atomic<base::InstantMs>* since_ = nullptr;
    };

    /// Takes `bytes` of the room above the reserve; false if there is not so much. The disk is not
    /// asked each time: appends are counted from the last look, which is a second old at most while
    /// appends come (a tenth, while they are refused), and happens on the pool.
    bool take(uint64_t bytes, base::InstantMs now);
    /// Whether there was too little room at the last look, for what was refused before it too.
    bool full() const { return full_.load(std::memory_order_relaxed); }
    /// Looks again soon, if it was full.
    void recheck(base::InstantMs now);

  private:
    /// More than the pool has threads by default. Those beyond are not counted: so many others
    /// tell.
    static constexpr size_t kMostCounted = 32;

    void look_later(base::InstantMs now);
    void look();

    io::Shards& shards_;
    io::Disk& disk_;
    const std::string path_;
    const uint64_t reserve_bytes_;
    const std::unique_ptr<io::Disk> watched_;
    std::atomic<bool> fenced_ = false;
    std::array<std::atomic<base::InstantMs>, kMostCounted> syncs_{};  // began then; 0: free
    std::atomic<int64_t> room_ = 0;  // above the reserve; below 0: that much is missing
    std::atomic<base::InstantMs> looked_at_ = 0;
    std::atomic<bool> looking_ = false;
    std::atomic<int64_t> missed_ = 0;  // the most bytes that were refused since there was room
    std::atomic<bool> full_ = false;
};

}  // namespace replication
