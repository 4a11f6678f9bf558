#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "lab/trace.h"

namespace lab {

/// The rules about consumer groups. An event here is of a process that is in a group.
class GroupChecks {
  public:
    /// assign, poll, commit, fetch_committed
    void take(Trace&, const Event&);
    /// After judge(): what was drained is known.
    void judge(Trace&) const;

  private:
    /// What a group did with a partition.
    struct Share {
        OffsetTable polled;           // 1 for what a member got
        base::Offset start = -1;      // the lowest that a member started from
        base::Offset committed = -1;  // the last that was taken
        base::Offset highest = -1;    // of all that were taken
        int32_t generation = -1;      // the newest in which a member is known to own it
        uint32_t owner = 0;
    };

    void assign(Trace&, const Event&, Share&);
    void commit(Trace&, const Event&, Share&);
    void fetch(Trace&, const Event&, const Share&);
    void own(Trace&, const Event&, Share&, const char* how);

    std::map<std::pair<uint32_t, uint32_t>, Share> shares_;  // by group and partition
    std::map<uint32_t, int32_t> generations_;                // the newest of each group
};

}  // namespace lab
