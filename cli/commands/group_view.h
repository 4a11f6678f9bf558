#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/command.h"
#include "cli/kafka_client.h"

namespace cli {

/// `moldau group list`
struct GroupList {
    Common common;

    base::Status run() const;
};

/// `moldau group describe`
struct GroupDescribe {
    Common common;
    std::vector<std::string> groups;

    base::Status run() const;

  private:
    base::Status describe(KafkaClient& client, const std::string& group,
                          nlohmann::ordered_json& all) const;
};

}  // namespace cli
