#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/expected.h"
#include "base/time.h"
#include "kafka/errors.h"
#include "kafka/records/batch.h"
#include "kafka/records/compression.h"

namespace kafka {

/// What a topic and a Produce request ask of a client's batch.
struct BatchRules {
    uint32_t max_message_bytes = 1'048'588;                     // max.message.bytes
    bool keys_required = false;                                 // cleanup.policy has compact
    TimestampType timestamp_type = TimestampType::create_time;  // message.timestamp.type
    // message.timestamp.before.max.ms and .after.max.ms: how far a CreateTime may lie from now.
    int64_t timestamp_before_max_ms = std::numeric_limits<int64_t>::max();
    int64_t timestamp_after_max_ms = 3'600'000;
    std::optional<Compression> compression;  // compression.type; nothing: as the producer chose
    bool zstd_allowed = true;                // from Produce version 7 on
    size_t decompressed_max_bytes = size_t{64} << 20;
};

/// A record for which its batch was refused.
struct RecordError {
    int32_t index = 0;  // in the batch, from 0
    std::string message;
};

/// Why a batch was refused. One bad record refuses the whole batch.
struct BatchRefused {
    ErrorCode code = ErrorCode::none;
    std::string message;
    std::vector<RecordError> records;  // the first few; empty: the batch itself is at fault
};

struct BatchAccepted {
    /// Set if the batch had to be compressed anew: append this instead.
    std::optional<base::Bytes> rebuilt;
    int32_t count = 0;
    base::TimestampMs max_timestamp = -1;
};

/// Checks what a client sent for one partition before a leader appends it, and readies it: sets the
/// largest timestamp, the timestamp type and the checksum in place, or builds it anew with the
/// topic's codec. Offsets and leader epoch are the log's to set. Refused bytes are left as they
/// were.
///
///   2   lengths or checksum don't match, or the compressed stream is corrupt
///   10  larger than max_message_bytes, or than decompressed_max_bytes once decompressed
///   32  a timestamp outside the window, or LogAppendTime claimed on a CreateTime topic
///   43  a format older than batches of magic 2
///   76  a codec that is unknown or not for this version of Produce
///   87  not exactly one batch; counts, offsets, producer fields, keys or records that make no
///   sense
base::Expected<BatchAccepted, BatchRefused> validate_batch(base::MutableView bytes,
                                                           const BatchRules&,
                                                           base::TimestampMs now);

}  // namespace kafka
