#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "kafka/messages/delete_groups.h"
#include "kafka/messages/heartbeat.h"
#include "kafka/messages/join_group.h"
#include "kafka/messages/leave_group.h"
#include "kafka/messages/offset_commit.h"
#include "kafka/messages/offset_delete.h"
#include "kafka/messages/sync_group.h"

namespace groups {

/// Names a request that waits for its answer; the shell keeps the callback. 0: none.
using RequestId = uint64_t;
/// Names records on their way to the log; the shell reports back with Groups::persisted.
using WriteId = uint64_t;

/// Both clocks, as told by the shell: deadlines use the first, records the second.
struct Now {
    base::InstantMs instant = 0;
    base::TimestampMs wall = 0;
};

/// A record of __consumer_offsets; no value: a tombstone.
struct Record {
    base::Bytes key;
    std::optional<base::Bytes> value;

    bool operator==(const Record&) const = default;
};

/// Records that must be in the log together, in this order after all earlier writes.
struct Write {
    WriteId id = 0;
    std::vector<Record> records;
};

struct Answer {
    using Body =
        std::variant<kafka::JoinGroupResponse, kafka::SyncGroupResponse, kafka::HeartbeatResponse,
                     kafka::LeaveGroupResponse, kafka::OffsetCommitResponse,
                     kafka::OffsetDeleteResponse, kafka::DeleteGroupsResponse>;
    RequestId to = 0;
    Body body;
};

/// What shall come of one event. An answer that promises durability is not here: it leaves with the
/// call to Groups::persisted that reports its write.
struct Effects {
    std::vector<Answer> answers;
    std::vector<Write> writes;
};

/// One event being handled.
class Turn {
  public:
    Turn(Now now, WriteId& last_write) : now(now), last_write_(last_write) {}

    void answer(RequestId to, Answer::Body body);
    WriteId write(std::vector<Record> records);

    const Now now;
    Effects effects;

  private:
    WriteId& last_write_;
};

}  // namespace groups
