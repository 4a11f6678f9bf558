#pragma once
#include <string_view>
#include <vector>

#include "base/status.h"
#include "metadata/server_properties.h"

namespace metadata {

/// controller.quorum.voters: `ID@HOST:PORT` with commas between, an IPv6 host in brackets. No id
/// and no address twice, none that nobody can connect to. The message begins with the option.
base::Result<std::vector<VoterConfig>> parse_voters(std::string_view text);

/// What decides how a node takes part in the cluster.
struct Participation {
    int32_t node_id = 0;
    bool broker = true;      // process.roles
    bool controller = true;  // process.roles
    bool listens = false;    // whether it has a controller listener
    uint16_t port = 0;       // of that
    bool bootstrap = false;  // controller.quorum.bootstrap.servers names several nodes
};
/// Whether the node can do its part. A cluster of several nodes is one network: each of them, mere
/// brokers too, is sent the metadata on its controller listener. As parse_voters() for messages.
base::Status check_participation(const Participation&, const std::vector<VoterConfig>&);

}  // namespace metadata
