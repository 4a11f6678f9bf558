#pragma once
#include <chrono>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/function.h"
#include "broker/resolve.h"
#include "broker/services.h"
#include "kafka/errors.h"
#include "kafka/records/validate.h"
#include "storage/log.h"

namespace broker {

/// What a client asks of one partition.
struct AppendRequest {
    TopicRef topic;  // used during the call only
    base::PartitionIndex partition = 0;
    int16_t acks = -1;
    std::chrono::milliseconds timeout{0};
    bool zstd_allowed = true;
    bool transactional = false;  // said so outside of the batch
};

struct AppendOutcome {
    kafka::Error error;  // none: it is appended, and `acks` satisfied
    /// With an error: nothing of it is in the log. Otherwise it may be: the time was over, or
    /// leadership lost, while it waited for the in-sync replicas.
    bool not_appended = true;
    storage::Appended appended;
    base::Offset log_start = -1;
    std::vector<kafka::RecordError> records;  // why the batch was refused
    // As this broker knows; to be told with error 6, so that the client asks there (KIP-951).
    base::BrokerId leader{-1};
    base::LeaderEpoch leader_epoch = -1;
};

/// Checks a client's batch and appends it, if this broker leads the partition. `batch` is written
/// to in place, and `keep` holds its memory. On the shard of `local`, where `done` runs, now or
/// later.
void append(Services&, Local&, const AppendRequest&, base::MutableView batch,
            std::shared_ptr<const void> keep, base::Function<void(AppendOutcome)> done);

}  // namespace broker
