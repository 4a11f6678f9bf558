#include "cli/quorum.h"

#include <nlohmann/json.hpp>

namespace cli {
namespace {

constexpr const char* metadata_topic = "__cluster_metadata";
constexpr const char* what = "can't describe the quorum of controllers";

using Json = nlohmann::ordered_json;

QuorumRow row_of(const Quorum& quorum, const Quorum::Replica& replica,
                 const Quorum::Replica* leader, const char* role) {
    QuorumRow out;
    out.node = replica.replica_id;
    out.role = replica.replica_id == quorum.leader_id ? "leader" : role;
    const auto address = quorum.addresses.find(out.node);
    if (address != quorum.addresses.end()) out.address = address->second;
    out.log_end = replica.log_end_offset;
    if (leader == nullptr) return out;
    if (replica.log_end_offset >= 0)
        out.lag = std::max<int64_t>(0, leader->log_end_offset - replica.log_end_offset);
    // By the leader's clock, not by this one: the leader has caught up with itself now.
    const int64_t now = leader->last_caught_up_timestamp;
    const auto since = [&](int64_t then) {
        return now >= 0 && then >= 0 ? std::optional(std::max<int64_t>(0, now - then))
                                     : std::nullopt;
    };
    out.caught_up_ms = since(replica.last_caught_up_timestamp);
    if (&replica != leader) out.last_heard_ms = since(replica.last_fetch_timestamp);
    return out;
}

std::string ago(const std::optional<int64_t>& ms) {
    if (!ms) return "-";
    constexpr int64_t a_second = 1000, a_minute = 60 * a_second;
    return *ms < a_minute ? std::to_string(*ms) + " ms" : std::to_string(*ms / a_second) + " s";
}

Json or_null(const std::optional<int64_t>& value) { return value ? Json(*value) : Json(); }

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

std::vector<QuorumRow> rows_of(const Quorum& quorum) {
    const auto found =
        std::ranges::find(quorum.voters, quorum.leader_id, &Quorum::Replica::replica_id);
    const Quorum::Replica* leader = found == quorum.voters.end() ? nullptr : &*found;
    std::vector<QuorumRow> out;
    for (const auto& r : quorum.voters) out.push_back(row_of(quorum, r, leader, "voter"));
    for (const auto& r : quorum.observers) out.push_back(row_of(quorum, r, leader, "observer"));
    return out;
}

Table table_of(const std::vector<QuorumRow>& rows) {
    Table out({"NODE", "ROLE", "ADDRESS", "LOG END", "LAG", "CAUGHT UP", "LAST HEARD"});
    for (const QuorumRow& r : rows)
        out.add({std::to_string(r.node), r.role, r.address.empty() ? "-" : r.address,
                 r.log_end < 0 ? "-" : std::to_string(r.log_end),
                 r.lag ? std::to_string(*r.lag) : "-", ago(r.caught_up_ms), ago(r.last_heard_ms)});
    return out;
}

Json json_of(const std::vector<QuorumRow>& rows) {
    auto out = Json::array();
    for (const QuorumRow& r : rows)
        out.push_back({{"node", r.node},
                       {"role", r.role},
                       {"address", r.address.empty() ? Json() : Json(r.address)},
                       {"log_end", r.log_end < 0 ? Json() : Json(r.log_end)},
                       {"lag", or_null(r.lag)},
                       {"caught_up_ms_ago", or_null(r.caught_up_ms)},
                       {"last_heard_ms_ago", or_null(r.last_heard_ms)}});
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
