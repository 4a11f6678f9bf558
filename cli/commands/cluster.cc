#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/kafka_client.h"
#include "cli/output.h"
#include "kafka/messages/describe_cluster.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;

/// What Metadata tells of all topics, in sums.
struct Health {
    size_t topics = 0;
    size_t partitions = 0;
    size_t offline = 0;           // without a leader
    size_t under_replicated = 0;  // with a replica that is not in sync

    bool good() const { return offline == 0 && under_replicated == 0; }
};

Health health_of(const kafka::MetadataResponse& metadata) {
    Health out;
    for (const auto& topic : metadata.topics) {
        ++out.topics;
        for (const auto& p : topic.partitions) {
            ++out.partitions;
            if (p.leader_id < 0) ++out.offline;
            if (p.isr_nodes.size() < p.replica_nodes.size()) ++out.under_replicated;
        }
    }
    return out;
}

struct ClusterStatus {
    Common common;

    base::Status run() const {
        ASSIGN_OR_RETURN(KafkaClient client,
                         KafkaClient::connect(common.bootstrap, common.deadline()));
        ASSIGN_OR_RETURN(const auto metadata,
                         client.retry([&] { return client.metadata(std::nullopt); }));
        const Health health = health_of(metadata);
        if (common.format == Format::json) {
            print_json({{"cluster", metadata.cluster_id.value_or("")},
                        {"healthy", health.good()},
                        {"brokers", metadata.brokers.size()},
                        {"controller", metadata.controller_id},
                        {"topics", health.topics},
                        {"partitions", health.partitions},
                        {"offline", health.offline},
                        {"under_replicated", health.under_replicated}});
            return base::ok();
        }
        const std::string state = health.good() ? coloured("HEALTHY", Colour::green, STDOUT_FILENO)
                                                : coloured("DEGRADED", Colour::red, STDOUT_FILENO);
        std::printf(
            "%s  %s  brokers %zu  controller %d  topics %zu  partitions %zu  offline %zu  "
            "under-replicated %zu\n",
            metadata.cluster_id.value_or("(no id)").c_str(), state.c_str(), metadata.brokers.size(),
            metadata.controller_id, health.topics, health.partitions, health.offline,
            health.under_replicated);
        return base::ok();
    }
};

struct BrokerList {
    Common common;

    base::Status run() const {
        ASSIGN_OR_RETURN(KafkaClient client,
                         KafkaClient::connect(common.bootstrap, common.deadline()));
        ASSIGN_OR_RETURN(const auto cluster, client.retry([&] { return describe(client); }));
        Table table({"BROKER", "ADDRESS", "RACK", "STATE", "CONTROLLER"});
        auto json = Json::array();
        for (const auto& b : cluster.brokers) {
            const Endpoint at{b.host, static_cast<uint16_t>(b.port)};
            const bool controls = b.broker_id == cluster.controller_id;
            const std::string state = b.is_fenced ? "fenced" : "active";
            table.add({std::to_string(b.broker_id), at.text(), b.rack.value_or("-"), state,
                       controls ? "yes" : "-"});
            json.push_back({{"broker", b.broker_id},
                            {"address", at.text()},
                            {"rack", b.rack ? Json(*b.rack) : Json()},
                            {"state", state},
                            {"controller", controls}});
        }
        if (common.format == Format::json) print_json(json);
        else table.print();
        return base::ok();
    }

    static base::Result<kafka::DescribeClusterResponse> describe(KafkaClient& client) {
        kafka::DescribeClusterRequest request;
        request.include_fenced_brokers = true;
        ASSIGN_OR_RETURN(Connection * connection, client.any());
        ASSIGN_OR_RETURN(auto answer, connection->call<kafka::DescribeClusterResponse>(
                                          request, client.deadline()));
        if (answer.error_code != kafka::ErrorCode::none)
            return failure(answer.error_code, answer.error_message, "can't list the brokers");
        std::sort(answer.brokers.begin(), answer.brokers.end(),
                  [](const auto& a, const auto& b) { return a.broker_id < b.broker_id; });
        return answer;
    }
};

}  // namespace

void add_cluster(CLI::App& app, Chosen& chosen) {
    CLI::App* cluster = app.add_subcommand("cluster", "Show how the cluster does");
    cluster->require_subcommand(1);
    auto [status, options] =
        add_command<ClusterStatus>(*cluster, chosen, "status", "One line on its health");
    add_common_options(*status, options->common);
}

void add_broker(CLI::App& app, Chosen& chosen) {
    CLI::App* broker = app.add_subcommand("broker", "Show the brokers");
    broker->require_subcommand(1);
    auto [list, options] =
        add_command<BrokerList>(*broker, chosen, "list", "List brokers and their addresses");
    add_common_options(*list, options->common);
}

}  // namespace cli
