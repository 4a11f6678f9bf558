#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "io/memory_disk.h"
#include "storage/claims.h"
#include "storage/lineage.h"
#include "storage/log.h"
#include "storage/store/memory_store.h"

namespace storage {

/// Faults built into the harness, which the checks must notice.
enum class Mutant : uint8_t {
    none,
    no_directory_sync,  // the disk forgets sync_directory
    synced_before_run,  // the log is told that a sync is done which never ran
    checkpoint_ahead,   // the stored recovery point is the end of the log
};

/// What a log must hold, kept by hand: every batch since the log last began anew, and the promises
/// that were made about it.
struct LogModel {
    struct Record {
        base::Offset offset;
        base::TimestampMs timestamp;
    };
    struct Batch {
        base::Offset first;
        base::Offset next;
        base::Bytes bytes;
        std::vector<Record> records;
    };

    std::vector<Batch> batches;
    base::Offset origin = 0;  // where batches begin
    Producers before;         // state of the producers at `origin`
    base::Offset start = 0;
    base::Offset acked = 0;    // survives power loss
    base::Offset written = 0;  // survives kill -9

    base::Offset end() const { return batches.empty() ? origin : batches.back().next; }
    /// The largest end of a batch at or below `offset`.
    base::Offset boundary(base::Offset offset) const;
    void cut_back(base::Offset end);
    /// Without records, at its start; what they said of their producers stays.
    LogModel emptied() const;
    Producers producers(base::Offset end) const;
    Lineage lineage() const;
    base::Bytes expected_read(base::Offset from, base::Offset limit, uint32_t most,
                              bool at_least_one, base::Offset& next) const;
    /// By linear scan; nothing in max: the newest of all.
    std::optional<Record> find(std::optional<base::TimestampMs> target, base::Offset limit) const;
};

/// The bytes of a read; nothing if they can't be had.
base::Bytes content(const LogRead&);

/// One log on a disk and a store in memory, under a random schedule of everything that may happen
/// to it. The seed decides all of it.
class LogSim {
  public:
    LogSim(uint64_t seed, Mutant);
    ~LogSim();
    /// What went wrong, and when; empty: nothing.
    std::string run();

  private:
    enum class Crash : uint8_t { kill, power_loss };

    uint64_t below(uint64_t n) { return random_() % n; }
    bool chance(unsigned percent) { return below(100) < percent; }
    void fail(const std::string& what);

    void step();
    void act(uint64_t dice);
    void append();
    void append_replicated();
    base::Bytes build(Producers::Claim&, LogModel::Batch&);
    void take_in(base::View bytes, LogModel::Batch);
    void take_sync();
    void run_sync();
    void finish_sync();
    void truncate();
    void advance_start();
    void restart();
    void retain();
    void full_disk();
    void close();
    void crash(Crash);
    void flip_bit();
    void draw_config();

    void open();
    void accept(base::Offset lowest);
    bool accept_skipped();
    void check();
    void check_reads();
    void check_timestamps();
    void check_lineage(bool reopened);
    std::string read_all();

    std::mt19937_64 random_;
    Mutant mutant_;
    std::unique_ptr<io::MemoryDisk> disk_;
    std::unique_ptr<MemoryStore> store_;
    std::unique_ptr<io::Disk> disk_seen_;  // by the log
    std::unique_ptr<Store> store_seen_;
    std::unique_ptr<Log> log_;
    LogConfig config_;
    LogModel model_;
    std::optional<Sync> sync_;
    std::optional<base::Status> sync_outcome_;
    bool sync_failed_ = false;  // what was written is not to be trusted
    base::LeaderEpoch epoch_ = 0;
    base::TimestampMs now_ = 1'000'000;
    std::string failure_;
    std::vector<std::string> trace_;
    bool over_ = false;
    int steps_ = 0;
};

}  // namespace storage
