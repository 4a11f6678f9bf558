#include "cli/reassign.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/describe.h"
#include "kafka/messages/alter_partition_reassignments.h"
#include "kafka/messages/describe_log_dirs.h"
#include "kafka/messages/incremental_alter_configs.h"
#include "kafka/messages/list_partition_reassignments.h"

namespace cli {

namespace {

using Json = nlohmann::ordered_json;
using Alter = kafka::IncrementalAlterConfigsRequest;
using Partition = kafka::MetadataResponse::MetadataResponsePartition;

constexpr int8_t set_value = 0;
constexpr int8_t delete_value = 1;
const std::vector<std::string> rates = {"leader.replication.throttled.rate",
                                        "follower.replication.throttled.rate"};
const std::vector<std::string> replica_lists = {"leader.replication.throttled.replicas",
                                                "follower.replication.throttled.replicas"};

std::string name_of(const std::string& topic, int32_t partition) {
    return topic + ":" + std::to_string(partition);
}

bool has(const std::vector<int32_t>& ids, int32_t id) {
    return std::ranges::find(ids, id) != ids.end();
}

std::vector<int32_t> without(std::vector<int32_t> ids, const std::vector<int32_t>& gone) {
    std::erase_if(ids, [&](int32_t id) { return has(gone, id); });
    return ids;
}

const Partition* find(const kafka::MetadataResponse& metadata, const std::string& topic,
                      int32_t partition) {
    for (const auto& t : metadata.topics)
        for (const auto& p : t.partitions)
            if (t.name == topic && p.partition_index == partition) return &p;
    return nullptr;
}

/// Bytes on a broker's disks, by partition; empty if it can't be asked.
using Sizes = std::map<std::pair<std::string, int32_t>, int64_t>;
Sizes sizes_on(KafkaClient& client, int32_t broker) {
    kafka::DescribeLogDirsRequest request;
    request.topics.reset();
    auto connection = client.broker(broker);
    if (!connection.ok()) return {};
    const auto answer =
        (*connection)->call<kafka::DescribeLogDirsResponse>(request, client.deadline());
    if (!answer.ok()) return {};
    Sizes out;
    for (const auto& dir : answer->results)
        for (const auto& topic : dir.topics)
            for (const auto& p : topic.partitions)
                if (!p.is_future_key) out[{topic.name, p.partition_index}] = p.partition_size;
    return out;
}

base::Status fill_in(KafkaClient& client, std::vector<Moving>& moves) {
    if (moves.empty()) return base::ok();
    ASSIGN_OR_RETURN(const auto metadata, client.metadata(std::nullopt));
    std::map<int32_t, Sizes> sizes;
    const auto size = [&](const Moving& m, int32_t broker) -> std::optional<int64_t> {
        if (broker < 0) return std::nullopt;
        if (!sizes.contains(broker)) sizes[broker] = sizes_on(client, broker);
        const auto it = sizes[broker].find({m.topic, m.partition});
        return it == sizes[broker].end() ? std::nullopt : std::optional(it->second);
    };
    for (Moving& m : moves) {
        const Partition* p = find(metadata, m.topic, m.partition);
        if (!p) continue;
        m.bytes = size(m, p->leader_id);
        for (int32_t id : m.adding)
            m.copies.push_back(
                {.broker = id, .in_sync = has(p->isr_nodes, id), .bytes = size(m, id)});
    }
    return base::ok();
}

void add(Alter& request, ConfigOf what, const std::string& name,
         const std::vector<std::string>& options,
         const std::vector<std::optional<std::string>>& values) {
    auto& resource = request.resources.emplace_back();
    resource.resource_type = static_cast<int8_t>(what);
    resource.resource_name = name;
    for (size_t i = 0; i < options.size(); ++i)
        resource.configs.push_back({.name = options[i],
                                    .config_operation = values[i] ? set_value : delete_value,
                                    .value = values[i]});
}

base::Status send(KafkaClient& client, const Alter& request, const std::string& what) {
    if (request.resources.empty()) return base::ok();
    ASSIGN_OR_RETURN(Connection * connection, client.any());
    ASSIGN_OR_RETURN(const auto answer, connection->call<kafka::IncrementalAlterConfigsResponse>(
                                            request, client.deadline()));
    for (const auto& r : answer.responses)
        if (r.error_code != kafka::ErrorCode::none)
            return failure(r.error_code, r.error_message, what + " of " + r.resource_name);
    return base::ok();
}

std::string list(const std::set<std::string>& entries) {
    std::string out;
    for (const auto& e : entries) out += (out.empty() ? "" : ",") + e;
    return out;
}

}  // namespace

std::vector<int32_t> Moving::target() const { return without(replicas, removing); }

std::optional<int> Moving::percent() const {
    if (!bytes) return std::nullopt;
    int64_t all = 0, there = 0;
    for (const Copy& copy : copies) {
        if (!copy.in_sync && !copy.bytes) return std::nullopt;
        all += std::max<int64_t>(*bytes, 1);
        there += copy.in_sync ? std::max<int64_t>(*bytes, 1) : std::min(*copy.bytes, *bytes);
    }
    return all == 0 ? 100 : static_cast<int>(100 * there / all);
}

Json Moving::json() const {
    Json out{{"topic", topic},    {"partition", partition}, {"replicas", replicas},
             {"to", target()},    {"adding", adding},       {"removing", removing},
             {"percent", Json()}, {"copies", Json::array()}};
    if (const auto p = percent()) out["percent"] = *p;
    for (const Copy& copy : copies) {
        Json one{{"broker", copy.broker}, {"in_sync", copy.in_sync}, {"bytes", Json()}};
        if (copy.bytes) one["bytes"] = *copy.bytes;
        out["copies"].push_back(std::move(one));
    }
    return out;
}

base::Result<std::vector<Moving>> moves_under_way(KafkaClient& client, bool progress) {
    kafka::ListPartitionReassignmentsRequest request;
    request.timeout_ms = client.request_timeout_ms();
    request.topics.reset();
    ASSIGN_OR_RETURN(Connection * connection, client.any());
    ASSIGN_OR_RETURN(const auto answer, connection->call<kafka::ListPartitionReassignmentsResponse>(
                                            request, client.deadline()));
    if (answer.error_code != kafka::ErrorCode::none)
        return failure(answer.error_code, answer.error_message, "can't list what moves");
    std::vector<Moving> out;
    for (const auto& topic : answer.topics)
        for (const auto& p : topic.partitions)
            out.push_back({.topic = topic.name,
                           .partition = p.partition_index,
                           .replicas = p.replicas,
                           .adding = p.adding_replicas,
                           .removing = p.removing_replicas,
                           .bytes = {},
                           .copies = {}});
    if (progress) RETURN_IF_ERROR(fill_in(client, out));
    return out;
}

void print_moving(const std::vector<Moving>& moves, Format format) {
    auto json = Json::array();
    Table table({"TOPIC", "P", "REPLICAS", "TO", "COPIED", "ADDING"});
    for (const Moving& m : moves) {
        json.push_back(m.json());
        std::string adding;
        for (const auto& copy : m.copies) {
            adding += (adding.empty() ? "" : ", ") + std::to_string(copy.broker);
            if (copy.in_sync) adding += " in sync";
            else if (copy.bytes && m.bytes)
                adding += " " + bytes_text(*copy.bytes) + " of " + bytes_text(*m.bytes);
        }
        const auto percent = m.percent();
        table.add({m.topic, std::to_string(m.partition), joined(m.replicas), joined(m.target()),
                   percent ? std::to_string(*percent) + " %" : "?", adding});
    }
    if (format == Format::json) print_json(json);
    else if (moves.empty()) std::printf("nothing moves\n");
    else table.print();
}

base::Result<kafka::MetadataResponse> settled_metadata(KafkaClient& client) {
    ASSIGN_OR_RETURN(auto metadata, client.metadata(std::nullopt));
    ASSIGN_OR_RETURN(const auto moves, moves_under_way(client, false));
    for (const Moving& m : moves)
        for (auto& t : metadata.topics)
            for (auto& p : t.partitions)
                if (t.name == m.topic && p.partition_index == m.partition)
                    p.replica_nodes = m.target();
    return metadata;
}

base::Status alter_moves(KafkaClient& client, const std::vector<Wanted>& wanted) {
    kafka::AlterPartitionReassignmentsRequest request;
    request.timeout_ms = client.request_timeout_ms();
    std::map<std::string, size_t> topics;
    for (const Wanted& w : wanted) {
        const auto [it, is_new] = topics.emplace(w.topic, request.topics.size());
        if (is_new) request.topics.emplace_back().name = w.topic;
        request.topics[it->second].partitions.push_back(
            {.partition_index = w.partition, .replicas = w.to});
    }
    ASSIGN_OR_RETURN(Connection * connection, client.any());
    ASSIGN_OR_RETURN(
        const auto answer,
        connection->call<kafka::AlterPartitionReassignmentsResponse>(request, client.deadline()));
    if (answer.error_code != kafka::ErrorCode::none)
        return failure(answer.error_code, answer.error_message, "can't move anything");
    std::string why;
    size_t refused = 0;
    for (const auto& t : answer.responses)
        for (const auto& p : t.partitions) {
            if (p.error_code == kafka::ErrorCode::none) continue;
            ++refused;
            why += (why.empty() ? "" : "\n") +
                   base::message(failure(p.error_code, p.error_message,
                                         "can't move " + name_of(t.name, p.partition_index)));
        }
    if (refused == 0) return base::ok();
    if (wanted.size() > 1)
        why += "\n" + std::to_string(wanted.size() - refused) + " of " +
               std::to_string(wanted.size()) + " were taken: moldau partition status";
    return base::precondition(why);
}

base::Status set_throttle(KafkaClient& client, const Moves& moves,
                          const kafka::MetadataResponse& metadata, int64_t bytes_per_second) {
    Alter request;
    for (const auto& [topic, throttled] : throttled_replicas(moves, metadata))
        add(request, ConfigOf::topic, topic, replica_lists,
            {list(throttled.leaders), list(throttled.followers)});
    const std::string rate = std::to_string(bytes_per_second);
    for (int32_t id : concerned(moves, metadata))
        add(request, ConfigOf::broker, std::to_string(id), rates, {rate, rate});
    return send(client, request, "can't throttle replicas");
}

base::Result<std::vector<std::string>> clear_throttles(KafkaClient& client) {
    std::vector<std::string> topics, brokers, out;
    ASSIGN_OR_RETURN(const auto metadata, client.metadata(std::nullopt));
    for (const auto& t : metadata.topics) topics.push_back(t.name.value_or(""));
    ASSIGN_OR_RETURN(const auto cluster, describe_cluster(client));
    Alter request;
    const auto clear = [&](ConfigOf what, const std::vector<std::string>& options,
                           const Config& config) {
        const std::string who = (what == ConfigOf::topic ? "topic " : "broker ") + config.owner;
        if (std::ranges::find(out, who) != out.end()) return;
        out.push_back(who);
        add(request, what, config.owner, options, {std::nullopt, std::nullopt});
    };
    if (!topics.empty()) {
        ASSIGN_OR_RETURN(Connection * connection, client.any());
        ASSIGN_OR_RETURN(const auto configs, describe_configs(*connection, ConfigOf::topic, topics,
                                                              replica_lists, client.deadline()));
        for (const Config& c : configs)
            if (!c.is_default) clear(ConfigOf::topic, replica_lists, c);
    }
    for (const auto& b : cluster.brokers) {
        if (b.is_fenced) continue;
        ASSIGN_OR_RETURN(Connection * connection, client.broker(b.broker_id));
        ASSIGN_OR_RETURN(const auto configs,
                         describe_configs(*connection, ConfigOf::broker,
                                          {std::to_string(b.broker_id)}, rates, client.deadline()));
        for (const Config& c : configs)
            if (c.source == "broker, dynamic") clear(ConfigOf::broker, rates, c);
    }
    RETURN_IF_ERROR(send(client, request, "can't take the throttle off"));
    return out;
}

}  // namespace cli
