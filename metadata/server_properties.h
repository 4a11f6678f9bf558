#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "metadata/image.h"

namespace metadata {

/// One key of a properties file.
struct Property {
    std::string key;
    std::string value;
    int line = 0;  // where it begins, from 1
};

/// Java's properties: `key=value`, `key: value` or `key value`; # and ! begin comments; a backslash
/// at the end of a line joins the next one; \t \n \r \f \uXXXX and \x for any other x.
/// kInvalidArgument with the line for a bad \u, a NUL, or text that is not UTF-8.
base::Result<std::vector<Property>> parse_properties(std::string_view text);

/// What a node is configured from; each later source goes before the earlier ones.
struct ConfigSources {
    std::string file_name;  // for messages
    std::string file_text;
    /// All of the environment. `KAFKA_LOG_DIRS`, `KAFKA_CFG_LOG_DIRS` and `MOLDAU_LOG_DIRS` (which
    /// goes before them) set log.dirs: '_' stands for '.', "__" for '_', "___" for '-'.
    std::map<std::string, std::string> environment;
    std::vector<std::pair<std::string, std::string>> set;  // --set key=value, in order
};

struct ListenerConfig {
    std::string name;             // "PLAINTEXT"
    std::string host;             // to bind; empty: all addresses
    uint16_t port = 0;            // 0: one that is free
    std::string advertised_host;  // empty: this machine's own name is to be used
    uint16_t advertised_port = 0;
};

/// One controller of the cluster, as controller.quorum.voters names it.
struct VoterConfig {
    int32_t id = 0;
    std::string host;
    uint16_t port = 0;

    bool operator==(const VoterConfig&) const = default;
};

/// A checked configuration: every value parses, and they fit each other.
struct ServerProperties {
    struct Setting {
        std::string value;
        std::string from;  // "server.properties line 12", "KAFKA_LOG_DIRS", "--set"
    };
    struct Ignored {
        std::string key, from, why;
    };

    std::map<std::string, Setting, std::less<>> settings;  // what is said; the rest has its default
    std::vector<Ignored> ignored;
    std::vector<ListenerConfig> listeners;              // for clients; none on a mere controller
    std::optional<ListenerConfig> controller_listener;  // where nodes of the cluster connect
    std::vector<VoterConfig> voters;                    // empty: this node alone

    /// As ConfigView takes it.
    Configs configs() const;
};

/// kInvalidArgument with every problem on a line of its own, naming the line (or variable) it comes
/// from: an unknown key with the nearest known name; a bad unit or range; listeners that clash,
/// that are not PLAINTEXT, or advertise 0.0.0.0; min.insync.replicas above
/// default.replication.factor; a session shorter than three heartbeats; voters that don't fit
/// process.roles and node.id, or a cluster of several nodes without a controller listener.
base::Result<ServerProperties> read_server_properties(const ConfigSources&);

}  // namespace metadata
