#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/function.h"
#include "base/ids.h"
#include "base/status.h"
#include "io/shard.h"

namespace grpc {
class ByteBuffer;
}
namespace transport {
class Caller;
}

namespace broker::rpc {

/// Makes gRPC calls to other brokers, each over its own one connection, which lives on one of the
/// shards. What it carries is the caller's business. From any shard.
class Forwarder {
  public:
    explicit Forwarder(io::Shards&);
    ~Forwarder();

    /// As transport::Caller's, but on the shard that asks. Fails as a Caller does, and with what
    /// transport::never_sent() knows where no address of the broker is known.
    using Done = base::Function<void(const base::Status&, grpc::ByteBuffer& reply)>;
    void call(io::Shard& from, base::BrokerId to, const char* method,
              const grpc::ByteBuffer& request, std::chrono::milliseconds timeout, Done done);

    /// Where the brokers are, HOST:PORT; and to which of them the cable is cut.
    void set_addresses(const std::map<base::BrokerId, std::string>&);
    void set_cut(const std::set<int32_t>&);

    /// As transport::Caller::stop(): nobody is answered any more.
    void stop();

  private:
    struct Line;
    Line& line(base::BrokerId);

    std::vector<std::unique_ptr<Line>> lines_;  // by shard
};

}  // namespace broker::rpc
