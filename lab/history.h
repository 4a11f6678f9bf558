#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/status.h"

namespace lab {

/// What a client, or who looks at replicas, did or saw. What the fields of an Event mean for each
/// op stands in docs/chaos.md; a field that an op has no use for is as it is by default.
enum class Op : uint8_t {
    name_partition,   // `name` is that of partition `partition`
    name_process,     // `name` is that of process `process`, of group `group` (0: none)
    name_group,       // `name` is that of group `group`, from 1 on
    send,             // invoke, then ok (offset; -1: not told), fail or info (code)
    poll,             // ok: `process` got `value` at `offset`
    drain,            // the same, by the last reader of all, when nothing is written any more
    drained,          // ok: that reader has read all of [offset, until)
    assign,           // ok: `process` reads the partition from `offset` on, in generation `epoch`
    revoke,           // ok: it does so no longer
    finished,         // ok: it read up to `offset`, the end
    list_end,         // invoke, then ok (offset: the end that is told), fail or info
    commit,           // invoke, then ok, fail or info: `offset` for its group, in `epoch`
    fetch_committed,  // invoke, then ok (offset; -1: none), fail or info
    replica,          // ok: `process` is a node that has the partition, from `offset` to `until`
    replica_hash,     // ok: the records of the block at `offset` on that node hash to `hash`
};
inline constexpr uint8_t ops = 15;

enum class Phase : uint8_t {
    invoke,
    ok,
    fail,  // it has not happened, and never will
    info,  // nobody knows
};

/// Which of all values that were ever sent: the `counter`th (from 0) of a producer.
struct Value {
    uint32_t producer = 0;  // its process
    uint64_t counter = 0;
    bool operator==(const Value&) const = default;
};

/// What is wrong with a message as such, as its reader saw; bits of Event::flags.
namespace flag {
inline constexpr uint8_t corrupt = 1;    // its checksum, or its form; there is no value
inline constexpr uint8_t foreign = 2;    // of another run; there is no value
inline constexpr uint8_t misrouted = 4;  // it says that it is of another partition
/// Of name_process: what it sends is written once and in order, and an ok means acks=all.
inline constexpr uint8_t idempotent = 8;
}  // namespace flag

struct Event {
    int64_t time_ns = 0;  // CLOCK_MONOTONIC: the same for all processes of a machine
    Op op = Op::send;
    Phase phase = Phase::ok;
    uint8_t flags = 0;
    int16_t code = 0;  // Kafka's error code, or librdkafka's own (below -1)
    uint32_t process = 0;
    uint32_t partition = 0;
    uint32_t group = 0;
    int32_t epoch = -1;
    base::Offset offset = -1;
    base::Offset until = -1;
    Value value;
    uint64_t hash = 0;
    std::string name;
    bool operator==(const Event&) const = default;
};

/// A history in memory, as its file has it; histories of one run have the same `run`.
class HistoryEncoder {
  public:
    explicit HistoryEncoder(uint64_t run);
    /// Times don't go back within one history.
    void add(const Event&);
    /// Bytes that were added since the last take().
    size_t size() const { return out_.size(); }
    /// What has been added since the last call.
    base::Bytes take();

  private:
    base::Bytes out_;
    int64_t last_ns_ = 0;
};

/// Reads a history that is in memory. One that was cut short by the end of its writer is good up
/// to there.
class HistoryDecoder {
  public:
    /// kInvalidArgument: no history at all.
    static base::Result<HistoryDecoder> begin(base::View bytes);

    /// False at the end. kDataLoss: what comes is no event.
    base::Result<bool> next(Event&);
    uint64_t run() const { return run_; }
    /// Bytes at the end that are a part of an event.
    size_t cut() const { return cut_; }

  private:
    base::View rest_;
    uint64_t run_ = 0;
    int64_t last_ns_ = 0;
    size_t cut_ = 0;
};

}  // namespace lab
