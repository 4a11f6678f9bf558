#pragma once
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace grpc {
class Channel;
}

namespace transport {

struct ChannelOptions {
    /// RESOURCE_EXHAUSTED for a message to this node that is larger.
    size_t most_message_bytes = 20 << 20;
    /// To open the connection.
    std::chrono::milliseconds handshake_timeout{3000};
    /// A connection that is silent for so long is probed, and given up when the probe is.
    std::chrono::milliseconds keepalive_time{2000};
    std::chrono::milliseconds keepalive_timeout{2000};
    /// A connection without a call is closed; not set: never.
    std::optional<std::chrono::milliseconds> most_idle = std::nullopt;
    /// For streams that bring much: in fewer and larger pieces.
    bool bulk = false;
};

/// A way to another node's Server at HOST:PORT, with a connection of its own: it resolves the name
/// anew and knows nothing of what earlier ones have met. When to try again is the caller's to say.
std::shared_ptr<grpc::Channel> connect(const std::string& address, const ChannelOptions&);

}  // namespace transport
