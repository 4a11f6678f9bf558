#include "cli/offsets.h"

#include <charconv>

#include "kafka/messages/list_offsets.h"

namespace cli {
namespace {

// https://kafka.apache.org/protocol#The_Messages_ListOffsets
constexpr int64_t end_timestamp = -1;
constexpr int64_t beginning_timestamp = -2;

int64_t timestamp_of(Position position) {
    switch (position.kind) {
        case Position::Kind::beginning:
            return beginning_timestamp;
        case Position::Kind::time:
            return position.value;
        default:
            return end_timestamp;
    }
}

base::Status ask_leader(KafkaClient& client, int32_t leader, const std::string& topic,
                        const std::vector<base::PartitionIndex>& partitions, int64_t timestamp,
                        PartitionOffsets& out) {
    kafka::ListOffsetsRequest request;
    request.replica_id = -1;  // a consumer
    auto& asked = request.topics.emplace_back();
    asked.name = topic;
    for (const base::PartitionIndex partition : partitions) {
        auto& one = asked.partitions.emplace_back();
        one.partition_index = partition;
        one.timestamp = timestamp;
    }
    ASSIGN_OR_RETURN(Connection * connection, client.broker(leader));
    ASSIGN_OR_RETURN(const auto answer,
                     connection->call<kafka::ListOffsetsResponse>(request, client.deadline()));
    for (const auto& found : answer.topics)
        for (const auto& p : found.partitions) {
            if (p.error_code != kafka::ErrorCode::none)
                return failure(p.error_code, std::nullopt,
                               "offsets of " + topic + "-" + std::to_string(p.partition_index));
            out[p.partition_index] = p.offset;
        }
    return base::ok();
}

base::Result<PartitionOffsets> ask(KafkaClient& client, const std::string& name,
                                   const std::vector<base::PartitionIndex>& partitions,
                                   int64_t timestamp) {
    return client.retry([&]() -> base::Result<PartitionOffsets> {
        ASSIGN_OR_RETURN(const Topic topic, client.topic(name));
        std::map<int32_t, std::vector<base::PartitionIndex>> by_leader;
        for (const base::PartitionIndex partition : partitions) {
            if (partition < 0 || static_cast<size_t>(partition) >= topic.partitions.size())
                return base::not_found("topic '" + name + "' has no partition " +
                                       std::to_string(partition) + "\nIt has " +
                                       std::to_string(topic.partitions.size()) + ", from 0.");
            const auto& p = topic.partitions[static_cast<size_t>(partition)];
            if (p.leader_id < 0)
                return absl::AbortedError(name + "-" + std::to_string(partition) +
                                          " has no leader");
            by_leader[p.leader_id].push_back(partition);
        }
        PartitionOffsets out;
        for (const auto& [leader, of_leader] : by_leader)
            RETURN_IF_ERROR(ask_leader(client, leader, name, of_leader, timestamp, out));
        return out;
    });
}

}  // namespace

base::Result<Position> Position::parse(const std::string& text) {
    if (text == "beginning") return Position{Kind::beginning, 0};
    if (text == "end") return Position{Kind::end, 0};
    const bool time = text.starts_with('@');
    const std::string digits = text.substr(time ? 1 : 0);
    int64_t value = -1;
    const char* const last = digits.data() + digits.size();
    const auto [at, error] = std::from_chars(digits.data(), last, value);
    if (error != std::errc{} || at != last || value < 0)
        return base::invalid("'" + text +
                             "' is not a position\nWrite beginning, end, an offset such as 42, or "
                             "@ and milliseconds since 1970.");
    return Position{time ? Kind::time : Kind::offset, value};
}

base::Result<PartitionOffsets> find_offsets(KafkaClient& client, const std::string& topic,
                                            const std::vector<base::PartitionIndex>& partitions,
                                            Position position) {
    if (position.kind == Position::Kind::offset) {
        PartitionOffsets out;
        for (const base::PartitionIndex partition : partitions) out[partition] = position.value;
        return out;
    }
    ASSIGN_OR_RETURN(PartitionOffsets out, ask(client, topic, partitions, timestamp_of(position)));
    if (position.kind != Position::Kind::time) return out;
    std::vector<base::PartitionIndex> later;  // no record is that young
    for (const auto& [partition, offset] : out)
        if (offset < 0) later.push_back(partition);
    if (later.empty()) return out;
    ASSIGN_OR_RETURN(const PartitionOffsets ends, ask(client, topic, later, end_timestamp));
    for (const auto& [partition, offset] : ends) out[partition] = offset;
    return out;
}

std::vector<base::PartitionIndex> all_partitions(const Topic& topic) {
    std::vector<base::PartitionIndex> out;
    for (const auto& p : topic.partitions) out.push_back(p.partition_index);
    return out;
}

}  // namespace cli
