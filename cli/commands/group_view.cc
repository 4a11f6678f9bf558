#include "cli/commands/group_view.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/endian.h"
#include "cli/offsets.h"
#include "cli/output.h"
#include "kafka/messages/describe_groups.h"
#include "kafka/messages/list_groups.h"
#include "kafka/messages/offset_fetch.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;
using Group = kafka::DescribeGroupsResponse::DescribedGroup;
using Member = kafka::DescribeGroupsResponse::DescribedGroupMember;
using Place = std::pair<std::string, base::PartitionIndex>;

base::Result<Group> find_group(KafkaClient& client, const std::string& name) {
    kafka::DescribeGroupsRequest request;
    request.groups.push_back(name);
    ASSIGN_OR_RETURN(Connection * coordinator, client.coordinator(name));
    ASSIGN_OR_RETURN(auto answer,
                     coordinator->call<kafka::DescribeGroupsResponse>(request, client.deadline()));
    if (answer.groups.size() != 1)
        return base::internal("the coordinator did not answer for the group '" + name + "'");
    Group& group = answer.groups.front();
    const base::Status unknown =
        base::not_found("there is no group '" + name + "'\nTo see all: moldau group list");
    if (group.error_code == kafka::ErrorCode::group_id_not_found) return unknown;
    if (group.error_code != kafka::ErrorCode::none)
        return failure(group.error_code, group.error_message, "group '" + name + "'");
    // Up to version 5 a group that isn't there is answered as a dead one.
    if (group.group_state == "Dead") return unknown;
    return std::move(group);
}

base::Result<std::map<Place, base::Offset>> find_commits(KafkaClient& client,
                                                         const std::string& group) {
    kafka::OffsetFetchRequest request;
    request.group_id = group;
    request.topics.reset();
    ASSIGN_OR_RETURN(Connection * coordinator, client.coordinator(group));
    constexpr kafka::Version one_group = 7;  // later versions ask for many at once
    ASSIGN_OR_RETURN(const auto answer, coordinator->call<kafka::OffsetFetchResponse>(
                                            request, client.deadline(), one_group));
    const std::string what = "can't read what the group '" + group + "' has committed";
    if (answer.error_code != kafka::ErrorCode::none)
        return failure(answer.error_code, std::nullopt, what);
    std::map<Place, base::Offset> out;
    for (const auto& topic : answer.topics)
        for (const auto& p : topic.partitions) {
            if (p.error_code != kafka::ErrorCode::none)
                return failure(p.error_code, std::nullopt, what);
            if (p.committed_offset >= 0) out[{topic.name, p.partition_index}] = p.committed_offset;
        }
    return out;
}

/// The partitions of a consumer's assignment: version, then topics with their partitions. Nothing
/// if the bytes are of another protocol, or none.
/// https://github.com/apache/kafka: ConsumerProtocolAssignment.json
std::vector<Place> assigned(const Member& member) {
    base::View in = member.member_assignment;
    bool cut = false;
    const auto number = [&]<class I>(I) -> I {
        if (in.size() < sizeof(I)) {
            cut = true;
            return 0;
        }
        const I value = base::load_be<I>(in.data());
        in = in.subspan(sizeof(I));
        return value;
    };
    std::vector<Place> out;
    number(int16_t{});  // version
    for (int32_t topics = number(int32_t{}); topics > 0 && !cut; --topics) {
        const auto length = static_cast<size_t>(std::max<int16_t>(0, number(int16_t{})));
        if (length > in.size()) return {};
        const std::string name(base::as_text(in.first(length)));
        in = in.subspan(length);
        for (int32_t partitions = number(int32_t{}); partitions > 0 && !cut; --partitions)
            out.emplace_back(name, number(int32_t{}));
    }
    return cut ? std::vector<Place>{} : out;
}

/// The ends of all partitions of these topics; those of deleted topics are left out.
base::Result<std::map<Place, base::Offset>> find_ends(KafkaClient& client,
                                                      const std::set<std::string>& topics) {
    std::map<Place, base::Offset> out;
    for (const std::string& topic : topics) {
        const auto found = client.topic(topic);
        if (absl::IsNotFound(found.status())) continue;
        if (!found.ok()) return found.status();
        const auto ends =
            find_offsets(client, topic, all_partitions(*found), {Position::Kind::end});
        if (!ends.ok()) return ends.status();
        for (const auto& [partition, offset] : *ends) out[{topic, partition}] = offset;
    }
    return out;
}

struct Row {
    Place place;
    std::optional<base::Offset> committed;
    std::optional<base::Offset> end;
    std::string member;

    std::optional<int64_t> lag() const {
        return committed && end ? std::optional(*end - *committed) : std::nullopt;
    }
};

