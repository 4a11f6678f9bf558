#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/function.h"
#include "base/ids.h"
#include "base/time.h"
#include "kafka/errors.h"
#include "storage/log.h"

namespace io {
class Shard;
class Shards;
}  // namespace io

namespace replication {

enum class Acks : int16_t { all = -1, none = 0, leader = 1 };

/// One partition on this broker: joins its log with who leads and how far the data is safe, and
/// holds what waits for that: produces for the high watermark, fetches for new records. Lives on
/// one shard; every call and every completion runs there. Completions may run inside the call.
class Partition {
  public:
    struct Options {
        int min_isr = 1;
        bool write_caching =
            false;  // acks=all means "in memory of the in-sync replicas", not "on disk"
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

    Partition(std::unique_ptr<storage::Log>, io::Shards&, io::Shard&, Options);
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

    /// Takes over leadership with this epoch (from the metadata image).
    void lead(base::LeaderEpoch);
    void set_config(const storage::LogConfig&, Options);

    bool leading() const;
    base::LeaderEpoch leader_epoch() const;
    base::Offset high_watermark() const;
    storage::Log& log() { return *log_; }
    const storage::Log& log() const { return *log_; }
    io::Shard& shard() { return shard_; }

    /// DeleteRecords: moves the log start to `offset` (-1: the high watermark). 1 if outside.
    kafka::Outcome<base::Offset> delete_records(base::Offset offset);
    /// Retention, time rolls, producer expiry, checkpoint. Every few seconds.
    void maintain(base::TimestampMs now);
    /// Fails what waits (6), syncs and closes the log. Nothing may be called after.
    base::Status close();

  private:
    struct Waiting;

    std::unique_ptr<storage::Log> log_;
    io::Shards& shards_;
    io::Shard& shard_;
    Options options_;
};

}  // namespace replication
