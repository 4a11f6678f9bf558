#pragma once
#include <optional>
#include <string>

#include "controller/decision.h"
#include "kafka/errors.h"
#include "kafka/messages/alter_configs.h"
#include "kafka/messages/incremental_alter_configs.h"

namespace controller {

/// Replaces all dynamic configs of each resource.
Decision<kafka::AlterConfigsResponse> alter_configs(const State&,
                                                    const kafka::AlterConfigsRequest&);

/// Sets (0), deletes (1), appends to (2) and subtracts from (3) single configs of each resource.
Decision<kafka::IncrementalAlterConfigsResponse> incremental_alter_configs(
    const State&, const kafka::IncrementalAlterConfigsRequest&);
// Both take topics (3 if unknown) and brokers ("": all of them; 102 if unknown); anything else is
// 42, as are a resource or a config twice and a value that is null. 40: no such config, a value out
// of range, or one that only a restart can change. A resource is changed whole or not at all.

/// Why a topic can't have these configs, or nothing.
std::optional<kafka::Error> check_topic_configs(const metadata::Configs&);

}  // namespace controller
