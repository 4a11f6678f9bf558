#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/describe.h"
#include "cli/output.h"
#include "cli/quorum.h"
#include "kafka/messages/unregister_broker.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;
using Broker = kafka::DescribeClusterResponse::DescribeClusterBroker;

/// The active controller, or -1 if the quorum tells of none: what a list of brokers calls the
/// controller may be any of them.
int32_t active_controller(KafkaClient& client) {
    const auto quorum = describe_quorum(client);
    return quorum.ok() ? quorum->leader_id : -1;
}

Json json_of(const Broker& broker, int32_t controller) {
    const Endpoint at{broker.host, static_cast<uint16_t>(broker.port)};
    return {{"broker", broker.broker_id},
            {"address", at.text()},
            {"rack", broker.rack ? Json(*broker.rack) : Json()},
            {"state", broker.is_fenced ? "fenced" : "active"},
            {"controller", broker.broker_id == controller}};
}

struct BrokerList {
    Common common;

    base::Status run() const {
        ASSIGN_OR_RETURN(KafkaClient client,
                         KafkaClient::connect(common.bootstrap, common.deadline()));
        ASSIGN_OR_RETURN(const auto cluster,
                         client.retry([&] { return describe_cluster(client); }));
        const int32_t controller = active_controller(client);
        Table table({"BROKER", "ADDRESS", "RACK", "STATE", "CONTROLLER"});
        auto json = Json::array();
        for (const auto& b : cluster.brokers) {
            Json row = json_of(b, controller);
            table.add({std::to_string(b.broker_id), row["address"], b.rack.value_or("-"),
                       row["state"], b.broker_id == controller ? "yes" : "-"});
            json.push_back(std::move(row));
        }
        if (common.format == Format::json) print_json(json);
        else table.print();
        return base::ok();
    }
};

/// What a broker holds, of all that the cluster has.
struct Share {
    size_t leaders = 0;
    size_t replicas = 0;
    size_t out_of_sync = 0;
};

Share share_of(int32_t broker, const kafka::MetadataResponse& metadata) {
    Share out;
    for (const auto& topic : metadata.topics)
        for (const auto& p : topic.partitions) {
            if (p.leader_id == broker) ++out.leaders;
            if (std::ranges::find(p.replica_nodes, broker) == p.replica_nodes.end()) continue;
            ++out.replicas;
            if (std::ranges::find(p.isr_nodes, broker) == p.isr_nodes.end()) ++out.out_of_sync;
        }
    return out;
}

struct BrokerDescribe {
    Common common;
    int32_t id = 0;
    bool all = false;

    base::Status run() const {
        ASSIGN_OR_RETURN(KafkaClient client,
                         KafkaClient::connect(common.bootstrap, common.deadline()));
        ASSIGN_OR_RETURN(const auto cluster,
                         client.retry([&] { return describe_cluster(client); }));
        const auto found = std::ranges::find(cluster.brokers, id, &Broker::broker_id);
        if (found == cluster.brokers.end())
            return base::not_found("there is no broker " + std::to_string(id) +
                                   "\nTo see all: moldau broker list");
        ASSIGN_OR_RETURN(const auto metadata,
                         client.retry([&] { return client.metadata(std::nullopt); }));
        std::optional<std::vector<Config>> configs;
        if (!found->is_fenced) {  // only the broker itself knows its file
            ASSIGN_OR_RETURN(configs, client.retry([&] { return this->configs(client); }));
        }
        Json json = json_of(*found, active_controller(client));
        const Share share = share_of(id, metadata);
        json["leaders"] = share.leaders;
        json["replicas"] = share.replicas;
        json["out_of_sync"] = share.out_of_sync;
        json["config"] = nullptr;
        if (configs) {
            json["config"] = Json::object();
            for (const Config& c : *configs)
                json["config"][c.name] = {{"value", c.value}, {"from", c.source}};
        }
        if (common.format == Format::json) print_json(json);
        else print(json, *found, configs);
        return base::ok();
    }

    base::Result<std::vector<Config>> configs(KafkaClient& client) const {
        ASSIGN_OR_RETURN(Connection * connection, client.broker(id));
        ASSIGN_OR_RETURN(auto out,
                         describe_configs(*connection, ConfigOf::broker, {std::to_string(id)},
                                          std::nullopt, client.deadline()));
        if (!all) std::erase_if(out, [](const Config& c) { return c.is_default; });
        return out;
    }

    static void print(const Json& json, const Broker& broker,
                      const std::optional<std::vector<Config>>& configs) {
        std::printf("broker %d  %s  rack %s  %s%s  leaders %s  replicas %s  out of sync %s\n",
                    broker.broker_id, json["address"].get<std::string>().c_str(),
                    broker.rack.value_or("-").c_str(), json["state"].get<std::string>().c_str(),
                    json["controller"] ? "  controller" : "", json["leaders"].dump().c_str(),
                    json["replicas"].dump().c_str(), json["out_of_sync"].dump().c_str());
        if (!configs || configs->empty()) return;
        Table table({"CONFIG", "VALUE", "FROM"});
        for (const Config& c : *configs) table.add({c.name, c.value, c.source});
        std::printf("\n");
        table.print();
    }
};

struct BrokerUnregister {
    Common common;
    int32_t id = 0;

    base::Status run() const {
        ASSIGN_OR_RETURN(KafkaClient client,
                         KafkaClient::connect(common.bootstrap, common.deadline()));
        RETURN_IF_ERROR(client.retry([&] { return unregister(client); }));
        if (common.format == Format::json) print_json({{"unregistered", id}});
        else std::printf("unregistered broker %d\n", id);
        return base::ok();
    }

    base::Status unregister(KafkaClient& client) const {
        kafka::UnregisterBrokerRequest request;
        request.broker_id = id;
        ASSIGN_OR_RETURN(Connection * connection, client.any());
        ASSIGN_OR_RETURN(const auto answer, connection->call<kafka::UnregisterBrokerResponse>(
                                                request, client.deadline()));
        if (answer.error_code == kafka::ErrorCode::none) return base::ok();
        return failure(answer.error_code, answer.error_message,
                       "can't unregister broker " + std::to_string(id));
    }
};

}  // namespace

void add_broker(CLI::App& app, Chosen& chosen) {
    CLI::App* broker = app.add_subcommand("broker", "Show brokers, and forget those that are gone");
    broker->require_subcommand(1);
    auto [list, list_options] =
        add_command<BrokerList>(*broker, chosen, "list", "List brokers and their addresses");
    add_common_options(*list, list_options->common);

    auto [describe, describe_options] = add_command<BrokerDescribe>(
        *broker, chosen, "describe", "Show what a broker holds, and its configuration");
    add_common_options(*describe, describe_options->common);
    describe->add_option("ID", describe_options->id, "The broker")->required()->check(at_least(0));
    describe->add_flag("--all", describe_options->all, "Also options that have their default");

    auto [unregister, unregister_options] = add_command<BrokerUnregister>(
        *broker, chosen, "unregister", "Forget a broker that will not come back");
    add_common_options(*unregister, unregister_options->common);
    unregister->add_option("ID", unregister_options->id, "The broker")
        ->required()
        ->check(at_least(0));
}

}  // namespace cli
