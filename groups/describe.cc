// A group as others see it: administrators, and the log.
#include <algorithm>

#include "groups/group.h"

namespace groups {

namespace {

/// What a member sent for the chosen protocol; empty if there is none.
base::Bytes metadata_for(const Member& member, const std::optional<std::string>& protocol) {
    for (const auto& p : member.protocols)
        if (p.name == protocol) return p.metadata;
    return {};
}

}  // namespace

kafka::DescribeGroupsResponse::DescribedGroup Group::describe() const {
    kafka::DescribeGroupsResponse::DescribedGroup group;
    group.group_id = id_;
    group.group_state = state_name();
    group.protocol_type = protocol_type_.value_or("");
    const bool settled = state_ == State::stable;
    if (settled) group.protocol_data = protocol_name_.value_or("");
    for (const auto& [id, m] : members_) {
        kafka::DescribeGroupsResponse::DescribedGroupMember member;
        member.member_id = id;
        member.group_instance_id = m.instance_id;
        member.client_id = m.client_id;
        member.client_host = m.client_host;
        if (settled) {
            member.member_metadata = metadata_for(m, protocol_name_);
            member.member_assignment = m.assignment;
        }
        group.members.push_back(std::move(member));
    }
    return group;
}

std::map<std::string, base::Bytes> Group::assignments() const {
    std::map<std::string, base::Bytes> all;
    for (const auto& [id, member] : members_) all.emplace(id, member.assignment);
    return all;
}

GroupMetadataValue Group::metadata(const std::map<std::string, base::Bytes>& assignments) const {
    GroupMetadataValue value;
    value.protocol_type = protocol_type_.value_or("");
    value.generation = generation_;
    value.protocol = protocol_name_;
    value.leader = leader_;
    value.current_state_timestamp = state_since_;
    for (const auto& [id, m] : members_) {
        GroupMetadataValue::Member member{.member_id = id,
                                          .group_instance_id = m.instance_id,
                                          .client_id = m.client_id,
                                          .client_host = m.client_host,
                                          .rebalance_timeout = m.rebalance_timeout_ms,
                                          .session_timeout = m.session_timeout_ms,
                                          .subscription = metadata_for(m, protocol_name_),
                                          .assignment = {}};
        if (const auto it = assignments.find(id); it != assignments.end())
            member.assignment = it->second;
        value.members.push_back(std::move(member));
    }
    return value;
}

}  // namespace groups
