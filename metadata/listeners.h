#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "metadata/server_properties.h"

namespace metadata {

struct ListenerUri {
    std::string name;
    std::string host;
    uint16_t port = 0;
};
/// `NAME://host:port`, with the host in brackets if it is IPv6, or left out.
base::Result<ListenerUri> parse_listener(std::string_view text);

/// The options that say where to listen.
struct ListenerOptions {
    std::string listeners;
    std::optional<std::string> advertised;
    std::string protocols;   // listener.security.protocol.map
    std::string controller;  // controller.listener.names
    bool broker = true;      // process.roles: whether clients are served
};
struct Listeners {
    std::vector<ListenerConfig> clients;
    /// Of those that `controller` names the first that there is; others of them are not opened.
    std::optional<ListenerConfig> controller;
};
/// The listeners to open: none twice by name or address, all PLAINTEXT, none that advertises an
/// address that nobody can connect to. The message begins with the option that is at fault.
base::Result<Listeners> resolve_listeners(const ListenerOptions&);

}  // namespace metadata
