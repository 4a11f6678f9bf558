#include "cli/commands/topic_view.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/describe.h"
#include "cli/offsets.h"
#include "cli/output.h"
#include "kafka/messages/describe_log_dirs.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;
using Sizes = std::map<base::PartitionIndex, int64_t>;

/// Options that differ from the defaults.
base::Result<std::vector<Config>> find_configs(KafkaClient& client, const std::string& topic) {
    ASSIGN_OR_RETURN(Connection * connection, client.any());
    ASSIGN_OR_RETURN(auto out, describe_configs(*connection, ConfigOf::topic, {topic}, std::nullopt,
                                                client.deadline()));
    std::erase_if(out, [](const Config& c) { return c.is_default; });
    return out;
}

/// Bytes on the leaders' disks.
base::Result<Sizes> find_sizes(KafkaClient& client, const Topic& topic) {
    std::set<int32_t> leaders;
    kafka::DescribeLogDirsRequest request;
    request.topics.emplace();
    auto& asked = request.topics->emplace_back();
    asked.topic = topic.name.value_or("");
    for (const auto& p : topic.partitions) {
        leaders.insert(p.leader_id);
        asked.partitions.push_back(p.partition_index);
    }
    Sizes out;
    for (const int32_t leader : leaders) {
        ASSIGN_OR_RETURN(Connection * connection, client.broker(leader));
        ASSIGN_OR_RETURN(const auto answer, connection->call<kafka::DescribeLogDirsResponse>(
                                                request, client.deadline()));
        for (const auto& directory : answer.results)
            for (const auto& found : directory.topics)
                for (const auto& p : found.partitions) {
                    const auto index = static_cast<size_t>(p.partition_index);
                    if (!p.is_future_key && index < topic.partitions.size() &&
                        topic.partitions[index].leader_id == leader)
                        out[p.partition_index] = p.partition_size;
                }
    }
    return out;
}

Json partitions_json(const Topic& topic, const PartitionOffsets& starts,
                     const PartitionOffsets& ends, const Sizes& sizes) {
    auto out = Json::array();
    for (const auto& p : topic.partitions) {
        const base::PartitionIndex index = p.partition_index;
        const auto size = sizes.find(index);
        out.push_back({{"partition", index},
                       {"leader", p.leader_id},
                       {"epoch", p.leader_epoch},
                       {"isr", p.isr_nodes},
                       {"replicas", p.replica_nodes},
                       {"start", starts.at(index)},
                       {"high_watermark", ends.at(index)},
                       {"bytes", size == sizes.end() ? Json() : Json(size->second)}});
    }
    return out;
}

void print_topic(const Topic& topic, const Json& partitions, const std::vector<Config>& configs) {
    std::printf("%s  id %s  partitions %zu  replication factor %zu%s\n",
                topic.name.value_or("").c_str(), topic.topic_id.to_string().c_str(),
                topic.partitions.size(),
                topic.partitions.empty() ? 0 : topic.partitions.front().replica_nodes.size(),
                topic.is_internal ? "  internal" : "");
    Table table({"P", "LEADER", "ISR", "REPLICAS", "EPOCH", "START", "HW", "SIZE"});
    for (const Json& p : partitions)
        table.add({p["partition"].dump(), p["leader"].dump(), joined(p["isr"]),
                   joined(p["replicas"]), p["epoch"].dump(), p["start"].dump(),
                   p["high_watermark"].dump(),
                   p["bytes"].is_null() ? "-" : bytes_text(p["bytes"])});
    table.print();
    if (configs.empty()) return;
    Table config_table({"CONFIG", "VALUE", "FROM"});
    for (const Config& c : configs) config_table.add({c.name, c.value, c.source});
    std::printf("\n");
    config_table.print();
}

}  // namespace

base::Status TopicList::run() const {
    ASSIGN_OR_RETURN(KafkaClient client, KafkaClient::connect(common.bootstrap, common.deadline()));
    ASSIGN_OR_RETURN(auto answer, client.retry([&] { return client.metadata(std::nullopt); }));
    auto& topics = answer.topics;
    if (!internal) std::erase_if(topics, [](const Topic& t) { return t.is_internal; });
    std::sort(topics.begin(), topics.end(),
              [](const Topic& a, const Topic& b) { return a.name < b.name; });
    Table table({"TOPIC", "PARTITIONS", "REPLICATION"});
    auto json = Json::array();
    for (const Topic& topic : topics) {
        const size_t replicas =
            topic.partitions.empty() ? 0 : topic.partitions.front().replica_nodes.size();
        const std::string name = topic.name.value_or("");
        table.add({name, std::to_string(topic.partitions.size()), std::to_string(replicas)});
        json.push_back({{"topic", name},
                        {"id", topic.topic_id.to_string()},
                        {"partitions", topic.partitions.size()},
                        {"replication_factor", replicas},
                        {"internal", topic.is_internal}});
    }
    if (common.format == Format::json) print_json(json);
    else table.print();
    return base::ok();
}

base::Status TopicDescribe::run() const {
    ASSIGN_OR_RETURN(KafkaClient client, KafkaClient::connect(common.bootstrap, common.deadline()));
    auto all = Json::array();
    for (const std::string& name : names) {
        if (common.format == Format::table && name != names.front()) std::printf("\n");
        RETURN_IF_ERROR(describe(client, name, all));
    }
    if (common.format == Format::json) print_json(all);
    return base::ok();
}

base::Status TopicDescribe::describe(KafkaClient& client, const std::string& name,
                                     Json& all) const {
    ASSIGN_OR_RETURN(const Topic topic, client.topic(name));
    const auto partitions = all_partitions(topic);
    ASSIGN_OR_RETURN(const PartitionOffsets starts,
                     find_offsets(client, name, partitions, {Position::Kind::beginning}));
    ASSIGN_OR_RETURN(const PartitionOffsets ends,
                     find_offsets(client, name, partitions, {Position::Kind::end}));
    ASSIGN_OR_RETURN(const auto configs, client.retry([&] { return find_configs(client, name); }));
    ASSIGN_OR_RETURN(const Sizes sizes, client.retry([&] { return find_sizes(client, topic); }));
    const Json rows = partitions_json(topic, starts, ends, sizes);
    if (common.format == Format::table) {
        print_topic(topic, rows, configs);
        return base::ok();
    }
    auto config_json = Json::object();
    for (const Config& c : configs) config_json[c.name] = {{"value", c.value}, {"from", c.source}};
    all.push_back({{"topic", name},
                   {"id", topic.topic_id.to_string()},
                   {"internal", topic.is_internal},
                   {"partitions", rows},
                   {"config", config_json}});
    return base::ok();
}

}  // namespace cli
