#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/kafka_client.h"
#include "kafka/messages/describe_cluster.h"

namespace cli {

/// All brokers that are registered, by id, those out of service too.
base::Result<kafka::DescribeClusterResponse> describe_cluster(KafkaClient& client);

/// Whose options to ask for, numbered as DescribeConfigs has it.
enum class ConfigOf : int8_t { topic = 2, broker = 4 };

/// An option with the value that is in force.
struct Config {
    std::string owner;  // the topic or broker
    std::string name;
    std::string value;
    std::string source;  // "topic", "broker, file", "default", …
    bool is_default = false;
};
/// Of each owner; `names`: only these options.
base::Result<std::vector<Config>> describe_configs(
    Connection& connection, ConfigOf what, const std::vector<std::string>& owners,
    const std::optional<std::vector<std::string>>& names, Deadline deadline);

}  // namespace cli