base::Result<std::vector<Row>> find_rows(KafkaClient& client, const Group& group) {
    ASSIGN_OR_RETURN(const auto commits,
                     client.retry([&] { return find_commits(client, group.group_id); }));
    std::map<Place, Row> rows;
    for (const auto& [place, offset] : commits) rows[place].committed = offset;
    for (const Member& member : group.members)
        for (const Place& place : assigned(member)) rows[place].member = member.member_id;
    std::set<std::string> topics;
    for (const auto& [place, row] : rows) topics.insert(place.first);
    ASSIGN_OR_RETURN(const auto ends, find_ends(client, topics));
    // Partitions of these topics that the group has not read yet are part of what lies before it.
    for (const auto& [place, end] : ends) rows[place].end = end;
    std::vector<Row> out;
    for (auto& [place, row] : rows) {
        row.place = place;
        out.push_back(row);
    }
    return out;
}

Json number_or_null(const std::optional<int64_t>& n) { return n ? Json(*n) : Json(); }
std::string number_or_dash(const std::optional<int64_t>& n) { return n ? std::to_string(*n) : "-"; }

Json group_json(const Group& group, const std::vector<Row>& rows, int64_t lag) {
    auto partitions = Json::array();
    for (const Row& row : rows)
        partitions.push_back({{"topic", row.place.first},
                              {"partition", row.place.second},
                              {"committed", number_or_null(row.committed)},
                              {"end", number_or_null(row.end)},
                              {"lag", number_or_null(row.lag())},
                              {"member", row.member.empty() ? Json() : Json(row.member)}});
    auto members = Json::array();
    for (const Member& m : group.members)
        members.push_back({{"member", m.member_id},
                           {"instance", m.group_instance_id ? Json(*m.group_instance_id) : Json()},
                           {"client", m.client_id},
                           {"host", m.client_host}});
    return {{"group", group.group_id},
            {"state", group.group_state},
            {"protocol", group.protocol_data},
            {"lag", lag},
            {"members", members},
            {"partitions", partitions}};
}

void print_group(const Group& group, const std::vector<Row>& rows, int64_t lag) {
    std::printf("%s  %s  members %zu  lag %lld\n", group.group_id.c_str(),
                group.group_state.c_str(), group.members.size(), static_cast<long long>(lag));
    Table table({"TOPIC", "P", "COMMITTED", "END", "LAG", "MEMBER"});
    for (const Row& row : rows)
        table.add({row.place.first, std::to_string(row.place.second), number_or_dash(row.committed),
                   number_or_dash(row.end), number_or_dash(row.lag()),
                   row.member.empty() ? "-" : row.member});
    table.print();
}

base::Result<std::vector<kafka::ListGroupsResponse::ListedGroup>> list_all(KafkaClient& client) {
    ASSIGN_OR_RETURN(const auto metadata, client.metadata(std::vector<std::string>{}));
    std::vector<kafka::ListGroupsResponse::ListedGroup> out;
    for (const auto& broker : metadata.brokers) {
        ASSIGN_OR_RETURN(Connection * connection, client.broker(broker.node_id));
        ASSIGN_OR_RETURN(auto answer, connection->call<kafka::ListGroupsResponse>(
                                          kafka::ListGroupsRequest{}, client.deadline()));
        if (answer.error_code != kafka::ErrorCode::none)
            return failure(answer.error_code, std::nullopt,
                           "can't list the groups of broker " + std::to_string(broker.node_id));
        for (auto& group : answer.groups) out.push_back(std::move(group));
    }
    std::sort(out.begin(), out.end(),
              [](const auto& a, const auto& b) { return a.group_id < b.group_id; });
    return out;
}

}  // namespace

base::Status GroupList::run() const {
    ASSIGN_OR_RETURN(KafkaClient client, KafkaClient::connect(common.bootstrap, common.deadline()));
    ASSIGN_OR_RETURN(const auto groups, client.retry([&] { return list_all(client); }));
    Table table({"GROUP", "STATE", "PROTOCOL"});
    auto json = Json::array();
    for (const auto& group : groups) {
        table.add({group.group_id, group.group_state.empty() ? "-" : group.group_state,
                   group.protocol_type.empty() ? "-" : group.protocol_type});
        json.push_back({{"group", group.group_id},
                        {"state", group.group_state},
                        {"protocol_type", group.protocol_type},
                        {"type", group.group_type}});
    }
    if (common.format == Format::json) print_json(json);
    else table.print();
    return base::ok();
}

base::Status GroupDescribe::run() const {
    ASSIGN_OR_RETURN(KafkaClient client, KafkaClient::connect(common.bootstrap, common.deadline()));
    auto all = Json::array();
    for (const std::string& group : groups) {
        if (common.format == Format::table && group != groups.front()) std::printf("\n");
        RETURN_IF_ERROR(describe(client, group, all));
    }
    if (common.format == Format::json) print_json(all);
    return base::ok();
}

base::Status GroupDescribe::describe(KafkaClient& client, const std::string& name,
                                     Json& all) const {
    ASSIGN_OR_RETURN(const Group group, client.retry([&] { return find_group(client, name); }));
    ASSIGN_OR_RETURN(const auto rows, find_rows(client, group));
    int64_t lag = 0;
    for (const Row& row : rows) lag += row.lag().value_or(0);
    if (common.format == Format::json) all.push_back(group_json(group, rows, lag));
    else print_group(group, rows, lag);
    return base::ok();
}

}  // namespace cli
