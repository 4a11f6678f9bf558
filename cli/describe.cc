#include "cli/describe.h"

#include <algorithm>

#include "kafka/messages/describe_configs.h"

namespace cli {
namespace {

constexpr int8_t default_source = 5;

std::string source_text(int8_t source) {
    switch (source) {
        case 1:
            return "topic";
        case 2:
            return "broker, dynamic";
        case 3:
            return "cluster, dynamic";
        case 4:
            return "broker, file";
        case default_source:
            return "default";
        default:
            return "source " + std::to_string(source);
    }
}

}  // namespace

base::Result<kafka::DescribeClusterResponse> describe_cluster(KafkaClient& client) {
    kafka::DescribeClusterRequest request;
    request.include_fenced_brokers = true;
    ASSIGN_OR_RETURN(Connection * connection, client.any());
    ASSIGN_OR_RETURN(auto answer,
                     connection->call<kafka::DescribeClusterResponse>(request, client.deadline()));
    if (answer.error_code != kafka::ErrorCode::none)
        return failure(answer.error_code, answer.error_message, "can't list the brokers");
    std::ranges::sort(answer.brokers, {},
                      &kafka::DescribeClusterResponse::DescribeClusterBroker::broker_id);
    return answer;
}

base::Result<std::vector<Config>> describe_configs(
    Connection& connection, ConfigOf what, const std::vector<std::string>& owners,
    const std::optional<std::vector<std::string>>& names, Deadline deadline) {
    kafka::DescribeConfigsRequest request;
    for (const std::string& owner : owners) {
        auto& resource = request.resources.emplace_back();
        resource.resource_type = static_cast<int8_t>(what);
        resource.resource_name = owner;
        resource.configuration_keys = names;
    }
    ASSIGN_OR_RETURN(const auto answer,
                     connection.call<kafka::DescribeConfigsResponse>(request, deadline));
    std::vector<Config> out;
    for (const auto& result : answer.results) {
        if (result.error_code != kafka::ErrorCode::none)
            return failure(result.error_code, result.error_message,
                           "can't read the configuration of " +
                               std::string(what == ConfigOf::topic ? "'" : "broker ") +
                               result.resource_name + (what == ConfigOf::topic ? "'" : ""));
        for (const auto& c : result.configs)
            out.push_back({result.resource_name, c.name,
                           c.is_sensitive ? "(hidden)" : c.value.value_or(""),
                           source_text(c.config_source), c.config_source == default_source});
    }
    return out;
}

}  // namespace cli
