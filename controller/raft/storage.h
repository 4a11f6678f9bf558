#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "controller/raft/message.h"

namespace raft {

/// What was written, for reading. Raft keeps the newest entries in memory and asks for older ones,
/// when a member is behind, and only for ones that are durable and committed here; at the start it
/// reads everything after the snapshot once. Calls are synchronous, on Raft's own thread.
class Storage {
  public:
    virtual ~Storage() = default;

    /// Entries from `from` on and before `end`, until `most_bytes` (of Entry::bytes()) are reached;
    /// at least one. Any error halts Raft here: below the durable point a log can't be guessed.
    virtual base::Result<std::vector<Entry>> entries(Index from, Index end,
                                                     size_t most_bytes) const = 0;

    struct Chunk {
        std::string bytes;
        bool last = false;
    };
    /// Part `number` of the snapshot at `snapshot`, from 0; the same parts each time. kNotFound if
    /// it is not there (not yet, or no longer): Raft tries later, or sends the newest from its
    /// start. Any other error halts it. The parts' size bounds what is in flight to a member.
    virtual base::Result<Chunk> snapshot_chunk(Index snapshot, uint32_t number) const = 0;
};

/// What a member starts from, as its disk has it.
struct Stored {
    HardState state;
    /// Before the first write: position {0, 0}, with the configuration that the cluster is founded
    /// with (the same on all founders), or an empty one on a member that waits to be added.
    SnapshotInfo snapshot;
    Index last = 0;     // of the log; the snapshot's if there are no entries after it
    Index applied = 0;  // of the state kept with it: at least the snapshot's, at most last
};

/// A part of a snapshot that was received. Part 0 replaces whatever was received before.
struct ReceivedChunk {
    SnapshotInfo snapshot;
    uint32_t number = 0;
    std::string bytes;
};

/// One write: all of it becomes durable at once, or nothing. Taken in this order:
struct Write {
    HardState state;
    bool discard_received = false;
    std::vector<ReceivedChunk> received;
    /// The parts received are complete: they become the snapshot and the state, the log is emptied.
    std::optional<SnapshotInfo> install;
    /// The state as it was after this position becomes the snapshot; the entries up to it go.
    std::optional<SnapshotInfo> compact;
    Index from = 0;  // entries at and past `from` are replaced by these; 0: none
    std::vector<Entry> entries;
    /// Promises about the above: they leave when it is durable, and not before.
    std::vector<Message> then_send;
};

}  // namespace raft
