#pragma once
#include <cstddef>
#include <span>

#include "base/ids.h"
#include "base/time.h"
#include "storage/config.h"

namespace storage {

/// What retention needs to know of a segment.
struct SegmentFacts {
    base::Offset end = 0;  // the offset after its last record
    uint64_t bytes = 0;
    base::TimestampMs newest = -1;  // its largest timestamp, or when it was written if it has none
};

struct Retention {
    size_t remove = 0;        // that many of the oldest segments
    bool roll_first = false;  // all of them, so that an empty one must come after the last
};

/// Which segments of a log are no longer wanted; pure. From the oldest on, it stops at the first
/// that is to stay, and at the first with a record at or past `limit` (the high watermark).
///
/// By log start: all its records lie below `start`. By size: without it the log still has
/// retention_bytes. By time: its largest timestamp is older than retention_ms. The last two only
/// with cleanup_delete. The rules are Kafka's, the last segment included: it goes only when it has
/// records and all of them are expired.
Retention decide_retention(std::span<const SegmentFacts> segments, base::Offset start,
                           base::Offset limit, const LogConfig&, base::TimestampMs now);

}  // namespace storage
