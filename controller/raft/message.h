#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/status.h"
#include "controller/raft/configuration.h"
#include "controller/raft/types.h"

namespace raft {

/// Asks for a vote. A pre-vote asks whether one would be given: its message's term is the one that
/// the election would have, and it changes nothing at whom it asks (Raft thesis §9.6).
struct VoteRequest {
    Position last;  // of the candidate's log
    bool pre = false;
    bool forced = false;  // the leader itself asked for this election: its being alive is no reason
                          // to refuse
};
struct VoteReply {
    bool granted = false;
    bool pre = false;
};

/// Entries that follow `prev`, and how far the leader has committed.
struct Append {
    Position prev;
    std::vector<Entry> entries;
    Index commit = 0;
};
/// ok: the log equals the leader's up to `match`, and is durable so far.
/// Not ok: the entry at `match` is not the leader's. The newest that might be is at `hint`: its
/// term is not above that of the leader's refused entry.
struct AppendReply {
    bool ok = false;
    Index match = 0;
    Position hint;
};

/// Sent at fixed times whatever is else under way; claims nothing about logs beyond what was
/// acknowledged, so its reply waits for no write. `round` counts the rounds of read confirmation.
struct Heartbeat {
    Index commit = 0;
    uint64_t round = 0;
};
struct HeartbeatReply {
    uint64_t round = 0;
};

/// State that replaces the log up to a position, and the configuration as it was there.
struct SnapshotInfo {
    Position position;
    Configuration configuration;

    bool operator==(const SnapshotInfo&) const = default;
};
/// Part `number`, from 0, of a snapshot. One is in flight at a time.
struct SnapshotChunk {
    SnapshotInfo snapshot;
    uint32_t number = 0;
    bool last = false;
    std::string bytes;
    uint32_t crc = 0;  // CRC-32C of the bytes
};
/// Which part is wanted next. 0 after one that was damaged or missing: all is sent anew. What
/// completes a snapshot is answered by an AppendReply.
struct SnapshotReply {
    Index snapshot = 0;
    uint32_t next = 0;
};

/// The leader asks the one that it is sent to, whose log is complete, to campaign at once.
struct TimeoutNow {};

struct Message {
    base::Uuid cluster;
    Member from;
    Member to;
    Term term = 0;
    std::variant<VoteRequest, VoteReply, Append, AppendReply, Heartbeat, HeartbeatReply,
                 SnapshotChunk, SnapshotReply, TimeoutNow>
        body;
};

/// kInvalidArgument for what no correct member sends: a negative number, terms of entries that fall
/// or are above the message's, a configuration that can't be read. Raft ignores such a message;
/// whoever receives it from outside checks first, to say so.
base::Status check(const Message&);

}  // namespace raft
