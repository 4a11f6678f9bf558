#pragma once
#include <optional>
#include <vector>

#include "base/ids.h"
#include "storage/log.h"

namespace storage {

/// Which leader epoch wrote which offsets of one log (KIP-101): epochs and the offsets where they
/// begin, both strictly rising. Pure.
class Lineage {
  public:
    struct Entry {
        base::LeaderEpoch epoch = -1;
        base::Offset start = 0;
        bool operator==(const Entry&) const = default;
    };

    Lineage() = default;
    explicit Lineage(std::vector<Entry> entries) : entries_(std::move(entries)) {}

    /// Notes that `epoch` begins at `start`. Nothing if it is the latest or an older one. An epoch
    /// that began at or past `start` wrote nothing and is forgotten.
    void assign(base::LeaderEpoch, base::Offset start);
    /// Forgets epochs that begin at or past `end`.
    void cut_back(base::Offset end);
    /// Forgets epochs that end at or before `start`; the one that holds it begins there now.
    void cut_front(base::Offset start);
    void clear() { entries_.clear(); }

    base::LeaderEpoch last_epoch() const { return entries_.empty() ? -1 : entries_.back().epoch; }
    /// Where `epoch` ends in a log that ends at `log_end`; Kafka's rule for OffsetsForLeaderEpoch.
    EpochEnd end_of(base::LeaderEpoch, base::Offset log_end) const;
    const std::vector<Entry>& entries() const { return entries_; }

    /// Whether epochs and offsets both rise strictly, as every lineage has it.
    static bool valid(const std::vector<Entry>&);

  private:
    std::vector<Entry> entries_;
};

}  // namespace storage
