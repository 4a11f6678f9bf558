#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/function.h"
#include "base/status.h"
#include "base/uuid.h"
#include "controller/quorum/roster.h"
#include "controller/raft/message.h"
#include "io/shard.h"
#include "io/transport/alive.h"

namespace grpc {
class Service;
}

namespace quorum {

class Inbound;
class Outbound;

/// Why a peer can't be reached.
enum class Trouble {
    refused,      // nobody listens there: the process is gone, or not up yet
    silent,       // no answer within the time for a handshake
    unreachable,  // no way there, or a name that nobody knows
    lost,         // the stream broke; it is dialled at once, so the next trouble tells more
    rejected,     // the peer does not take this node's messages; the status tells why
};

struct PeerOptions {
    base::Uuid cluster;
    raft::Member self;
    std::string address;     // HOST:PORT where others reach this node
    bool controller = true;  // others may make it a voter

    /// Of one message on the wire; the Server's bound is the same. CHECKed when sending.
    size_t most_message_bytes = 20 << 20;
    /// That wait for one peer; SendQueue tells what goes beyond it.
    size_t most_queued_bytes = 32 << 20;

    std::chrono::milliseconds handshake_timeout{3000};
    /// A connection that is silent for so long is probed, and given up when the probe is.
    std::chrono::milliseconds keepalive_time{2000};
    std::chrono::milliseconds keepalive_timeout{2000};
    /// Pauses between attempts double from the least to the most. After a stream that held for the
    /// least of them there is none; and whoever comes to this node is dialled at once.
    std::chrono::milliseconds backoff_least{20};
    std::chrono::milliseconds backoff_most{1000};
};

/// Run on the home shard. They may call Peers.
struct PeerEvents {
    base::Function<void(raft::Message)> on_message;
    base::Function<void(const raft::Member&)> on_connected;
    base::Function<void(const raft::Member&, Trouble, const base::Status&)> on_unreachable;
};

/// Carries messages between this member of a Raft group and the others, over the gRPC streams of
/// proto/raft.proto: one to each other member, dialled as soon as the member is in the roster, and
/// the name resolved anew whenever it is dialled. Messages may be lost, as Raft allows, but are not
/// repeated, and those of one sender keep their order while its stream holds. A message that comes
/// in is of this cluster, from a member that the roster lets in, meant for this incarnation, and
/// passes raft::check.
///
/// All but the constructor, service() and stop() is called on the home shard.
class Peers {
  public:
    Peers(io::Shard& home, PeerOptions, PeerEvents);
    /// Stops. The server that was given service() is gone by then.
    ~Peers();

    /// For a Server. Set a roster before that starts: without one, everybody is turned away.
    grpc::Service& service();

    /// Dials who is new or has moved, and breaks with who is no longer in it.
    void set_roster(Roster);
    /// To its `to`. Never blocks; dropped if that is unknown or can't be reached.
    void send(raft::Message);

    struct State {
        raft::Member member;
        std::string address;
        bool connected = false;  // this node's stream to it
        size_t queued_bytes = 0;
        uint64_t dropped = 0;  // messages to it, since it is in the roster
    };
    std::vector<State> states() const;

    /// Whether a node takes part as a controller, as it says on the stream that it has opened;
    /// nothing without one.
    std::optional<bool> is_controller(const raft::Member&) const;

    /// As if the cable to these nodes were cut, until they are no longer in the set: nothing comes
    /// from them or reaches them, and no stream is refused or ended by either side. Streams to them
    /// are lost once a silent connection would be given up, and attempts are Trouble::silent.
    void set_cut(std::set<int32_t> nodes);

    /// Ends all streams and waits for their end; no event comes after it. Before Shards::stop, and
    /// not from a shard.
    void stop();

  private:
    void update_links();
    void arrived(const raft::Member&);

    io::Shard& home_;
    const PeerOptions options_;
    PeerEvents events_;
    transport::Alive alive_;  // every stream
    Roster roster_;
    std::set<int32_t> cut_;
    std::map<raft::Member, std::unique_ptr<Outbound>> links_;
    std::unique_ptr<Inbound> inbound_;
    bool closed_ = false;   // on the home shard
    bool stopped_ = false;  // by who calls stop()
};

}  // namespace quorum
