#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ids.h"
#include "base/status.h"
#include "lab/anomaly.h"
#include "lab/history.h"
#include "lab/offset_table.h"

namespace lab {

/// A value as a number that is not 0, for tables.
using Key = uint64_t;
inline constexpr unsigned counter_bits = 40;
inline constexpr uint32_t most_processes = 1U << (64 - counter_bits - 1);
/// What the last reader could not make out.
inline constexpr Key unreadable = ~Key{0};
constexpr Key key_of(Value v) { return (uint64_t{v.producer} << counter_bits | v.counter) + 1; }
constexpr Value value_of(Key key) {
    return {static_cast<uint32_t>((key - 1) >> counter_bits),
            (key - 1) & ((uint64_t{1} << counter_bits) - 1)};
}

enum class Outcome : uint8_t { pending, ok, fail, info };

/// What became of a value.
struct Sent {
    /// While it is pending the highest offset that was acknowledged before; then its own, if told.
    base::Offset offset = -1;
    base::Offset read_at = -1;  // by whoever read it first
    uint32_t partition = 0;
    Outcome outcome = Outcome::pending;
    bool polled = false;   // by a consumer that is in no group
    bool drained = false;  // by the last reader
};

struct Gap {
    int64_t from_ns = 0;
    int64_t length_ns = 0;
};

/// What is known of a partition so far.
struct PartitionTrace {
    std::string name;
    OffsetTable acked, polled, drained;  // Key by offset
    base::Offset max_acked = -1;
    base::Offset proven = 0;         // the high watermark has been at least here
    base::Offset drained_from = -1;  // -1: it was not drained
    base::Offset drained_until = -1;
    base::Offset watched_from = -1;  // a consumer that is in no group got everything from here on
    uint64_t sent = 0, acknowledged = 0, refused = 0, in_doubt = 0, polls = 0, drains = 0;
    // Times without any acknowledgement while something was sent and not answered.
    uint64_t pending = 0;
    int64_t waiting_since_ns = 0;
    std::vector<Gap> gaps;  // of at least `least_gap_ns`
    Gap longest;
};
inline constexpr int64_t least_gap_ns = 50'000'000;

struct Process {
    std::string name;
    uint32_t group = 0;
    bool idempotent = false;
};

/// What a process last did with a partition.
struct Cursor {
    base::Offset expected = -1;  // of the next poll; -1: any
    base::Offset assigned = -1;
    base::Offset end_proven = 0;  // when its pending list_end began
    // When its pending commit or fetch_committed began:
    base::Offset committed = -1;
    int32_t generation = -1;
};

/// All that a checker remembers.
struct Trace {
    std::vector<PartitionTrace> partitions;
    std::vector<Process> processes;
    std::vector<std::vector<Sent>> values;  // by producer, then by counter
    absl::flat_hash_map<uint64_t, Cursor> cursors;
    Findings findings;

    /// Null if there is none.
    Sent* find(Value);
    Cursor& cursor(const Event& e) { return cursors[uint64_t{e.process} << 32 | e.partition]; }
    void found(Anomaly, const Event&, std::string detail = {});
    void found(Anomaly, uint32_t partition, base::Offset, Key, std::string detail = {});
    /// "value 17 of producer-2"
    std::string text_of(Key) const;
};

/// What is sent and acknowledged. kDataLoss: the history contradicts itself.
base::Status take_send(Trace&, const Event&);
/// poll, drain, drained, assign, revoke, finished.
void take_read(Trace&, const Event&);
void take_list_end(Trace&, const Event&);
/// What can be said only when all has been seen.
void judge(Trace&);

}  // namespace lab
