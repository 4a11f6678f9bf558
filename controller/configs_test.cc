#include "controller/configs.h"

#include <gtest/gtest.h>

#include "controller/testing.h"

namespace controller {
namespace {

using kafka::ErrorCode;

constexpr int8_t kTopic = 2, kBroker = 4;
constexpr int8_t kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3;

class AlterConfigs : public testing::Test {
  protected:
    AlterConfigs() { cluster.replay({metadata::topic_record("t", {1, 1})}); }

    struct Change {
        std::string name;
        int8_t operation;
        std::optional<std::string> value;
    };
    kafka::IncrementalAlterConfigsResponse change(int8_t type, const std::string& name,
                                                  const std::vector<Change>& changes,
                                                  bool validate = false, int times = 1) {
        kafka::IncrementalAlterConfigsRequest request;
        request.validate_only = validate;
        for (int i = 0; i < times; ++i) {
            auto& r = request.resources.emplace_back();
            r.resource_type = type;
            r.resource_name = name;
            for (const auto& c : changes) r.configs.push_back({c.name, c.operation, c.value});
        }
        auto decision = incremental_alter_configs(cluster.state(), request);
        records = decision.records.size();
        return cluster.commit(std::move(decision));
    }
    ErrorCode code(int8_t type, const std::string& name, const std::vector<Change>& changes) {
        auto response = change(type, name, changes);
        EXPECT_EQ(response.responses.size(), 1u);
        EXPECT_EQ(response.responses[0].resource_name, name);
        EXPECT_EQ(response.responses[0].error_message.has_value(),
                  response.responses[0].error_code != ErrorCode::none);
        return response.responses[0].error_code;
    }
    kafka::AlterConfigsResponse replace(
        const std::string& topic,
        const std::vector<std::pair<std::string, std::optional<std::string>>>& configs) {
        kafka::AlterConfigsRequest request;
        auto& r = request.resources.emplace_back();
        r.resource_type = kTopic;
        r.resource_name = topic;
        for (const auto& [key, value] : configs) r.configs.push_back({key, value});
        auto decision = alter_configs(cluster.state(), request);
        records = decision.records.size();
        return cluster.commit(std::move(decision));
    }
    const metadata::Configs& topic() const { return cluster.image()->topic_configs("t"); }

