#pragma once
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/uuid.h"

namespace raft {

/// Counts elections; 0 before the first. Never falls on a node.
using Term = int64_t;
/// Position of an entry in the log; the first has 1, and 0 is before it.
using Index = int64_t;

/// A controller, together with its disk: `incarnation` is drawn when the data directory is made.
/// One that lost its disk comes back under another incarnation and is somebody else: what the old
/// one promised (votes, entries held) does not bind it, so it must not count as the old one.
struct Member {
    int32_t id = -1;
    base::Uuid incarnation;

    auto operator<=>(const Member&) const = default;
};

struct Position {
    Index index = 0;
    Term term = 0;

    auto operator<=>(const Position&) const = default;
};

enum class EntryKind : uint8_t {
    empty,          // a leader's first: what came before commits through it (Raft §8)
    data,           // opaque to Raft
    configuration,  // an encoded Configuration
};

struct Entry {
    /// What an entry counts for against the bounds on bytes, beside its data.
    static constexpr size_t kOverhead = 32;

    Term term = 0;
    EntryKind kind = EntryKind::data;
    std::string data;

    size_t bytes() const { return data.size() + kOverhead; }
    bool operator==(const Entry&) const = default;
};

/// What a member must never forget: both are durable before anything that relies on them leaves.
struct HardState {
    Term term = 0;
    std::optional<Member> vote;  // in that term

    bool operator==(const HardState&) const = default;
};

}  // namespace raft
