#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"

namespace grpc {
class Server;
class Service;
}  // namespace grpc

namespace transport {

/// The gRPC listener of a node.
class Server {
  public:
    struct Options {
        std::string address;  // HOST:PORT to listen on; port 0: the system chooses
        /// RESOURCE_EXHAUSTED for a message that is larger.
        size_t most_message_bytes = 20 << 20;
        /// A connection must begin to speak HTTP/2 within this.
        std::chrono::milliseconds handshake_timeout{3000};
        /// A connection that is silent for so long is probed, and given up when the probe is.
        std::chrono::milliseconds keepalive_time{2000};
        std::chrono::milliseconds keepalive_timeout{2000};
        /// A connection without a call is closed.
        std::chrono::milliseconds most_idle{60'000};
    };

    /// Serves. The services outlive the server, which is stopped before what they post to.
    /// kFailedPrecondition if the address can't be listened on.
    static base::Result<std::unique_ptr<Server>> start(const Options&,
                                                       const std::vector<grpc::Service*>&);
    ~Server();

    uint16_t port() const { return port_; }
    /// What grpc.health.v1 answers for the server as a whole. False from the start.
    void set_serving(bool);
    /// Accepts nothing more, ends the calls and waits for their end. Not from a shard.
    void stop();

  private:
    Server(std::unique_ptr<grpc::Server>, uint16_t port);

    std::unique_ptr<grpc::Server> server_;
    const uint16_t port_;
};

}  // namespace transport
