#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/commands/topic_view.h"
#include "cli/kafka_client.h"
#include "cli/output.h"
#include "kafka/messages/create_partitions.h"
#include "kafka/messages/create_topics.h"
#include "kafka/messages/delete_topics.h"
#include "kafka/messages/incremental_alter_configs.h"

namespace cli {
namespace {

struct KeyValue {
    std::string key;
    std::string value;
};

base::Result<std::vector<KeyValue>> parse_pairs(const std::vector<std::string>& texts) {
    std::vector<KeyValue> out;
    for (const std::string& text : texts) {
        const size_t equals = text.find('=');
        if (equals == std::string::npos || equals == 0)
            return base::invalid("'" + text + "' is not KEY=VALUE");
        out.push_back({text.substr(0, equals), text.substr(equals + 1)});
    }
    return out;
}

void print_done(Format format, const std::vector<std::string>& names, const std::string& done) {
    if (format == Format::json) {
        print_json({{done, names}});
        return;
    }
    for (const std::string& name : names) std::printf("%s %s\n", done.c_str(), name.c_str());
}

struct Create {
    Common common;
    std::vector<std::string> names;
    int32_t partitions = -1;
    int16_t replication_factor = -1;
    std::vector<std::string> configs;
    bool if_not_exists = false;

    base::Status run() const {
        ASSIGN_OR_RETURN(const auto pairs, parse_pairs(configs));
        ASSIGN_OR_RETURN(KafkaClient client,
                         KafkaClient::connect(common.bootstrap, common.deadline()));
        for (const std::string& name : names)
            RETURN_IF_ERROR(client.retry([&] { return create(client, name, pairs); }));
        for (const std::string& name : names)
            RETURN_IF_ERROR(client.retry([&] { return wait_until_usable(client, name); }));
        print_done(common.format, names, "created");
        return base::ok();
    }

    /// Every partition has its leader, and the broker that is asked has heard of it.
    static base::Status wait_until_usable(KafkaClient& client, const std::string& name) {
        const base::Status status = client.topic(name).status();
        return absl::IsNotFound(status)
                   ? absl::AbortedError("'" + name + "' is created, but not known everywhere yet")
                   : status;
    }

    base::Status create(KafkaClient& client, const std::string& name,
                        const std::vector<KeyValue>& pairs) const {
        kafka::CreateTopicsRequest request;
        auto& topic = request.topics.emplace_back();
        topic.name = name;
        topic.num_partitions = partitions;
        topic.replication_factor = replication_factor;
        for (const KeyValue& pair : pairs) {
            auto& config = topic.configs.emplace_back();
            config.name = pair.key;
            config.value = pair.value;
        }
        request.timeout_ms = client.request_timeout_ms();
        ASSIGN_OR_RETURN(Connection * connection, client.controller());
        ASSIGN_OR_RETURN(const auto answer,
                         connection->call<kafka::CreateTopicsResponse>(request, client.deadline()));
        for (const auto& result : answer.topics) {
            if (result.error_code == kafka::ErrorCode::none) continue;
            if (result.error_code == kafka::ErrorCode::topic_already_exists && if_not_exists)
                continue;
            return failure(result.error_code, result.error_message,
                           "can't create the topic '" + name + "'");
        }
        return base::ok();
    }
};

struct Alter {
    Common common;
    std::string name;
    int32_t partitions = 0;
    std::vector<std::string> set;
    std::vector<std::string> unset;

    base::Status run() const {
        if (partitions == 0 && set.empty() && unset.empty())
            return base::invalid(
                "nothing to change\nGive --partitions, --set KEY=VALUE or --delete KEY.");
        ASSIGN_OR_RETURN(const auto pairs, parse_pairs(set));
        ASSIGN_OR_RETURN(KafkaClient client,
                         KafkaClient::connect(common.bootstrap, common.deadline()));
        // Asked first: configs can be set for names that no topic has yet.
        RETURN_IF_ERROR(client.topic(name).status());
        if (!pairs.empty() || !unset.empty())
            RETURN_IF_ERROR(client.retry([&] { return change_configs(client, pairs); }));
        if (partitions > 0) RETURN_IF_ERROR(client.retry([&] { return grow(client); }));
        print_done(common.format, {name}, "altered");
        return base::ok();
    }

    base::Status change_configs(KafkaClient& client, const std::vector<KeyValue>& pairs) const {
        kafka::IncrementalAlterConfigsRequest request;
        auto& resource = request.resources.emplace_back();
        constexpr int8_t topic = 2, set_operation = 0, delete_operation = 1;
        resource.resource_type = topic;
        resource.resource_name = name;
        for (const KeyValue& pair : pairs) {
            auto& config = resource.configs.emplace_back();
            config.name = pair.key;
            config.config_operation = set_operation;
            config.value = pair.value;
        }
        for (const std::string& key : unset) {
            auto& config = resource.configs.emplace_back();
            config.name = key;
            config.config_operation = delete_operation;
            config.value.reset();
        }
        ASSIGN_OR_RETURN(Connection * connection, client.controller());
        ASSIGN_OR_RETURN(
            const auto answer,
            connection->call<kafka::IncrementalAlterConfigsResponse>(request, client.deadline()));
        for (const auto& result : answer.responses)
            if (result.error_code != kafka::ErrorCode::none)
                return failure(result.error_code, result.error_message,
                               "can't change the configuration of '" + name + "'");
        return base::ok();
    }

