#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/uuid.h"
#include "replication/replica/replica.h"
#include "tests/replication/sim/log.h"

namespace replica::sim {

enum class Acks { all, leader };

/// A produce that waits for the high watermark.
struct Waiting {
    Record record;
    Offset offset = 0;
};

/// One broker with its disk, and the process that runs on it, if one does.
struct Node {
    BrokerId id;

    // On its disk.
    std::unique_ptr<Log> log;  // none: it has no replica
    Offset stored_high_watermark = 0;
    int64_t clean_epoch = -1;  // as its last orderly stop left it
    base::Uuid directory;
    int64_t image = 0;  // as far as it followed the metadata
    bool rot_found = false;
    bool full = false;  // its disk takes nothing more

    // The process.
    bool up = false;
    uint64_t life = 0;  // counts processes
    base::Uuid incarnation;
    int64_t epoch = -1;  // -1: not registered yet
    bool stopping = false;
    std::unique_ptr<Replica> core;  // beside a log, while up
    struct Stream {
        uint64_t session = 0;
        Offset next = 0;
    };
    std::map<BrokerId, Stream> streams;  // of records, to followers
    std::vector<Waiting> waiting;
    bool syncing = false;

    // What the ghost remembers.
    Offset agrees = 0;            // its log is as what was committed, up to here
    Offset high_watermark = 0;    // of the core, as last seen
    LeaderEpoch settled = -1;     // it led or followed in this epoch
    LeaderEpoch epoch_seen = -1;  // of this life
    int64_t whole_since = -1;     // its registration after it was last damaged
    bool damaged = false;         // it lost what it had said that it has; until it registers
    LeaderEpoch dropped = -1;     // the row's, when a move last took its replica away
};

}  // namespace replica::sim
