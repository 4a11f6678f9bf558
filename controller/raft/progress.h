#pragma once
#include <cstdint>
#include <deque>
#include <variant>

#include "controller/raft/message.h"

namespace raft {

/// It is not known where the logs meet: one message is out at a time.
struct Probe {
    bool sent = false;
};

/// They meet at the progress's `match`: entries are sent ahead of acknowledgement, within a window.
struct Replicate {
    struct Sent {
        Index last;
        size_t bytes;
    };
    std::deque<Sent> in_flight;
    size_t bytes = 0;

    void sent(Index last, size_t size) {
        in_flight.push_back({last, size});
        bytes += size;
    }
    void acknowledged(Index match) {
        while (!in_flight.empty() && in_flight.front().last <= match) {
            bytes -= in_flight.front().bytes;
            in_flight.pop_front();
        }
    }
};

/// The entries that the member needs are gone: the snapshot is sent, one part at a time.
struct SendSnapshot {
    SnapshotInfo snapshot;
    uint32_t number = 0;  // the part that is out, or next if none is
    bool out = false;
    int64_t sent_at = 0;  // tick
};

/// What a leader knows of another member's log, and how it is sending to it.
struct Progress {
    Index match = 0;  // its log equals the leader's up to here, durably
    Index next = 1;   // the first entry to send
    std::variant<Probe, Replicate, SendSnapshot> state;
    int64_t heard_at = 0;  // tick of the last reply of this term
    uint64_t round = 0;    // of read confirmation, answered last

    bool replicates() const { return std::holds_alternative<Replicate>(state); }
    void probe_from(Index index) {
        next = index;
        state = Probe{};
    }
};

}  // namespace raft
