#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>

#include "base/function.h"
#include "base/status.h"
#include "controller/rpc/messages.h"
#include "io/shard.h"

namespace grpc {
class Service;
}

namespace controller::rpc {

/// What answers. A handler runs on the home shard; its `done` is called there, at once or later, at
/// most once, and whatever status it is given is the asker's. Letting go of it uncalled answers
/// kUnavailable; calling it after the asker has given up does nothing.
struct Handlers {
    base::Function<void(Call, base::Function<void(base::Result<CallResult>)>)> call;
    base::Function<void(JoinRequest, base::Function<void(base::Result<JoinReply>)>)> join;
    base::Function<void(TransferRequest, base::Function<void(base::Status)>)> transfer;
};

struct EndpointOptions {
    /// In work at once, and the bytes of their requests: kResourceExhausted beyond.
    size_t most_calls = 1024;
    size_t most_bytes = 64 << 20;
    /// kDeadlineExceeded after this. An asker that gives up before, cancels its call.
    std::chrono::milliseconds most_duration{60'000};
};

/// Takes other nodes' calls. It refuses by itself, beside the bounds, what no node sends
/// (kInvalidArgument), and everything while it stops (kUnavailable).
class Endpoint {
  public:
    Endpoint(io::Shard& home, Handlers, EndpointOptions = {});
    /// Stops. The server that was given service() is gone by then.
    ~Endpoint();

    /// For a transport::Server.
    grpc::Service& service();

    /// As if the cable to these nodes were cut, until they are no longer in the set: what they ask
    /// does not arrive, and what they have asked is not answered. Who asks for a transfer is no
    /// node. On the home shard.
    void set_cut(std::set<int32_t> nodes);

    /// Answers kUnavailable to the calls that are in work, lets go of nothing that handlers hold,
    /// and waits for the calls' end; no handler is run after it. Before Shards::stop, and not from
    /// a shard.
    void stop();

  private:
    struct State;
    class Work;
    class Service;

    std::shared_ptr<State> state_;
    std::unique_ptr<Service> service_;
    bool stopped_ = false;  // by who calls stop()
};

}  // namespace controller::rpc
