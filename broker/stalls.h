#pragma once
#include <optional>

#include "base/time.h"

namespace broker {

/// Whether what this broker waits for has stalled: a disk's sync, a turn of an event loop. Looked
/// at with every heartbeat. It is told the time and asks nobody.
///
/// Only time that was looked at counts, so that a process that was paused, or a machine, doesn't
/// take its own sleep for the disk's. After a stall it takes as much time without one until it is
/// over; twice as much each time that the next one comes soon, so that a disk that limps does not
/// have leadership come and go.
class Stalls {
  public:
    struct Options {
        base::InstantMs timeout_ms = 3000;      // broker.disk.stall.timeout.ms
        base::InstantMs longest_gap_ms = 1000;  // between two looks, that counts
        base::InstantMs longest_calm_ms = 60'000;
    };

    explicit Stalls(Options options) : options_(options), calm_needed_(options.timeout_ms) {}

    /// `since`: when the oldest of what is waited for began; nothing: nothing is.
    bool look(std::optional<base::InstantMs> since, base::InstantMs now);

  private:
    void begin();

    const Options options_;
    base::InstantMs last_look_ = 0;
    base::InstantMs looked_ = 0;  // time that counts
    std::optional<base::InstantMs> since_;
    base::InstantMs waited_ = 0;
    bool stalled_ = false;
    base::InstantMs calm_ = 0;  // time since the stall's end
    base::InstantMs calm_needed_;
    std::optional<base::InstantMs> over_at_;  // the last stall; of looked_
};

}  // namespace broker