    TestCluster cluster{2};
    size_t records = 0;
};

TEST_F(AlterConfigs, SetAndDelete) {
    EXPECT_EQ(code(kTopic, "t", {{"retention.ms", kSet, "5"}, {"segment.ms", kSet, "7"}}),
              ErrorCode::none);
    EXPECT_EQ(topic(), (metadata::Configs{{"retention.ms", "5"}, {"segment.ms", "7"}}));
    EXPECT_EQ(code(kTopic, "t", {{"retention.ms", kSet, "5"}}), ErrorCode::none);
    EXPECT_EQ(records, 0u) << "nothing changed";
    EXPECT_EQ(code(kTopic, "t", {{"retention.ms", kDelete, std::nullopt}}), ErrorCode::none);
    EXPECT_EQ(topic(), (metadata::Configs{{"segment.ms", "7"}}));
    EXPECT_EQ(code(kTopic, "t", {{"retention.ms", kDelete, std::nullopt}}), ErrorCode::none);
    EXPECT_EQ(records, 0u);
}

TEST_F(AlterConfigs, ListsGrowAndShrink) {
    EXPECT_EQ(code(kTopic, "t", {{"cleanup.policy", kAppend, "compact"}}), ErrorCode::none);
    EXPECT_EQ(topic().at("cleanup.policy"), "delete,compact") << "from the default on";
    EXPECT_EQ(code(kTopic, "t", {{"cleanup.policy", kAppend, "compact"}}), ErrorCode::none);
    EXPECT_EQ(topic().at("cleanup.policy"), "delete,compact");
    EXPECT_EQ(code(kTopic, "t", {{"cleanup.policy", kSubtract, "delete"}}), ErrorCode::none);
    EXPECT_EQ(topic().at("cleanup.policy"), "compact");
    EXPECT_EQ(code(kTopic, "t", {{"cleanup.policy", kAppend, "keep"}}), ErrorCode::invalid_config);
    EXPECT_EQ(code(kTopic, "t", {{"retention.ms", kAppend, "1"}}), ErrorCode::invalid_config);
    EXPECT_EQ(topic().at("cleanup.policy"), "compact");
}

TEST_F(AlterConfigs, Brokers) {
    EXPECT_EQ(code(kBroker, "1", {{"log.retention.ms", kSet, "5"}}), ErrorCode::none);
    EXPECT_EQ(code(kBroker, "", {{"log.retention.ms", kSet, "6"}}), ErrorCode::none);
    EXPECT_EQ(cluster.image()->broker_configs(base::BrokerId{1}).at("log.retention.ms"), "5");
    EXPECT_EQ(cluster.image()->cluster_configs().at("log.retention.ms"), "6");
    EXPECT_EQ(code(kBroker, "1", {{"log.retention.ms", kDelete, std::nullopt}}), ErrorCode::none);
    EXPECT_TRUE(cluster.image()->broker_configs(base::BrokerId{1}).empty());
}

/// What kafka-reassign-partitions sets for --throttle, and deletes at the end and for --cancel.
TEST_F(AlterConfigs, ThrottlesOfReassignmentsComeAndGo) {
    for (const std::string side : {"leader", "follower"}) {
        const std::string rate = side + ".replication.throttled.rate";
        const std::string replicas = side + ".replication.throttled.replicas";
        EXPECT_EQ(code(kBroker, "1", {{rate, kDelete, std::nullopt}}), ErrorCode::none);
        EXPECT_EQ(code(kBroker, "1", {{rate, kSet, "1000"}}), ErrorCode::none);
        EXPECT_EQ(cluster.image()->broker_configs(base::BrokerId{1}).at(rate), "1000");
        EXPECT_EQ(code(kBroker, "1", {{rate, kSet, "-1"}}), ErrorCode::invalid_config);
        EXPECT_EQ(code(kBroker, "1", {{rate, kDelete, std::nullopt}}), ErrorCode::none);
        EXPECT_TRUE(cluster.image()->broker_configs(base::BrokerId{1}).empty());
        for (const std::string good : {"*", "", "0:1", "0:1,12:0"})
            EXPECT_EQ(code(kTopic, "t", {{replicas, kSet, good}}), ErrorCode::none) << good;
        for (const std::string bad : {"0", "0:", ":1", "*,0:1", "a:1", "0:1:2", "-1:0"})
            EXPECT_EQ(code(kTopic, "t", {{replicas, kSet, bad}}), ErrorCode::invalid_config) << bad;
        EXPECT_EQ(code(kTopic, "t", {{replicas, kDelete, std::nullopt}}), ErrorCode::none);
        EXPECT_TRUE(topic().empty());
    }
}

TEST_F(AlterConfigs, RefusesEachForItsReason) {
    struct Row {
        int8_t type;
        std::string name;
        std::vector<Change> changes;
        ErrorCode code;
    };
    for (const auto& row : std::vector<Row>{
             {kTopic, "nowhere", {}, ErrorCode::unknown_topic_or_partition},
             {kBroker, "7", {}, ErrorCode::broker_id_not_registered},
             {kBroker, "x", {}, ErrorCode::invalid_request},
             {kBroker, "-1", {}, ErrorCode::invalid_request},
             {kBroker, "1 ", {}, ErrorCode::invalid_request},
             {8, "0", {}, ErrorCode::invalid_request},
             {16, "m", {}, ErrorCode::invalid_request},
             {0, "", {}, ErrorCode::invalid_request},
             {kTopic, "t", {{"no.such", kSet, "1"}}, ErrorCode::invalid_config},
             {kTopic, "t", {{"no.such", kDelete, std::nullopt}}, ErrorCode::invalid_config},
             {kTopic, "t", {{"retention.ms", kSet, "x"}}, ErrorCode::invalid_config},
             {kTopic, "t", {{"retention.ms", kSet, std::nullopt}}, ErrorCode::invalid_request},
             {kTopic, "t", {{"retention.ms", 4, "1"}}, ErrorCode::invalid_request},
             {kTopic, "t", {{"retention.ms", -1, "1"}}, ErrorCode::invalid_request},
             {kTopic,
              "t",
              {{"retention.ms", kSet, "1"}, {"retention.ms", kDelete, std::nullopt}},
              ErrorCode::invalid_request},
             {kTopic,
              "t",
              {{"min.compaction.lag.ms", kSet, "9"}, {"max.compaction.lag.ms", kSet, "8"}},
              ErrorCode::invalid_config},
             {kTopic,
              "t",
              {{"leader.replication.throttled.replicas", kSet, std::string(32 * 1024 + 1, 'a')}},
              ErrorCode::invalid_config},
             {kBroker, "1", {{"listeners", kSet, "PLAINTEXT://:1"}}, ErrorCode::invalid_config},
             {kBroker, "", {{"retention.ms", kSet, "1"}}, ErrorCode::invalid_config},
         }) {
        EXPECT_EQ(code(row.type, row.name, row.changes), row.code) << row.name;
        EXPECT_EQ(records, 0u);
    }
    auto twice = change(kTopic, "t", {{"retention.ms", kSet, "1"}}, false, 2);
    ASSERT_EQ(twice.responses.size(), 1u);
    EXPECT_EQ(twice.responses[0].error_code, ErrorCode::invalid_request);
}

TEST_F(AlterConfigs, AResourceIsChangedWholeOrNotAtAll) {
    EXPECT_EQ(code(kTopic, "t", {{"retention.ms", kSet, "5"}, {"segment.ms", kSet, "0"}}),
              ErrorCode::invalid_config);
    EXPECT_TRUE(topic().empty());
}

TEST_F(AlterConfigs, ValidateOnlyChangesNothing) {
    auto response = change(kTopic, "t", {{"retention.ms", kSet, "5"}}, true);
    EXPECT_EQ(response.responses[0].error_code, ErrorCode::none);
    EXPECT_TRUE(topic().empty());
}

TEST_F(AlterConfigs, TheOlderRequestReplacesAll) {
    replace("t", {{"retention.ms", "5"}, {"segment.ms", "7"}});
    EXPECT_EQ(topic().size(), 2u);
    replace("t", {{"segment.ms", "8"}});
    EXPECT_EQ(topic(), (metadata::Configs{{"segment.ms", "8"}}));
    EXPECT_EQ(replace("t", {{"segment.ms", std::nullopt}}).responses[0].error_code,
              ErrorCode::invalid_request);
    EXPECT_EQ(replace("t", {{"segment.ms", "1"}, {"segment.ms", "2"}}).responses[0].error_code,
              ErrorCode::invalid_request);
    EXPECT_EQ(replace("nowhere", {}).responses[0].error_code,
              ErrorCode::unknown_topic_or_partition);
    EXPECT_EQ(topic(), (metadata::Configs{{"segment.ms", "8"}}));
    replace("t", {});
    EXPECT_TRUE(topic().empty());
}

TEST_F(AlterConfigs, EmptyRequestsGetEmptyAnswers) {
    EXPECT_TRUE(incremental_alter_configs(cluster.state(), {}).response.responses.empty());
    EXPECT_TRUE(alter_configs(cluster.state(), {}).response.responses.empty());
}

}  // namespace
}  // namespace controller
