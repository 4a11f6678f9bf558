#include "metadata/voters.h"

#include <algorithm>
#include <charconv>

#include "base/options.h"
#include "metadata/listeners.h"

namespace metadata {

namespace {

constexpr const char* kVoters = "controller.quorum.voters";

base::Status refused(const std::string& why, const char* option = kVoters) {
    return base::invalid(std::string(option) + ": " + why);
}

base::Result<VoterConfig> parse_voter(const std::string& text) {
    const std::string shown = text.substr(0, 200);
    const auto at = text.find('@');
    if (at == std::string::npos) return refused(shown + " is not ID@HOST:PORT");
    VoterConfig voter;
    const char* const end = text.data() + at;
    const auto [stop, error] = std::from_chars(text.data(), end, voter.id);
    if (error != std::errc{} || stop != end || voter.id < 0)
        return refused(shown + " has no proper id; it is the node.id of the controller");
    const auto address = parse_listener("VOTER://" + text.substr(at + 1));
    if (!address.ok() || address->host.find('@') != std::string::npos)
        return refused(shown + " is not ID@HOST:PORT");
    if (address->host.empty() || address->host == "0.0.0.0" || address->host == "::")
        return refused(shown + " names no host that the other nodes can connect to");
    if (address->port == 0) return refused(shown + " has port 0");
    voter.host = address->host;
    voter.port = address->port;
    return voter;
}

}  // namespace

base::Result<std::vector<VoterConfig>> parse_voters(std::string_view text) {
    std::vector<VoterConfig> out;
    for (const auto& one : base::split_list(text)) {
        ASSIGN_OR_RETURN(auto voter, parse_voter(one));
        for (const auto& other : out) {
            if (other.id == voter.id)
                return refused("id " + std::to_string(voter.id) + " stands twice");
            if (other.host == voter.host && other.port == voter.port)
                return refused(std::to_string(other.id) + " and " + std::to_string(voter.id) +
                               " have the same address");
        }
        out.push_back(std::move(voter));
    }
    return out;
}

base::Status check_participation(const Participation& node,
                                 const std::vector<VoterConfig>& voters) {
    const std::string id = std::to_string(node.node_id);
    if (voters.empty() && !node.controller)
        return refused(
            "it is not set, but a node with process.roles=broker needs controllers; name them as "
            "ID@HOST:PORT");
    if (voters.empty() && node.bootstrap)
        return refused(
            "several nodes make a cluster only by controller.quorum.voters; name the "
            "controllers there, as ID@HOST:PORT",
            "controller.quorum.bootstrap.servers");
    const bool named = std::ranges::find(voters, node.node_id, &VoterConfig::id) != voters.end();
    if (!voters.empty() && node.controller && !named)
        return refused("node.id=" + id +
                       " is not among them, but process.roles makes this node a controller; add " +
                       id + "@HOST:PORT");
    if (named && !node.controller)
        return refused("it names this node (node.id=" + id +
                       "), but process.roles=broker makes it no controller; take it out, or add "
                       "controller to process.roles");
    const bool alone = voters.empty() || (voters.size() == 1 && named);
    if (!node.listens && (!alone || !node.broker))
        return refused(
            "there is none for the other nodes of the cluster; add CONTROLLER://:19092 "
            "(or the name that controller.listener.names has)",
            "listeners");
    if (node.listens && node.port == 0 && !alone)
        return refused("the other nodes can't know a controller listener's port 0", "listeners");
    return base::ok();
}

}  // namespace metadata
