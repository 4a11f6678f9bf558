#pragma once
#include <memory>
#include <vector>

#include "broker/services.h"

namespace grpc {
class Service;
}

namespace broker::rpc {

class Forwarder;

/// The gRPC service of proto/broker.proto: refuses every call until it is opened. A call is worked
/// on by one of the shards, to which gRPC's threads hand it at once.
///
/// Bounds: calls in work, requests in flight of one stream, and the bytes of requests and replies,
/// which are taken from the budget that requests of the Kafka port have too. A reader of a stream
/// who is slow holds one message.
class Service {
  public:
    Service();
    ~Service();

    /// For the node's gRPC server, which is stopped before this is destroyed.
    grpc::Service& service();
    /// Serves from now on. All that is given lasts until stop().
    void open(Services&, const std::vector<std::unique_ptr<Local>>&, Forwarder&);
    /// Ends all calls and refuses what comes. Blocks until nothing is left of them on the shards,
    /// which still run. Not from a shard.
    void stop();

  private:
    struct State;
    class Methods;

    std::unique_ptr<State> state_;
    std::unique_ptr<Methods> methods_;
};

}  // namespace broker::rpc
