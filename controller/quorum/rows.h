#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "controller/raft/message.h"
#include "controller/raft/types.h"

/// The rows that a Raft member keeps in the node's Store, format 2. Each begins with a CRC-32C of
/// its key and of what follows it; integers are big-endian, so that rows lie in the order of
/// indexes.
///
///   m/member               id 4, incarnation 16, then the cluster's id as text (may be empty)
///   m/state                term 8, voted 1, the vote: id 4, incarnation 16; the log's last
///                          position: index 8, term 8
///   m/snapshot             index 8, term 8, chunks 4, format 4, generation 8, then the
///                          configuration as it was there (raft::Configuration::encode)
///   m/chunk/ generation 8, number 4    a part of a snapshot: a serialized moldau.metadata.v1.Entry
///   m/entry/ index 8       term 8, kind 1, then the data: of kind 1 a serialized
///                          moldau.metadata.v1.Entry
///
/// Chunks of the generation that m/snapshot names are the snapshot. Those of another one are being
/// received: they become the snapshot when m/snapshot names them, and mean nothing after a restart.
/// Format 1, which a quorum of one wrote before, is told by its row m/term: see upgrade.h. It has
/// m/snapshot's format in the same place, so that a version that knows only it refuses this one.
namespace quorum::rows {

constexpr uint32_t kFormat = 2;
constexpr std::string_view kAll = "m/";
constexpr std::string_view kMember = "m/member";
constexpr std::string_view kState = "m/state";
constexpr std::string_view kSnapshot = "m/snapshot";
constexpr std::string_view kChunks = "m/chunk/";
constexpr std::string_view kEntries = "m/entry/";

struct Member {
    raft::Member self;
    std::string cluster_id;

    std::string encode() const;
    static base::Result<Member> decode(std::string_view row);
    /// kFailedPrecondition, with both ids, if it is another node's or cluster's. An empty id of a
    /// cluster fits any.
    base::Status check(int32_t id, const std::string& cluster) const;
};

/// Written with every write, so that a log that lost its end is noticed.
struct State {
    raft::HardState hard;
    raft::Position last;

    std::string encode() const;
    static base::Result<State> decode(std::string_view row);
};

struct Snapshot {
    raft::SnapshotInfo info;
    uint32_t chunks = 0;
    uint64_t generation = 0;

    std::string encode() const;
    /// kFailedPrecondition if another version wrote it.
    static base::Result<Snapshot> decode(std::string_view row);
};

std::string entry_key(raft::Index);
/// Nothing if the key is not one of an entry.
std::optional<raft::Index> index_of(std::string_view key);
std::string encode(raft::Index, const raft::Entry&);
base::Result<raft::Entry> decode_entry(raft::Index, std::string_view row);

std::string chunk_key(uint64_t generation, uint32_t number);
/// Nothing if the key is not one of a chunk.
std::optional<uint64_t> generation_of(std::string_view key);
std::string encode_chunk(uint64_t generation, uint32_t number, std::string_view bytes);
base::Result<std::string> decode_chunk(uint64_t generation, uint32_t number, std::string_view row);

}  // namespace quorum::rows
