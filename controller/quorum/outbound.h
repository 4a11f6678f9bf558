#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "base/status.h"
#include "base/time.h"
#include "controller/quorum/peers.h"
#include "controller/quorum/send_queue.h"
#include "controller/raft/message.h"
#include "io/shard.h"

namespace grpc {
class Channel;
}

namespace quorum {

/// This node's stream to one other member: dialled, kept, and dialled again when it breaks. On the
/// home shard only. `options` and `events` outlive it; an event may end it.
class Outbound {
  public:
    /// `alive` is kept until the last call is gone, which is after this is.
    Outbound(io::Shard& home, const PeerOptions& options, PeerEvents& events, raft::Member to,
             std::string address, bool cut, std::shared_ptr<void> alive);
    ~Outbound();

    void send(raft::Message);
    /// The peer is known to be up: a pause before the next attempt ends now.
    void wake();
    /// Cut off, nobody answers: an open stream is lost in the time that its probes take, and no
    /// attempt comes to an end before its time-out. No event comes at once.
    void set_cut(bool cut);

    const std::string& address() const { return address_; }
    Peers::State state() const;

  private:
    class Call;

    void dial();
    std::shared_ptr<grpc::Channel> connect() const;
    void opened();
    void write();
    void ended(const base::Status&);
    void fail(Trouble, const base::Status&);
    std::chrono::milliseconds next_pause(Trouble);

    io::Shard& home_;
    const PeerOptions& options_;
    PeerEvents& events_;
    const raft::Member to_;
    const std::string address_;
    const std::shared_ptr<void> alive_;

    SendQueue queue_;
    Call* call_ = nullptr;  // is being dialled or open; nullptr: a pause
    bool cut_;
    bool open_ = false;
    bool timed_out_ = false;
    base::InstantMs opened_at_ = 0;
    uint64_t dropped_ = 0;              // while nobody is there to send to
    int attempts_ = 0;                  // in vain, one after another
    std::unique_ptr<io::Timer> timer_;  // of the handshake, the pause, or what the cut allows
    std::minstd_rand random_;
};

}  // namespace quorum
