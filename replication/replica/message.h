#pragma once
#include <cstdint>
#include <variant>

#include "replication/replica/local_log.h"
#include "replication/replica/types.h"

namespace replica {

// What a leader and a follower of one partition tell each other. Messages may be lost, repeated,
// late and in any order; a session, which begins with each Attach, tells them apart. Records that
// are lost within a session show as a gap; for the last ones whoever carries the messages has to
// report that the stream broke (follower_lost, leader_lost).

/// A follower says where it stands, and wants to follow. Taken only in the epoch in which both are.
struct Attach {
    BrokerId from = kNobody;
    int64_t broker_epoch = -1;
    LeaderEpoch epoch = -1;
    uint64_t session = 0;  // rises with each Attach of a process
    Offset end = 0;
    Offset synced = 0;
    LeaderEpoch last_epoch = -1;  // of its log; -1: none
    /// It follows no more, and should not be in the ISR: it can't do its part.
    bool leaves = false;

    bool operator==(const Attach&) const = default;
};

/// From the leader's start on the follower's log is a part of the leader's, of which records come
/// from its end on. What the follower has before goes: nobody can tell any more whether it is
/// right.
struct Accepted {
    Offset from = 0;
    Offset start = 0;
    Offset high_watermark = 0;

    bool operator==(const Accepted&) const = default;
};
/// The logs part. The follower cuts its own back and attaches anew.
struct Diverged {
    EpochEnd known;  // the leader's end of the follower's last epoch, or of the largest below

    bool operator==(const Diverged&) const = default;
};
/// The leader has nothing before `at` any more, and the follower nothing after.
struct Restart {
    Offset at = 0;

    bool operator==(const Restart&) const = default;
};
/// The follower is behind in its metadata, or is no replica: it asks again when it knows more.
struct NotNow {
    bool operator==(const NotNow&) const = default;
};

struct AttachReply {
    LeaderEpoch epoch = -1;
    uint64_t session = 0;
    std::variant<NotNow, Accepted, Diverged, Restart> outcome;

    bool operator==(const AttachReply&) const = default;
};

/// Goes before records, of which the first has offset `from`, or stands alone to tell of a new high
/// watermark.
struct Offer {
    LeaderEpoch epoch = -1;
    uint64_t session = 0;
    Offset from = 0;
    Offset high_watermark = 0;
    Offset start = 0;  // of the leader's log

    bool operator==(const Offer&) const = default;
};

struct Acknowledgement {
    BrokerId from = kNobody;
    int64_t broker_epoch = -1;
    LeaderEpoch epoch = -1;
    uint64_t session = 0;
    Offset held = 0;    // everything before is in its log,
    Offset synced = 0;  // and before this one on its disk

    bool operator==(const Acknowledgement&) const = default;
};

using Message = std::variant<Attach, AttachReply, Acknowledgement>;

}  // namespace replica
