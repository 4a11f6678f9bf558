#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/commands/group_view.h"
#include "cli/kafka_client.h"
#include "cli/offsets.h"
#include "cli/output.h"
#include "kafka/messages/delete_groups.h"
#include "kafka/messages/offset_commit.h"

namespace cli {
namespace {

struct GroupDelete {
    Common common;
    std::vector<std::string> groups;

    base::Status run() const {
        ASSIGN_OR_RETURN(KafkaClient client,
                         KafkaClient::connect(common.bootstrap, common.deadline()));
        for (const std::string& group : groups)
            RETURN_IF_ERROR(client.retry([&] { return remove(client, group); }));
        if (common.format == Format::json) print_json({{"deleted", groups}});
        else
            for (const std::string& group : groups) std::printf("deleted %s\n", group.c_str());
        return base::ok();
    }

    static base::Status remove(KafkaClient& client, const std::string& group) {
        kafka::DeleteGroupsRequest request;
        request.groups_names.push_back(group);
        ASSIGN_OR_RETURN(Connection * coordinator, client.coordinator(group));
        ASSIGN_OR_RETURN(const auto answer, coordinator->call<kafka::DeleteGroupsResponse>(
                                                request, client.deadline()));
        for (const auto& result : answer.results) {
            if (result.error_code == kafka::ErrorCode::none) continue;
            const base::Status why =
                failure(result.error_code, std::nullopt, "can't delete the group '" + group + "'");
            if (result.error_code == kafka::ErrorCode::non_empty_group)
                return base::precondition(base::message(why) + "\nStop its consumers first.");
            if (result.error_code == kafka::ErrorCode::group_id_not_found)
                return base::not_found(base::message(why) + "\nTo see all: moldau group list");
            return why;
        }
        return base::ok();
    }
};

struct GroupSeek {
    Common common;
    std::string group;
    std::string topic;
    std::vector<int32_t> partitions;
    std::string to;

    base::Status run() const {
        ASSIGN_OR_RETURN(const Position position, Position::parse(to));
        ASSIGN_OR_RETURN(KafkaClient client,
                         KafkaClient::connect(common.bootstrap, common.deadline()));
        ASSIGN_OR_RETURN(const Topic found, client.topic(topic));
        const auto which = partitions.empty() ? all_partitions(found) : partitions;
        for (const base::PartitionIndex p : which)
            if (p < 0 || static_cast<size_t>(p) >= found.partitions.size())
                return base::not_found("topic '" + topic + "' has no partition " +
                                       std::to_string(p));
        ASSIGN_OR_RETURN(const PartitionOffsets offsets,
                         find_offsets(client, topic, which, position));
        RETURN_IF_ERROR(client.retry([&] { return commit(client, offsets); }));
        print(offsets);
        return base::ok();
    }

    base::Status commit(KafkaClient& client, const PartitionOffsets& offsets) const {
        kafka::OffsetCommitRequest request;
        request.group_id = group;
        auto& of_topic = request.topics.emplace_back();
        of_topic.name = topic;
        for (const auto& [partition, offset] : offsets) {
            auto& one = of_topic.partitions.emplace_back();
            one.partition_index = partition;
            one.committed_offset = offset;
        }
        ASSIGN_OR_RETURN(Connection * coordinator, client.coordinator(group));
        constexpr kafka::Version by_name = 9;  // later versions go by topic id
        ASSIGN_OR_RETURN(const auto answer, coordinator->call<kafka::OffsetCommitResponse>(
                                                request, client.deadline(), by_name));
        for (const auto& found : answer.topics)
            for (const auto& p : found.partitions) {
                if (p.error_code == kafka::ErrorCode::none) continue;
                const base::Status why =
                    failure(p.error_code, std::nullopt, "can't move the group '" + group + "'");
                // What a coordinator answers to a commit from outside a group that has members.
                if (p.error_code == kafka::ErrorCode::unknown_member_id ||
                    p.error_code == kafka::ErrorCode::illegal_generation)
                    return base::precondition(base::message(why) +
                                              "\nIt has members: stop its consumers first.");
                return why;
            }
        return base::ok();
    }

    void print(const PartitionOffsets& offsets) const {
        Table table({"TOPIC", "P", "OFFSET"});
        auto json = nlohmann::ordered_json::array();
        for (const auto& [partition, offset] : offsets) {
            table.add({topic, std::to_string(partition), std::to_string(offset)});
            json.push_back({{"topic", topic}, {"partition", partition}, {"offset", offset}});
        }
        if (common.format == Format::json) print_json(json);
        else table.print();
    }
};

}  // namespace

void add_group(CLI::App& app, Chosen& chosen) {
    CLI::App* group = app.add_subcommand("group", "Show, move and delete consumer groups");
    group->require_subcommand(1);

    auto [list, list_options] = add_command<GroupList>(*group, chosen, "list", "List groups");
    add_common_options(*list, list_options->common);

    auto [describe, describe_options] = add_command<GroupDescribe>(
        *group, chosen, "describe", "Show a group's members and how far behind it is");
    add_common_options(*describe, describe_options->common);
    describe->add_option("GROUP", describe_options->groups, "Names")->required();

    auto [remove, remove_options] = add_command<GroupDelete>(
        *group, chosen, "delete", "Delete groups without members, and what they have committed");
    add_common_options(*remove, remove_options->common);
    remove->add_option("GROUP", remove_options->groups, "Names")->required();

    auto [seek, seek_options] = add_command<GroupSeek>(
        *group, chosen, "seek", "Set where a group without members goes on to read a topic");
    add_common_options(*seek, seek_options->common);
    seek->add_option("GROUP", seek_options->group, "Name")->required();
    seek->add_option("TOPIC", seek_options->topic, "Name")->required();
    seek->add_option("--to", seek_options->to, "beginning, end, OFFSET or @MILLISECONDS")
        ->required();
    seek->add_option("-p,--partition", seek_options->partitions,
                     "Only this one, any number of times (default: all)")
        ->check(at_least(0))
        ->expected(1)
        ->take_all();
}

}  // namespace cli
