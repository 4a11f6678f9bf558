#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <variant>

#include "base/ids.h"

namespace replication {

/// A partition's row in the metadata, as far as its replicas act by it.
struct Assignment {
    base::LeaderEpoch epoch = -1;  // grows with each new leader
    int32_t version = -1;          // grows with each change of the row
    base::BrokerId leader{-1};     // -1: none
    std::set<base::BrokerId> replicas;
    std::set<base::BrokerId> isr;  // in-sync replicas: those that hold all that is acknowledged
};

/// What the shell owes after an event.
struct Effects {
    std::optional<base::Offset> high_watermark;  // moved here: complete what waited for it
    bool role_changed = false;                   // a new leader or epoch: tell what waits
};

/// One replica of one partition: who leads, who is in sync, how far the data is safe. Pure: events
/// in, effects out; no clock, disk or network.
///
/// "Safe end" is the offset up to which a replica holds the records as acks=all asks: on its disk,
/// or with write.caching in its memory.
class Replica {
  public:
    /// `high_watermark`: as known from before the restart; records below it were acknowledged.
    Replica(base::BrokerId self, int min_isr, base::Offset high_watermark)
        : self_(self), min_isr_(min_isr), high_watermark_(high_watermark) {}

    /// A row of the metadata; nothing happens unless it is newer. As leader, this replica's own
    /// epoch begins at `log_end`.
    Effects assign(const Assignment&, base::Offset log_end, base::Offset safe_end);
    /// This leader's own safe end. Nothing happens on a follower.
    Effects progressed(base::Offset safe_end);
    /// The follower `who` holds everything below `safe_end` safely. Nothing happens on a follower.
    Effects follower_progressed(base::BrokerId who, base::Offset safe_end);
    /// min.insync.replicas changed.
    Effects set_min_isr(int min_isr);

    bool leading() const { return std::holds_alternative<Leader>(role_); }
    /// Whether acks=all may be accepted: |ISR| >= min(min.insync.replicas, replicas).
    bool enough_in_sync() const;
    base::LeaderEpoch epoch() const { return row_.epoch; }
    /// Everything below is held safely by every in-sync replica, and may be read. Never goes back,
    /// and stands still while too few are in sync.
    base::Offset high_watermark() const { return high_watermark_; }
    /// Where this leader's epoch began. Leaders only.
    base::Offset epoch_start() const { return std::get<Leader>(role_).epoch_start; }

  private:
    struct Leader {
        base::Offset epoch_start = 0;
        base::Offset safe_end = 0;
        std::map<base::BrokerId, base::Offset> followers;  // safe ends, as told in this epoch
    };
    struct Follower {};

    Effects advance();

    base::BrokerId self_;
    int min_isr_;
    Assignment row_;
    base::Offset high_watermark_;
    std::variant<Follower, Leader> role_;
};

}  // namespace replication
