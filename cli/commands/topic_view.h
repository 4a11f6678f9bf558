#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/command.h"
#include "cli/kafka_client.h"

namespace cli {

/// `moldau topic list`
struct TopicList {
    Common common;
    bool internal = false;

    base::Status run() const;
};

/// `moldau topic describe`
struct TopicDescribe {
    Common common;
    std::vector<std::string> names;

    base::Status run() const;

  private:
    base::Status describe(KafkaClient& client, const std::string& name,
                          nlohmann::ordered_json& all) const;
};

}  // namespace cli
