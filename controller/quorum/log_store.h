#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/function.h"
#include "base/status.h"
#include "controller/raft/storage.h"
#include "metadata/image.h"
#include "storage/store/store.h"

namespace quorum {

/// What a member of the controllers' quorum keeps on disk: who it is, term and vote, the metadata
/// log after a snapshot, and the snapshot. The rows are in rows.h. Every write is one batch:
/// whatever a crash leaves is the state after some write, and nothing else.
///
/// Entries are opaque here. A snapshot is made of the parts that the caller hands over (chunks.h)
/// or that were received; the image that they give is read at the start and after an installation.
///
/// Reading (raft::Storage) is for Raft's thread, and may run beside everything else. The rest
/// blocks and is called by one thread at a time.
class LogStore final : public raft::Storage {
  public:
    struct Options {
        int32_t id = -1;         // of this controller
        std::string cluster_id;  // as configured or marked in its directories; empty: not known
        /// Where the others reach it. For the log of a node that was a cluster of its own under a
        /// version that knew no quorum: it becomes the only voter, at this address.
        std::string address;
        /// 64 random bits, for the incarnation, which is drawn with the first row.
        base::Function<uint64_t()> draw;
    };
    struct Opened;
    /// Opens what is there, makes durable what a process that was killed had not synced, and
    /// converts the rows of the format before, in one batch. `store` outlives this.
    /// kDataLoss, with what and what to do, if a checksum is wrong, a row is missing or makes no
    /// sense: this member must not vote, as it might have promised something else.
    /// kFailedPrecondition, with both ids, if the rows are another node's or another cluster's; and
    /// if another version wrote them.
    static base::Result<Opened> open(storage::Store& store, Options);

    /// On a member that has written nothing yet: it is of that cluster from now on, and starts with
    /// that configuration: the founding one, or an empty one to wait until it is added.
    /// kFailedPrecondition if it is of another cluster, or has taken part already.
    base::Result<raft::Stored> found(const std::string& cluster_id, const raft::Configuration&);

    /// With the incarnation of its disk.
    const raft::Member& self() const { return self_; }
    /// Empty: neither configured, nor founded or joined yet.
    const std::string& cluster_id() const { return cluster_id_; }

    /// Makes all of it durable, or nothing. `chunks` are the parts of the snapshot that
    /// `write.compact` asks for, of the state after its position; none without it. After an error
    /// what is on disk is unknown: every further write is refused with it, and the process starts
    /// anew.
    base::Status write(const raft::Write& write, std::span<const std::string> chunks = {});
    /// The image of the snapshot: after a write with `install` it is the state. kDataLoss as for
    /// open(); kInvalidArgument if it has records that this version does not know.
    base::Result<metadata::ImagePtr> snapshot_image() const;
    /// Of the snapshot's parts. Callable from any thread.
    size_t snapshot_bytes() const { return snapshot_bytes_; }

    base::Result<std::vector<raft::Entry>> entries(raft::Index from, raft::Index end,
                                                   size_t most_bytes) const override;
    base::Result<Chunk> snapshot_chunk(raft::Index snapshot, uint32_t number) const override;

  private:
    struct Received {  // parts of a snapshot, so far
        raft::SnapshotInfo info;
        uint64_t generation = 0;
        uint32_t chunks = 0;
        size_t bytes = 0;
    };
    struct Kept {  // as the rows say
        raft::HardState state;
        raft::SnapshotInfo snapshot;
        uint32_t chunks = 0;
        uint64_t generation = 0;
        size_t snapshot_bytes = 0;
        raft::Position last;
        std::optional<Received> received;
        uint64_t next_generation = 1;
    };

    explicit LogStore(storage::Store& store) : store_(store) {}
    base::Status create(const raft::Member& self, const std::string& cluster_id);
    base::Status load(const Options&);
    base::Status load_entries();
    base::Status load_chunks(storage::WriteBatch&);
    raft::Stored stored() const;

    // log_write.cc
    static void take_state(const raft::HardState&, Kept&);
    static void drop_received(storage::WriteBatch&, Kept&);
    static void receive(storage::WriteBatch&, Kept&, const raft::ReceivedChunk&);
    static void install(storage::WriteBatch&, Kept&, const raft::SnapshotInfo&);
    static void compact(storage::WriteBatch&, Kept&, const raft::SnapshotInfo&,
                        std::span<const std::string> chunks);
    static void append(storage::WriteBatch&, Kept&, raft::Index from,
                       const std::vector<raft::Entry>&);

    storage::Store& store_;
    raft::Member self_;
    std::string cluster_id_;
    Kept kept_;
    std::atomic<size_t> snapshot_bytes_ = 0;
    base::Status failed_;
};

struct LogStore::Opened {
    std::unique_ptr<LogStore> log;
    /// What Raft starts from. `applied` is the snapshot's position: whether the entries after it
    /// are committed is for the quorum to say.
    raft::Stored stored;
    metadata::ImagePtr image;  // at stored.applied
};

}  // namespace quorum
