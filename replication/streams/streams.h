#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "io/shard.h"
#include "io/transport/door.h"
#include "replication/exchange.h"
#include "replication/partitions.h"
#include "replication/streams/options.h"

namespace grpc {
class Service;
}

namespace replication {

namespace streams {
class Entrance;
}

/// Everything between replicas of one partition on different brokers: each shard's Exchange, over
/// the gRPC streams of proto/replication.proto.
class Streams {
  public:
    Streams();
    /// Stops. The server that was given service() is gone by then.
    ~Streams();

    /// For a Server, from now on. It refuses with UNAVAILABLE but between start() and stop().
    grpc::Service& service();

    /// Both outlive stop().
    void start(io::Shards&, Partitions&, streams::Options);
    /// By shard; valid until the shards stop. After stop() they carry nothing.
    std::vector<Exchange*> exchanges();

    // From any thread, between start() and stop():

    /// HOST:PORT of every member of the cluster. Nobody else may follow.
    void set_addresses(const std::map<base::BrokerId, std::string>&);
    /// As if the cable to these nodes were cut, until they are no longer in the set.
    void set_cut(const std::set<int32_t>& nodes);
    /// What this broker sends to replicas that catch up without being in sync; 0: no bound.
    void set_throttle(int64_t bytes_per_s);

    /// Ends all streams and waits for their end; nothing is called after it. Not from a shard.
    void stop();

  private:
    class Local;

    transport::Door door_;
    std::unique_ptr<streams::Entrance> entrance_;
    io::Shards* shards_ = nullptr;
    streams::Options options_;
    std::vector<std::unique_ptr<Local>> locals_;
};

}  // namespace replication
