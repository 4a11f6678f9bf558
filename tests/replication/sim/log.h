#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "replication/replica/local_log.h"
#include "storage/lineage.h"

namespace replica::sim {

struct Record {
    LeaderEpoch epoch = -1;
    uint64_t producer = 0;
    int64_t sequence = 0;  // of the producer, from 1 without gaps

    bool operator==(const Record&) const = default;
};

/// One replica's log with its disk: what is synced survives the loss of power; what is not, a part
/// from the front. Cuts are on disk at once.
class Log final : public LocalLog {
  public:
    /// `number`: of this log, among all there ever were.
    explicit Log(uint64_t number) : number_(number) {}

    Offset start() const override { return start_; }
    Offset end() const override { return start_ + static_cast<Offset>(records_.size()); }
    Offset synced() const override { return synced_; }
    LeaderEpoch last_epoch() const override { return lineage_.last_epoch(); }
    EpochEnd end_of_epoch(LeaderEpoch) const override;

    uint64_t number() const { return number_; }
    const Record& at(Offset o) const { return records_[static_cast<size_t>(o - start_)]; }
    std::vector<Record> read(Offset from, size_t most) const;
    /// What the disk really has: restarts forget how far it was synced.
    Offset durable() const { return durable_; }
    bool failed() const { return failed_; }
    uint64_t appends() const { return appends_; }

    void append(const Record&);
    void begin_epoch(LeaderEpoch epoch) { lineage_.assign(epoch, end()); }
    void truncate_to(Offset);
    void restart_at(Offset);
    void advance_start(Offset);

    struct Sync {
        uint64_t log = 0;
        Offset end = 0;
        uint64_t cuts = 0;
    };
    Sync take_sync() const { return {number_, end(), cuts_}; }
    void finish(const Sync&);
    void fail() { failed_ = true; }

    /// What can't be read any more, though it was synced: at most one range.
    struct Rot {
        Offset from = 0;
        Offset until = 0;
    };
    const std::optional<Rot>& rot() const { return rot_; }
    void rot(const Rot& r) { rot_ = r; }
    void mend() { rot_.reset(); }
    bool readable(Offset from, Offset until) const {
        return from >= start() && until <= end() &&
               !(rot_ && rot_->from < until && from < rot_->until);
    }

    /// The process ends in no orderly way. `survives`: of the records not synced; `known`: how much
    /// of the synced end the next process knows.
    void crash(Offset survives, Offset known);
    /// It ends in an orderly way.
    void close();

    /// The last record of a producer: its sequence and offset.
    struct Last {
        int64_t sequence = 0;
        Offset offset = -1;
    };
    std::optional<Last> last_of(uint64_t producer) const;
    /// The last sequence of each producer before the start.
    const std::map<uint64_t, int64_t>& deleted() const { return deleted_; }

  private:
    void forget_rot();

    const uint64_t number_;
    std::optional<Rot> rot_;
    Offset start_ = 0;
    std::vector<Record> records_;
    Offset synced_ = 0;
    Offset durable_ = 0;
    uint64_t cuts_ = 0;
    uint64_t appends_ = 0;
    bool failed_ = false;
    storage::Lineage lineage_;
    std::map<uint64_t, int64_t> deleted_;
};

}  // namespace replica::sim
