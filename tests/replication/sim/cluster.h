#pragma once
#include <functional>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "tests/replication/sim/ghost.h"
#include "tests/replication/sim/metadata.h"
#include "tests/replication/sim/node.h"

namespace replica::sim {

/// An Offer with its records.
struct Batch {
    Offer offer;
    std::vector<Record> records;
};

struct Envelope {
    BrokerId from = kNobody;
    BrokerId to = kNobody;
    std::variant<Attach, AttachReply, Acknowledgement, Batch> body;
};
std::string describe(const Envelope&);

/// Brokers with their disks, on which the core's effects are carried out as a shell would, watched
/// by the ghost. When a message, a sync or an image arrives is up to whoever runs it: the
/// simulation with its chance, a test by its commands.
class Cluster {
  public:
    struct Outside {
        std::function<void(Envelope)> send;
        std::function<void(Node&, const Proposal&)> propose;
        /// The node has something to sync; ends in finish_sync() or the end of the process.
        std::function<void(Node&, const Log::Sync&)> sync;
        /// The node ends the stream to a follower, which needs what is deleted.
        std::function<void(BrokerId, BrokerId)> hang_up;
        std::function<void(const std::string&)> trace;
    };
    struct Settings {
        Options options;
        size_t most_records = 64;      // in one batch
        Offset most_in_flight = 1000;  // records, to one follower
    };
    /// All brokers of the metadata run, and are registered.
    Cluster(Settings, Metadata&, Outside);

    Ghost& ghost() { return ghost_; }
    std::map<BrokerId, Node>& nodes() { return nodes_; }
    Node& node(BrokerId id) { return nodes_.at(id); }
    InstantMs now = 0;

    void start(Node&);
    /// Has the node's process registered, if it is let; and its epoch.
    std::optional<int64_t> enroll(const Node&);
    void registered(Node&, int64_t epoch);
    /// The node follows the metadata to there.
    void follow(Node&, int64_t index);
    struct Fate {
        Offset survives = 0;  // of the records that were not synced
        Offset known = 0;     // how much of the synced end is known later
        bool damages = false;
    };
    void crash(Node&, const Fate&);
    void stop(Node&);  // in an orderly way
    void wipe(Node&);  // the disk of one that is down
    void deliver(const Envelope&);
    void tick(Node&);
    /// It learns of the rot of its log, or that there is none any more.
    void told_of_rot(Node&, bool found);
    void mend(Node&, const Node& donor);
    /// Its disk is full, of which it learns with its next tick; or has room again.
    void fill(Node&, bool full);
    void finish_sync(Node&, const Log::Sync&);
    void fail_disk(Node&);
    /// The link broke: both learn of it.
    void broke(BrokerId a, BrokerId b);
    void answered(Node&, uint64_t proposal, Answer);
    void store_high_watermark(Node&);
    void delete_records(Node&, Offset before);
    enum class Produced { taken, duplicate, refused, gap };
    /// A value of a producer, which may have sent it before. Acks::all is told by `acknowledged`.
    Produced produce(Node&, uint64_t producer, int64_t sequence, Acks);
    std::function<void(const Record&)> acknowledged;

  private:
    void carry_out(Node&, Effects);
    void take_role(Node&);
    void take(Node&, const Batch&);
    void push(Node&);
    void offer(Node&, BrokerId to, Node::Stream&, std::vector<Record>);
    void want_sync(Node&);
    void complete(Node&);
    void drop_replica(Node&);
    void leave(Node&);
    void make_core(Node&);
    bool can_do_without(const Node& leader) const;
    void trace(const Node&, const std::string&) const;

    const Settings settings_;
    Metadata& metadata_;
    Outside outside_;
    std::map<BrokerId, Node> nodes_;
    Ghost ghost_;
    uint64_t incarnations_ = 100;
    uint64_t logs_ = 0;
    uint64_t disks_ = 0;
};

}  // namespace replica::sim
