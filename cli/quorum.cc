#include "cli/quorum.h"

namespace cli {
namespace {

constexpr const char* metadata_topic = "__cluster_metadata";
constexpr const char* what = "can't describe the quorum of controllers";

}  // namespace

base::Result<Quorum> quorum_of(const kafka::DescribeQuorumResponse& answer) {
    if (answer.error_code != kafka::ErrorCode::none)
        return failure(answer.error_code, answer.error_message, what);
    if (answer.topics.size() != 1 || answer.topics[0].partitions.size() != 1)
        return base::internal(std::string(what) + ": the answer is not of its one partition");
    const auto& partition = answer.topics[0].partitions[0];
    if (partition.error_code != kafka::ErrorCode::none)
        return failure(partition.error_code, partition.error_message, what);
    Quorum out{partition.leader_id,      partition.leader_epoch, partition.high_watermark,
               partition.current_voters, partition.observers,    {}};
    for (auto* replicas : {&out.voters, &out.observers})
        std::ranges::sort(*replicas, {}, &Quorum::Replica::replica_id);
    for (const auto& node : answer.nodes)
        if (!node.listeners.empty())
            out.addresses[node.node_id] =
                Endpoint{node.listeners[0].host, node.listeners[0].port}.text();
    return out;
}

base::Result<Quorum> describe_quorum(KafkaClient& client) {
    kafka::DescribeQuorumRequest request;
    auto& topic = request.topics.emplace_back();
    topic.topic_name = metadata_topic;
    topic.partitions.emplace_back().partition_index = 0;
    ASSIGN_OR_RETURN(Connection * connection, client.any());
    ASSIGN_OR_RETURN(const auto answer,
                     connection->call<kafka::DescribeQuorumResponse>(request, client.deadline()));
    return quorum_of(answer);
}

}  // namespace cli
