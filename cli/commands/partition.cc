#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/kafka_client.h"
#include "cli/output.h"
#include "kafka/messages/alter_partition_reassignments.h"
#include "kafka/messages/elect_leaders.h"
#include "kafka/messages/list_partition_reassignments.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;

std::string name_of(const std::string& topic, int32_t partition) {
    return "partition " + std::to_string(partition) + " of '" + topic + "'";
}

struct Reassign {
    Common common;
    std::string topic;
    int32_t partition = 0;
    std::vector<int32_t> to;
    bool cancel = false;

    base::Status run() const {
        if (to.empty() != cancel) return base::invalid("give either --to or --cancel");
        ASSIGN_OR_RETURN(KafkaClient client,
                         KafkaClient::connect(common.bootstrap, common.deadline()));
        RETURN_IF_ERROR(client.retry([&] { return ask(client); }));
        if (common.format == Format::json)
            print_json(
                {{"topic", topic}, {"partition", partition}, {"to", cancel ? Json() : Json(to)}});
        else if (cancel) std::printf("%s stays where it is\n", name_of(topic, partition).c_str());
        else std::printf("%s goes to %s\n", name_of(topic, partition).c_str(), joined(to).c_str());
        return base::ok();
    }

    base::Status ask(KafkaClient& client) const {
        kafka::AlterPartitionReassignmentsRequest request;
        request.timeout_ms = client.request_timeout_ms();
        auto& of_topic = request.topics.emplace_back();
        of_topic.name = topic;
        auto& one = of_topic.partitions.emplace_back();
        one.partition_index = partition;
        if (!cancel) one.replicas = to;
        ASSIGN_OR_RETURN(Connection * connection, client.any());
        ASSIGN_OR_RETURN(const auto answer,
                         connection->call<kafka::AlterPartitionReassignmentsResponse>(
                             request, client.deadline()));
        const std::string what = "can't move " + name_of(topic, partition);
        if (answer.error_code != kafka::ErrorCode::none)
            return failure(answer.error_code, answer.error_message, what);
        for (const auto& t : answer.responses)
            for (const auto& p : t.partitions)
                if (p.error_code != kafka::ErrorCode::none)
                    return failure(p.error_code, p.error_message, what);
        return base::ok();
    }
};

struct Reassignments {
    Common common;

    base::Status run() const {
        ASSIGN_OR_RETURN(KafkaClient client,
                         KafkaClient::connect(common.bootstrap, common.deadline()));
        ASSIGN_OR_RETURN(const auto answer, client.retry([&] { return ask(client); }));
        Table table({"TOPIC", "P", "REPLICAS", "ADDING", "REMOVING"});
        auto json = Json::array();
        for (const auto& topic : answer.topics)
            for (const auto& p : topic.partitions) {
                table.add({topic.name, std::to_string(p.partition_index), joined(p.replicas),
                           joined(p.adding_replicas), joined(p.removing_replicas)});
                json.push_back({{"topic", topic.name},
                                {"partition", p.partition_index},
                                {"replicas", p.replicas},
                                {"adding", p.adding_replicas},
                                {"removing", p.removing_replicas}});
            }
        if (common.format == Format::json) print_json(json);
        else table.print();
        return base::ok();
    }

    static base::Result<kafka::ListPartitionReassignmentsResponse> ask(KafkaClient& client) {
        kafka::ListPartitionReassignmentsRequest request;
        request.timeout_ms = client.request_timeout_ms();
        request.topics.reset();
        ASSIGN_OR_RETURN(Connection * connection, client.any());
        ASSIGN_OR_RETURN(auto answer, connection->call<kafka::ListPartitionReassignmentsResponse>(
                                          request, client.deadline()));
        if (answer.error_code != kafka::ErrorCode::none)
            return failure(answer.error_code, answer.error_message, "can't list what moves");
        return answer;
    }
};

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

    auto [reassign, reassign_options] =
        add_command<Reassign>(*partition, chosen, "reassign", "Move a partition to other brokers");
    add_common_options(*reassign, reassign_options->common);
    reassign->add_option("TOPIC", reassign_options->topic, "Name")->required();
    reassign->add_option("PARTITION", reassign_options->partition, "Its number")
        ->required()
        ->check(at_least(0));
    reassign
        ->add_option("--to", reassign_options->to,
                     "Brokers, with commas between, the preferred leader first")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(at_least(0));
    reassign->add_flag("--cancel", reassign_options->cancel, "End a move that is under way");

    auto [list, list_options] = add_command<Reassignments>(*partition, chosen, "reassignments",
                                                           "List the moves that are under way");
    add_common_options(*list, list_options->common);

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
