#pragma once
#include <memory>
#include <vector>

#include "io/shard.h"
#include "io/transport/door.h"
#include "replication/streams/followers.h"

namespace grpc {
class Service;
}

namespace replication::streams {

/// Where followers come in: the gRPC service, which gives each stream to the shard that it asks
/// for. Refuses with UNAVAILABLE while the door is shut.
class Entrance {
  public:
    /// The door outlives it.
    explicit Entrance(transport::Door&);
    ~Entrance();

    grpc::Service& service();
    /// Before the door is opened. They outlive whoever is inside.
    void lead_to(io::Shards&, std::vector<Followers*> by_shard);

  private:
    class Service;
    std::unique_ptr<Service> service_;
};

}  // namespace replication::streams
