#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/status.h"

namespace cli {

using Deadline = std::chrono::steady_clock::time_point;

struct Endpoint {
    std::string host;
    uint16_t port = 0;

    std::string text() const;
    bool operator==(const Endpoint&) const = default;
};

/// "HOST:PORT[,HOST:PORT]…", IPv6 hosts in brackets; a port left out is 9092.
/// kInvalidArgument: not of that form.
base::Result<std::vector<Endpoint>> parse_endpoints(const std::string& text);

/// A blocking TCP connection whose every wait ends at a deadline.
/// kUnavailable: refused, unreachable or closed by the other side. kDeadlineExceeded: too slow.
class Socket {
  public:
    static base::Result<Socket> connect(const Endpoint& to, Deadline deadline);
    Socket(Socket&& other) noexcept;
    Socket& operator=(Socket&& other) noexcept;
    ~Socket();

    base::Status write(base::View bytes, Deadline deadline);
    /// Fills `to` wholly.
    base::Status read(base::MutableView to, Deadline deadline);

  private:
    Socket(int descriptor, Endpoint peer) : descriptor_(descriptor), peer_(std::move(peer)) {}
    base::Status wait(short events, Deadline deadline) const;

    int descriptor_ = -1;
    Endpoint peer_;
};

}  // namespace cli
