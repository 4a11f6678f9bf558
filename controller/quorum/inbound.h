#pragma once
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "base/function.h"
#include "base/uuid.h"
#include "controller/quorum/roster.h"
#include "controller/quorum/wire.h"
#include "controller/raft/message.h"
#include "io/shard.h"

namespace grpc {
class Service;
}

namespace quorum {

/// The streams that others open to this node: one of each sender, the newest. The next batch is
/// read once the last was taken in on the home shard, so a slow shard holds its senders back.
/// All but the constructor and service() is called on the home shard.
class Inbound {
  public:
    struct Events {
        base::Function<void(raft::Message)> on_message;
        base::Function<void(const raft::Member&)> on_arrived;
        base::Function<void()> on_left;
    };
    Inbound(io::Shard& home, const base::Uuid& cluster, const raft::Member& self, Events);
    ~Inbound();

    grpc::Service& service();
    /// Ends the streams that it does not let in.
    void set_roster(Roster);
    /// What comes from these nodes is dropped, their streams don't end, and new ones wait, neither
    /// welcomed nor refused, until they are no longer in the set.
    void set_cut(std::set<int32_t> nodes);
    /// Those whose streams last.
    std::vector<Hello> senders() const;
    /// Ends all streams, and turns away who comes. No event comes after it.
    void close();
    /// Kept by every stream until it is gone.
    void keep(std::shared_ptr<void> alive);

  private:
    struct State;
    class Stream;
    class Service;

    void turn_away();

    std::shared_ptr<State> state_;
    std::unique_ptr<Service> service_;
};

}  // namespace quorum
