#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "lab/anomaly.h"
#include "lab/group_checks.h"
#include "lab/history.h"
#include "lab/replica_checks.h"
#include "lab/trace.h"

namespace lab {

struct PartitionReport {
    std::string name;
    uint64_t sent = 0, acknowledged = 0, refused = 0, in_doubt = 0;
    uint64_t polled = 0;                // messages that consumers got
    uint64_t drained = 0;               // that the last reader got
    base::Offset start = -1, end = -1;  // what the last reader read; -1: nothing
    Gap longest_gap;                    // without an acknowledgement, though something was sent
    std::vector<Gap> gaps;              // all of `least_gap_ns` and more
};

/// The verdict.
struct Report {
    uint64_t events = 0;
    int64_t begin_ns = 0;  // of the first event
    std::vector<PartitionReport> partitions;
    std::vector<std::string> processes;  // names, by id
    uint64_t compared_blocks = 0;        // hashes of one replica that were held against another's
    Findings findings;

    bool good() const { return findings.none(); }
    std::string partition(uint32_t id) const;
    std::string process(uint32_t id) const;
};

/// Looks for every Anomaly in a history, in time that grows with its length. Pure: events come in
/// the order of their times.
class Checker {
  public:
    /// kDataLoss: the history contradicts itself, as no run can write it.
    base::Status add(const Event&);
    /// Once, at the end.
    Report finish();

  private:
    base::Status name(const Event&);
    base::Status known(const Event&) const;

    Trace trace_;
    GroupChecks groups_;
    ReplicaChecks replicas_;
    uint64_t events_ = 0;
    int64_t begin_ns_ = 0;
};

}  // namespace lab
