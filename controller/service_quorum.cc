// Requests about the quorum itself.
#include <charconv>
#include <tuple>

#include "controller/service_decide.h"
#include "io/shard.h"

namespace controller {

namespace {

using kafka::ErrorCode;

/// The member with that id; and with that disk, unless the request leaves it open.
const raft::Member* find(const raft::Configuration::Members& members, int32_t id,
                         const base::Uuid& directory) {
    for (const auto& [member, address] : members)
        if (member.id == id && (directory.is_zero() || member.incarnation == directory))
            return &member;
    return nullptr;
}

template <class Response, class Request>
bool of_this_cluster(const Service::Core& core, const Request& request, Response& response) {
    if (!request.cluster_id || *request.cluster_id == core.state().image.cluster_id()) return true;
    response.error_code = ErrorCode::inconsistent_cluster_id;
    response.error_message = "this is cluster " + core.state().image.cluster_id();
    return false;
}

kafka::DescribeQuorumResponse::Node node(int32_t id, const std::string& address) {
    const size_t colon = address.rfind(':');
    uint16_t port = 0;
    std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
    std::string host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return {id, {{"CONTROLLER", std::move(host), port}}};
}

kafka::DescribeQuorumResponse::PartitionData partition(const Service::Core& core) {
    const auto& raft = core.quorum().raft();
    const int64_t now = io::wall_clock();
    kafka::DescribeQuorumResponse::PartitionData out;
    out.error_message = std::nullopt;
    out.leader_id = core.self().id;
    out.leader_epoch = static_cast<int32_t>(raft.term());
    out.high_watermark = raft.committed() + 1;
    const auto peers = raft.peers();
    const auto row = [&](const raft::Member& member) {
        kafka::DescribeQuorumResponse::ReplicaState state;
        state.replica_id = member.id;
        state.replica_directory_id = member.incarnation;
        if (member == core.self()) {
            state.log_end_offset = raft.log().last() + 1;
            state.last_caught_up_timestamp = now;
            return state;
        }
        for (const auto& peer : peers) {
            if (peer.member != member) continue;
            const int64_t heard = now - peer.silent_ticks * core.tick().count();
            state.log_end_offset = peer.match + 1;
            state.last_fetch_timestamp = heard;
            if (peer.match >= raft.committed()) state.last_caught_up_timestamp = heard;
        }
        return state;
    };
    for (const auto& [member, address] : raft.configuration().voters)
        out.current_voters.push_back(row(member));
    for (const auto& [member, address] : raft.configuration().learners)
        out.observers.push_back(row(member));
    return out;
}

}  // namespace

Decided<kafka::DescribeQuorumResponse> decide(Service::Core& core,
                                              const kafka::DescribeQuorumRequest& request) {
    Decided<kafka::DescribeQuorumResponse> out;
    out.response.error_message = std::nullopt;
    for (const auto& topic : request.topics) {
        auto& row = out.response.topics.emplace_back();
        row.topic_name = topic.topic_name;
        for (const auto& asked : topic.partitions) {
            if (topic.topic_name == "__cluster_metadata" && asked.partition_index == 0) {
                row.partitions.push_back(partition(core));
                continue;
            }
            auto& unknown = row.partitions.emplace_back();
            unknown.partition_index = asked.partition_index;
            unknown.error_code = ErrorCode::unknown_topic_or_partition;
            unknown.error_message = "only partition 0 of __cluster_metadata has a quorum";
            unknown.leader_id = -1;
        }
    }
    const auto& configuration = core.quorum().raft().configuration();
    for (const auto* members : {&configuration.voters, &configuration.learners})
        for (const auto& [member, address] : *members)
            out.response.nodes.push_back(node(member.id, address));
    return out;
}

Decided<kafka::AddRaftVoterResponse> decide(Service::Core& core,
                                            const kafka::AddRaftVoterRequest& request) {
    Decided<kafka::AddRaftVoterResponse> out;
    out.response.error_message = std::nullopt;
    if (!of_this_cluster(core, request, out.response)) return out;
    const auto& configuration = core.quorum().raft().configuration();
    const auto& [id, directory] = std::tie(request.voter_id, request.voter_directory_id);
    if (find(configuration.voters, id, directory) != nullptr) {
        out.response.error_code = ErrorCode::duplicate_voter;
        out.response.error_message = "controller " + std::to_string(id) + " votes already";
    } else if (const auto* learner = find(configuration.learners, id, directory)) {
        if (!core.is_mere_broker(*learner)) {
            out.change = raft::Promote{*learner};
            return out;
        }
        out.response.error_code = ErrorCode::invalid_request;
        out.response.error_message =
            "node " + std::to_string(id) +
            " is not a controller; start it with process.roles=broker,controller first";
    } else {
        out.response.error_code = ErrorCode::invalid_request;
        out.response.error_message =
            "no observer has the id " + std::to_string(id) +
            (directory.is_zero() ? "" : " and the directory id " + directory.to_string()) +
            "; start the node with this cluster's controller.quorum.voters, and it joins as one";
    }
    return out;
}

Decided<kafka::RemoveRaftVoterResponse> decide(Service::Core& core,
                                               const kafka::RemoveRaftVoterRequest& request) {
    Decided<kafka::RemoveRaftVoterResponse> out;
    out.response.error_message = std::nullopt;
    if (!of_this_cluster(core, request, out.response)) return out;
    const auto& configuration = core.quorum().raft().configuration();
    const auto& [id, directory] = std::tie(request.voter_id, request.voter_directory_id);
    const auto* learner = find(configuration.learners, id, directory);
    if (const auto* voter = find(configuration.voters, id, directory)) {
        if (configuration.voters.size() > 1) {
            out.change = raft::Remove{*voter};
            return out;
        }
        out.response.error_code = ErrorCode::invalid_request;
        out.response.error_message = "the last voter can't be removed";
    } else if (learner != nullptr && configuration.promised.contains(*learner)) {
        // It would vote as soon as it has caught up; it applies again, and does not.
        out.change = raft::Remove{*learner};
        return out;
    } else {
        out.response.error_code = ErrorCode::voter_not_found;
        out.response.error_message =
            "no voter has the id " + std::to_string(id) +
            (directory.is_zero() ? "" : " and the directory id " + directory.to_string());
    }
    return out;
}

}  // namespace controller
