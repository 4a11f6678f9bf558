#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Shows groups of the classic protocol.
struct DescribeGroupsRequest {
    static constexpr Api api = api_of(ApiKey::describe_groups);

    std::vector<std::string> groups;
    bool include_authorized_operations = false;

    static void fields(auto& m, auto& f) {
        f("groups", m.groups);
        f("include_authorized_operations", m.include_authorized_operations, since(3));
    }
    bool operator==(const DescribeGroupsRequest&) const = default;
};

struct DescribeGroupsResponse {
    static constexpr Api api = api_of(ApiKey::describe_groups);

    struct DescribedGroupMember {
        std::string member_id;
        std::optional<std::string> group_instance_id;  // of a static member; null: a dynamic one
        std::string client_id;
        std::string client_host;
        base::Bytes member_metadata;
        base::Bytes member_assignment;

        static void fields(auto& m, auto& f) {
            f("member_id", m.member_id);
            f("group_instance_id", m.group_instance_id, since(4));
            f("client_id", m.client_id);
            f("client_host", m.client_host);
            f("member_metadata", m.member_metadata);
            f("member_assignment", m.member_assignment);
        }
        bool operator==(const DescribedGroupMember&) const = default;
    };

    struct DescribedGroup {
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string> error_message;
        std::string group_id;
        std::string group_state;
        std::string protocol_type;
        std::string protocol_data;
        std::vector<DescribedGroupMember> members;
        // bits by operation; the minimum: not asked for
        int32_t authorized_operations = std::numeric_limits<int32_t>::min();

        static void fields(auto& m, auto& f) {
            f("error_code", m.error_code);
            f("error_message", m.error_message, since(6));
            f("group_id", m.group_id);
            f("group_state", m.group_state);
            f("protocol_type", m.protocol_type);
            f("protocol_data", m.protocol_data);
            f("members", m.members);
            f("authorized_operations", m.authorized_operations, since(3));
        }
        bool operator==(const DescribedGroup&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    std::vector<DescribedGroup> groups;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms, since(1));
        f("groups", m.groups);
    }
    bool operator==(const DescribeGroupsResponse&) const = default;
};

}  // namespace kafka
