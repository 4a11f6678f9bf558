#pragma once
#include <vector>

#include "base/status.h"
#include "groups/records.h"
#include "storage/log.h"

namespace groups {

/// What a range of the log says.
struct Loaded {
    std::vector<AnyRecord> records;
    size_t foreign = 0;  // records of kinds that are not served here, left out of `records`
    size_t bytes = 0;
    base::LeaderEpoch epoch = -1;  // of the last batch
};

/// Reads and checks the batches of a range. Blocks; on a pool thread.
/// kDataLoss for a batch that fails its checksum, can't be decompressed, or holds a record that is
/// none of Kafka's: whoever went on without it would forget groups or positions silently.
base::Result<Loaded> load(const storage::LogRead&);
/// The same for batches in memory.
base::Result<Loaded> load(base::View batches);

}  // namespace groups
