#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "base/function.h"
#include "base/ids.h"
#include "base/time.h"
#include "io/shard.h"
#include "kafka/errors.h"
#include "replication/log_dir.h"
#include "replication/replica.h"
#include "storage/log.h"

namespace replication {

enum class Acks : int16_t { all = -1, none = 0, leader = 1 };

/// One partition on this broker: joins its log with who leads and how far the data is safe, and
/// holds what waits for that: produces for the high watermark, fetches for new records. Lives on
/// one shard; every call and every completion runs there. Completions may run inside the call.
class Partition {
  public:
    struct Options {
        int min_isr = 1;
        /// acks=all means "in memory of the in-sync replicas", not "on disk".
        bool write_caching = false;
        /// Goes on where the disk has no more than its reserve left.
        bool uses_reserve = false;
        base::BrokerId self{0};
    };
    using AppendDone = base::Function<void(kafka::Outcome<storage::Appended>)>;

    struct ReadFrom {
        base::Offset offset = 0;
        uint32_t max_bytes = 0;
        bool at_least_one = false;             // the first-batch rule of Fetch
        base::LeaderEpoch current_epoch = -1;  // as the client knows it; -1: not said
        base::LeaderEpoch last_fetched_epoch = -1;
    };
    struct Read {
        storage::LogRead records;
        base::Offset high_watermark = 0;
        base::Offset last_stable_offset = 0;
        base::Offset log_start = 0;
        std::optional<storage::EpochEnd> diverging;  // set: no records
    };

    /// `dir`: where its log lies; none: it shares with nobody.
    Partition(std::unique_ptr<storage::Log>, io::Shards&, io::Shard&, Options,
              std::shared_ptr<LogDir> dir = nullptr);
    ~Partition();

    /// Appends one validated batch; `batch` is used only during the call (offset and epoch are
    /// written into it). `done` runs when `acks` is satisfied, or with 6, 7, 19, 20, 45, 47, 56 …
    void append(base::MutableView batch, Acks, std::chrono::milliseconds timeout, AppendDone done);

    /// What may be read now: below the high watermark. 1, 6, 56, 74, 75.
    kafka::Outcome<Read> read(const ReadFrom&) const;

    /// Calls `wake` once when something at or past `offset` may be read, or when the role or health
    /// changes; at once if so already. Returns a key for unwatch; 0 if it ran at once.
    uint64_t watch(base::Offset offset, base::Function<void()> wake);
    void unwatch(uint64_t key);

    /// Follows a row of the metadata. Whoever loses leadership fails what waits (6).
    void assign(const Assignment&);
    void set_config(const storage::LogConfig&, Options);

    bool leading() const { return replica_.leading(); }
    base::LeaderEpoch leader_epoch() const { return replica_.epoch(); }
    base::Offset high_watermark() const { return replica_.high_watermark(); }
    /// Not OK once a write or sync has failed: everything is refused with 56 from then on.
    base::Status health() const;
    storage::Log& log() { return *log_; }
    const storage::Log& log() const { return *log_; }
    io::Shard& shard() { return shard_; }

    /// DeleteRecords: moves the log start to `offset` (-1: the high watermark). 1 if outside.
    kafka::Outcome<base::Offset> delete_records(base::Offset offset);
    /// Retention, time rolls, producer expiry, checkpoint. Every few seconds.
    void maintain(base::TimestampMs now);
    /// Fails what waits (6), syncs and closes the log. Nothing may be called after.
    base::Status close();
    /// Fails what waits (6) and lets go of the shard, without syncing: the data is to be deleted.
    /// Nothing may be called after; then it may be destroyed on any thread.
    void abandon();

  private:
    /// A produce with acks=all, in the log but not yet safe.
    struct Waiting {
        storage::Appended appended;
        AppendDone done;
        std::unique_ptr<io::Timer> timer;
    };
    struct Watcher {
        uint64_t key = 0;
        base::Function<void()> wake;
    };
    using Waitings = std::multimap<base::Offset, Waiting>;  // by last offset
    using Watchers = std::multimap<base::Offset, Watcher>;  // by the offset they want to read
    kafka::Outcome<storage::Appended> append_to_log(base::MutableView batch, Acks);
    void wait(const storage::Appended&, std::chrono::milliseconds timeout, AppendDone done);
    void time_out(Waitings::iterator);

    /// Up to where this replica holds the records as acks=all asks.
    base::Offset safe_end() const { return options_.write_caching ? log_->end() : log_->synced(); }
    void carry_out(const Effects&);
    void complete_up_to(base::Offset high_watermark);
    void fail_all(kafka::ErrorCode, const std::string& why);
    void wake_all();
    void let_go();

    void schedule_sync();
    void start_sync();
    void finish_sync(const storage::Sync&, const base::Status&);
    /// Takes note of a failure of the log or its store, and fails what waits.
    void note(const base::Status&);
    void checkpoint(base::TimestampMs now);

    std::unique_ptr<storage::Log> log_;
    io::Shards& shards_;
    io::Shard& shard_;
    Options options_;
    const std::shared_ptr<LogDir> dir_;
    Replica replica_;
    std::shared_ptr<Partition*> alive_;  // a sync that comes back finds this, or nothing
    base::Status failure_;               // of the store; the log keeps its own

    Waitings waiting_;
    Watchers watchers_;
    absl::flat_hash_map<uint64_t, Watchers::iterator> watcher_of_;
    uint64_t last_key_ = 0;

    bool syncing_ = false;
    uint64_t unsynced_bytes_ = 0;             // appended since the last sync was taken
    std::unique_ptr<io::Timer> flush_timer_;  // armed while write.caching leaves bytes unsynced

    struct Checkpoint {
        base::TimestampMs at = -1;
        base::Offset start = -1;
        base::Offset synced = -1;
        base::Offset high_watermark = -1;
    };
    Checkpoint stored_;  // what the store has been told last
};

}  // namespace replication
