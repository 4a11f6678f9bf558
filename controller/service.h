#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/function.h"
#include "base/ids.h"
#include "base/status.h"
#include "base/time.h"
#include "controller/quorum/quorum.h"
#include "kafka/api.h"
#include "kafka/errors.h"
#include "kafka/wire.h"
#include "metadata/delta.h"
#include "metadata/image.h"

namespace controller {

/// A node that asks to take part in the quorum.
struct Application {
    raft::Member member;
    std::string address;      // HOST:PORT where the others reach it
    bool controller = false;  // otherwise a mere broker, which is never made a voter
};

/// The controller as a part of every node: this node's member of the quorum, and, while that is
/// active, the one that decides. A request is decided at once, on top of everything decided before;
/// its records are proposed to the quorum, and only when they are committed and replayed here, and
/// the subscribers told, the answer leaves.
///
/// What was decided but not committed when the node stops being active is refused with 41: whether
/// it happens is for the next active controller's log to say. After a failed write nothing is known
/// to be durable: the service answers everything with 56 from then on, and the node must start
/// anew.
///
/// Lives on one shard; any thread may call. Must outlive the shards' threads (destroy it after
/// Shards::stop()).
class Service {
  public:
    struct Options {
        base::BrokerId id{0};
        metadata::Configs static_configs;  // of this node
        /// Ids of the voters that the cluster is founded with: before the last of them votes,
        /// nothing is decided, as it would depend on the founder's disk alone.
        std::set<int32_t> founders;
        base::InstantMs session_ms = 3000;   // broker.session.timeout.ms
        std::chrono::milliseconds tick{50};  // of Raft
        int heartbeat_ticks = 6;
        int election_ticks = 15;                // a follower campaigns after once to twice as many
        size_t snapshot_bytes = 1 << 20;        // see quorum::Quorum::Options
        base::Function<uint64_t()> draw;        // 64 random bits; not set: the system's
        base::Function<base::InstantMs()> now;  // not set: the monotonic clock

        /// To the transport.
        base::Function<void(raft::Message)> send;
        /// Whether a node takes part as a controller, as it says itself; nothing if it is not
        /// connected.
        base::Function<std::optional<bool>(const raft::Member&)> is_controller;
        base::Function<void(const raft::Configuration&)> on_configuration;
        base::Function<void(const quorum::Standing&)> on_standing;
        /// Runs once when the log can't be written or read any more.
        base::Function<void(const base::Status&)> on_failure;
    };
    /// The answer to a request that was decided. `index`: the entry of the log that a node must
    /// have applied to see what the request did.
    template <class Response>
    struct Answered {
        Response response;
        int64_t index = 0;
    };
    template <class Response>
    using Reply = base::Function<void(kafka::Outcome<Answered<Response>>)>;
    /// `delta.base()` is the image that this subscriber had before; the first call, with what is
    /// there, starts from the empty one.
    using Subscriber = base::Function<void(const metadata::ImagePtr& image,
                                           const std::shared_ptr<const metadata::Delta>& delta)>;

    /// `opened` takes part in a cluster: it was founded, or joined one.
    Service(io::Shards&, io::Shard& home, quorum::LogStore::Opened opened, Options);
    ~Service();

    /// Begins to tick. Whoever is alone leads a moment later.
    void start();
    /// Ends ticks and timers; requests are refused. `done` runs on the home shard.
    void stop(base::Function<void()> done);

    /// Calls `subscriber` on `shard`, from now on for every change, in order. An answer to a
    /// request leaves after all subscribers of this node have seen what it did.
    void subscribe(io::Shard& shard, Subscriber subscriber);

    /// Decides a request of one of the kinds that `requests.h` lists; `reply` runs on `on`. The
    /// errors are of the request as a whole: 41 if this node is not the active controller or
    /// stopped being it, so that another one may be asked; 56 if its log failed; 44 if the decision
    /// is larger than an entry may be; 89 if too much waits to be committed.
    template <class Request, class Response>
    void submit(Request, io::Shard& on, Reply<Response>);

    /// The same for an encoded request without its header. `reply` runs on the home shard, with
    /// the encoded response. 42 if the bytes are no such request, 35 for a kind that is not
    /// decided here.
    struct Encoded {
        kafka::ApiKey key;
        kafka::Version version;
        std::string body;
    };
    void call(Encoded request, Reply<std::string> reply);

    /// From the transport; on the home shard.
    void receive(raft::Message);
    /// Nobody listens at the address of that node: its process is gone. On the home shard.
    void process_gone(const raft::Member&);
    /// Takes a node into the quorum, if this one leads and the id is free: a learner, which is
    /// promised a vote if it is a founder, or a controller that comes in a voter's place with
    /// another disk. Whoever leads once it has caught up makes it a voter.
    /// Called again until it is a member. An error says why it can't be. On the home shard.
    base::Status apply(const Application&);

    /// On the home shard.
    const quorum::Standing& standing() const;
    const raft::Configuration& configuration() const;
    const metadata::ImagePtr& image() const;
    const raft::Member& self() const;
    /// 56, and why, once the log has failed; 0 before.
    const kafka::Error& failure() const;
    /// What Raft's messages tell this cluster from others by. From any thread.
    const base::Uuid& raft_cluster() const;
    /// Asks a voter to campaign, which wins unless it fails right now; until then nothing is
    /// decided here. Nothing to do if this node is it, and leads. kNotFound: no voter.
    /// kFailedPrecondition: it lags, or this node does not lead. kUnavailable: leadership is on its
    /// way to one already.
    base::Status transfer_to(base::BrokerId);

    class Core;  // what decisions see of it

  private:
    std::shared_ptr<Core> core_;
};

}  // namespace controller
