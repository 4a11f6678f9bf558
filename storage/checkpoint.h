#pragma once
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/status.h"
#include "storage/lineage.h"
#include "storage/producers.h"

namespace storage {

/// Up to where a log is on disk: the offset, and where that is in the files.
struct SyncedMark {
    base::Offset offset = 0;
    base::Offset segment = 0;  // base offset of the segment that `offset` lies in or at the end of
    uint64_t position = 0;     // in that segment's file
    base::TimestampMs newest = -1;  // largest timestamp in the segment before `position`

    bool operator==(const SyncedMark&) const = default;
};

/// What the store remembers of a log. Replaced as a whole.
struct Checkpoint {
    SyncedMark recovery;  // never ahead of what is synced
    base::Offset start = 0;
    base::Offset high_watermark = 0;
    bool restarting = false;  // every segment is to go, and the log begins anew at `start`
    bool distrusted = false;  // a sync failed: what lies past `recovery` may be in memory only
    std::vector<Lineage::Entry> lineage;

    std::string serialize() const;
    static base::Result<Checkpoint> parse(std::string_view);
};

/// Producer state as of an offset, and where that is in the files.
struct ProducerSnapshot {
    base::Offset segment = 0;
    uint64_t position = 0;
    Producers producers;

    std::string serialize() const;
    static base::Result<ProducerSnapshot> parse(std::string_view);
};

/// Keys of a log's rows. All begin with row_prefix().
std::string row_prefix(const base::TopicPartition&);
std::string checkpoint_key(const base::TopicPartition&);
std::string snapshot_prefix(const base::TopicPartition&);
std::string snapshot_key(const base::TopicPartition&, base::Offset);
/// The offset in a snapshot's key.
std::optional<base::Offset> parse_snapshot_key(const base::TopicPartition&, std::string_view key);

}  // namespace storage
