#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/expected.h"
#include "base/function.h"
#include "base/status.h"
#include "controller/quorum/log_store.h"
#include "controller/raft/raft.h"
#include "io/shard.h"
#include "metadata/delta.h"
#include "metadata/image.h"

namespace quorum {

/// Where this member stands among the controllers.
struct Standing {
    raft::Term term = 0;
    std::optional<raft::Member> leader;  // as far as is known
    /// This member leads, and its image holds everything that was committed before its term: what
    /// is decided from the image, and from what it has proposed since, is decided on the newest
    /// state.
    bool active = false;

    bool operator==(const Standing&) const = default;
};

/// One controller's part of the metadata quorum: runs Raft on its home shard, writes on the pool
/// what Raft wants durable, gives the messages to the transport, and replays what is committed into
/// the image. Everything but open() is called on the home shard.
class Quorum : public std::enable_shared_from_this<Quorum> {
  public:
    struct Options {
        /// `raft.self` is taken from the log.
        raft::Options raft;
        std::chrono::milliseconds tick{25};
        /// A snapshot is taken when the entries since the last one are larger than it, and than
        /// this; of the state half-way there, so that members that lag a little find the entries
        /// that they need. While one is being sent to somebody it stays, up to four times that.
        size_t snapshot_bytes = 1 << 20;
        uint64_t seed = 0;  // of the election timeouts
    };
    /// What was committed since the last call, in order. `delta->base()` is the image before.
    struct Applied {
        metadata::ImagePtr image;
        std::shared_ptr<const metadata::Delta> delta;
        /// The positions of the entries, oldest first; none after the installation of a snapshot,
        /// which replaces the state whatever it was.
        std::vector<raft::Position> positions;
    };
    /// Called on the home shard. They may call this class.
    struct Events {
        base::Function<void(raft::Message)> send;
        base::Function<void(const Applied&)> on_applied;
        base::Function<void(const Standing&)> on_standing;
        /// Whoever takes part changed: a configuration was appended, or cut off again.
        base::Function<void(const raft::Configuration&)> on_configuration;
        /// The log can't be written or read, or holds what this version does not know. Nothing is
        /// known to be durable any more: the node must start anew. Once.
        base::Function<void(const base::Status&)> on_failure;
    };

    /// `opened` is what LogStore::open found, and `opened.stored` what Raft begins with.
    Quorum(io::Shards&, io::Shard& home, LogStore::Opened, Options, Events);

    /// Time begins to pass. A quorum of one leads a moment later.
    void start();
    /// Nothing is called any more. The write that is out ends by itself.
    void stop();

    /// From the transport.
    void receive(raft::Message);
    /// Nobody listens where that member did.
    void gone(const raft::Member&);

    /// The serialized entry is in force once it is applied at that position, and lost once another
    /// term's entry is applied at its index, or this member is not active any more.
    base::Expected<raft::Position, raft::Refusal> propose(std::string entry);
    base::Expected<raft::Position, raft::Refusal> change(const raft::Change&);
    std::optional<raft::Refusal> transfer(const raft::Member& to);
    /// `done` is called with true once the image holds everything that was committed anywhere when
    /// this was called; with false if this member does not lead.
    void read(base::Function<void(bool)> done);

    const Standing& standing() const { return standing_; }
    const raft::Raft& raft() const { return *raft_; }
    /// What is committed and applied here.
    const metadata::ImagePtr& image() const { return image_; }

  private:
    struct Read {
        std::optional<raft::Index> index;  // nothing: not confirmed yet
        base::Function<void(bool)> done;
    };

    void keep_time();
    void catch_up(bool due);
    /// After everything that Raft was told: carries out what follows from it.
    void turn();
    void carry_out();
    void begin_write();
    void written(raft::Write, const base::Status&, metadata::ImagePtr installed);
    void apply();
    base::Status replay(const std::vector<raft::Entry>&);
    void install(metadata::ImagePtr);
    void compact_if_due();
    void answer_reads();
    void tell_standing();
    void fail(base::Status);

    io::Shards& shards_;
    io::Shard& home_;
    const Options options_;
    Events events_;
    const std::unique_ptr<LogStore> log_;  // written to by one piece of work at a time
    std::unique_ptr<raft::Raft> raft_;
    base::InstantMs ticked_at_ = 0;  // Raft's clock stands there
    std::unique_ptr<io::Timer> timer_;
    base::InstantMs timer_at_ = 0;

    metadata::ImagePtr image_;
    size_t snapshot_bytes_;  // of the newest one
    size_t bytes_since_snapshot_ = 0;
    struct Midway {
        metadata::ImagePtr image;
        size_t bytes;  // of the entries since the snapshot before
    };
    std::optional<Midway> midway_;
    metadata::ImagePtr
        to_compact_;  // the image that becomes the next snapshot, until it is written
    uint64_t next_read_ = 0;
    std::map<uint64_t, Read> reads_;
    Standing standing_;
    raft::Configuration configuration_;
    bool turning_ = false;
    bool again_ = false;
    bool stopped_ = false;
    bool failed_ = false;
};

}  // namespace quorum
