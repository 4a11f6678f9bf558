#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/commands/partition_moves.h"
#include "cli/kafka_client.h"
#include "cli/output.h"
#include "kafka/messages/elect_leaders.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;

std::string name_of(const std::string& topic, int32_t partition) {
    return "partition " + std::to_string(partition) + " of '" + topic + "'";
}

struct Elect {
    Common common;
    std::string topic;
    std::vector<int32_t> partitions;
    bool unclean = false;

    base::Status run() const {
        if (topic.empty() && !partitions.empty())
            return base::invalid("--partition is of a topic\nName it.");
        if (topic.empty() && unclean)
            return base::invalid(
                "--unclean may lose records\nName the topic whose leaders are to be chosen so.");
        ASSIGN_OR_RETURN(KafkaClient client,
                         KafkaClient::connect(common.bootstrap, common.deadline()));
        ASSIGN_OR_RETURN(const auto which, wanted(client));
        ASSIGN_OR_RETURN(const auto elected, client.retry([&] { return ask(client, which); }));
        if (common.format == Format::json) print_json(elected);
        else if (elected.empty()) std::printf("every leader is the right one already\n");
        for (const Json& one : elected)
            if (common.format == Format::table)
                std::printf("elected a leader of %s\n",
                            name_of(one["topic"], one["partition"]).c_str());
        return base::ok();
    }

    using Wanted = decltype(kafka::ElectLeadersRequest::topic_partitions);

    base::Result<Wanted> wanted(KafkaClient& client) const {
        if (topic.empty()) return Wanted{};
        Wanted out(std::in_place);
        auto& of_topic = out->emplace_back();
        of_topic.topic = topic;
        of_topic.partitions = partitions;
        if (!partitions.empty()) return out;
        ASSIGN_OR_RETURN(const auto answer,
                         client.retry([&] { return client.metadata(std::vector{topic}); }));
        for (const auto& t : answer.topics)
            for (const auto& p : t.partitions) of_topic.partitions.push_back(p.partition_index);
        if (of_topic.partitions.empty())
            return base::not_found("there is no topic '" + topic +
                                   "'\nTo see all: moldau topic list");
        return out;
    }

    /// The partitions whose leader was elected.
    base::Result<Json> ask(KafkaClient& client, const Wanted& which) const {
        constexpr int8_t unclean_type = 1;
        kafka::ElectLeadersRequest request;
        request.election_type = unclean ? unclean_type : int8_t{0};
        request.topic_partitions = which;
        request.timeout_ms = client.request_timeout_ms();
        ASSIGN_OR_RETURN(Connection * connection, client.any());
        ASSIGN_OR_RETURN(const auto answer,
                         connection->call<kafka::ElectLeadersResponse>(request, client.deadline()));
        if (answer.error_code != kafka::ErrorCode::none)
            return failure(answer.error_code, std::nullopt, "can't elect leaders");
        auto out = Json::array();
        for (const auto& t : answer.replica_election_results)
            for (const auto& p : t.partition_result) {
                if (p.error_code == kafka::ErrorCode::election_not_needed) continue;
                if (p.error_code != kafka::ErrorCode::none)
                    return failure(p.error_code, p.error_message,
                                   "can't elect a leader of " + name_of(t.topic, p.partition_id));
                out.push_back({{"topic", t.topic}, {"partition", p.partition_id}});
            }
        return out;
    }
};

}  // namespace

void add_partition(CLI::App& app, Chosen& chosen) {
    CLI::App* partition =
        app.add_subcommand("partition", "Move partitions and elect their leaders");
    partition->require_subcommand(1);

    add_partition_moves(*partition, chosen);
    auto [elect, elect_options] = add_command<Elect>(
        *partition, chosen, "elect", "Give leadership back to the preferred replicas");
    add_common_options(*elect, elect_options->common);
    elect->add_option("TOPIC", elect_options->topic, "Name (default: every topic)");
    elect
        ->add_option("-p,--partition", elect_options->partitions,
                     "Only this one, any number of times (default: all)")
        ->check(at_least(0))
        ->expected(1)
        ->take_all();
    elect->add_flag("--unclean", elect_options->unclean,
                    "Elect from replicas that lack records where no other is there; what they "
                    "lack is lost");
}

}  // namespace cli
