#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "lab/trace.h"

namespace lab {

/// What the nodes have on disk after all came to rest: it must be the same.
class ReplicaChecks {
  public:
    /// replica, replica_hash
    void take(const Event&);
    void judge(Trace&) const;
    /// Of which there is more than one copy.
    uint64_t compared_blocks() const;

  private:
    struct Copy {
        uint32_t node = 0;
        base::Offset start = -1;
        base::Offset end = -1;
        std::map<base::Offset, uint64_t> blocks;  // hash by offset
    };
    Copy& copy(const Event&);

    std::map<uint32_t, std::vector<Copy>> copies_;  // by partition
};

}  // namespace lab