    base::Status grow(KafkaClient& client) const {
        kafka::CreatePartitionsRequest request;
        auto& topic = request.topics.emplace_back();
        topic.name = name;
        topic.count = partitions;
        topic.assignments.reset();
        request.timeout_ms = client.request_timeout_ms();
        ASSIGN_OR_RETURN(Connection * connection, client.controller());
        ASSIGN_OR_RETURN(const auto answer, connection->call<kafka::CreatePartitionsResponse>(
                                                request, client.deadline()));
        for (const auto& result : answer.results)
            if (result.error_code != kafka::ErrorCode::none)
                return failure(result.error_code, result.error_message,
                               "can't change the number of partitions of '" + name + "'");
        return base::ok();
    }
};

struct Delete {
    Common common;
    std::vector<std::string> names;

    base::Status run() const {
        ASSIGN_OR_RETURN(KafkaClient client,
                         KafkaClient::connect(common.bootstrap, common.deadline()));
        for (const std::string& name : names) {
            RETURN_IF_ERROR(client.topic(name).status());
            RETURN_IF_ERROR(client.retry([&] { return remove(client, name); }));
        }
        print_done(common.format, names, "deleted");
        return base::ok();
    }

    static base::Status remove(KafkaClient& client, const std::string& name) {
        kafka::DeleteTopicsRequest request;
        request.topic_names.push_back(name);
        request.timeout_ms = client.request_timeout_ms();
        ASSIGN_OR_RETURN(Connection * connection, client.controller());
        constexpr kafka::Version by_name = 5;  // later versions go by id too
        ASSIGN_OR_RETURN(const auto answer, connection->call<kafka::DeleteTopicsResponse>(
                                                request, client.deadline(), by_name));
        for (const auto& result : answer.responses)
            if (result.error_code != kafka::ErrorCode::none)
                return failure(result.error_code, result.error_message,
                               "can't delete the topic '" + name + "'");
        return base::ok();
    }
};

void add_create(CLI::App& topic, Chosen& chosen) {
    auto [command, create] = add_command<Create>(topic, chosen, "create", "Create topics");
    add_common_options(*command, create->common);
    command->add_option("TOPIC", create->names, "Names")->required();
    command->add_option("-p,--partitions", create->partitions, "How many (default: the cluster's)")
        ->check(at_least(1));
    command
        ->add_option("-r,--replication-factor", create->replication_factor,
                     "Replicas of each partition (default: the cluster's)")
        ->check(at_least(1));
    command->add_option("-c,--config,--set", create->configs, "KEY=VALUE, any number of times")
        ->expected(1)
        ->take_all();
    command->add_flag("--if-not-exists", create->if_not_exists,
                      "Leave those that exist as they are");
}

}  // namespace

void add_topic(CLI::App& app, Chosen& chosen) {
    CLI::App* topic = app.add_subcommand("topic", "Create, show, change and delete topics");
    topic->require_subcommand(1);
    add_create(*topic, chosen);

    auto [list, list_options] = add_command<TopicList>(*topic, chosen, "list", "List topics");
    add_common_options(*list, list_options->common);
    list->add_flag("--internal", list_options->internal, "Also the cluster's own");

    auto [describe, describe_options] = add_command<TopicDescribe>(
        *topic, chosen, "describe", "Show a topic's partitions and configuration");
    add_common_options(*describe, describe_options->common);
    describe->add_option("TOPIC", describe_options->names, "Names")->required();

    auto [alter, alter_options] =
        add_command<Alter>(*topic, chosen, "alter", "Change configuration, add partitions");
    add_common_options(*alter, alter_options->common);
    alter->add_option("TOPIC", alter_options->name, "Name")->required();
    alter
        ->add_option("-p,--partitions", alter_options->partitions,
                     "The new number, larger than now")
        ->check(at_least(1));
    alter->add_option("-c,--set,--config", alter_options->set, "KEY=VALUE, any number of times")
        ->expected(1)
        ->take_all();
    alter
        ->add_option("--delete", alter_options->unset,
                     "KEY back to its default, any number of times")
        ->expected(1)
        ->take_all();

    auto [remove, remove_options] = add_command<Delete>(*topic, chosen, "delete", "Delete topics");
    add_common_options(*remove, remove_options->common);
    remove->add_option("TOPIC", remove_options->names, "Names")->required();
}

}  // namespace cli
