#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Leaves a group: one member up to version 2, any number from version 3.
struct LeaveGroupRequest {
    static constexpr Api api = api_of(ApiKey::leave_group);

    struct MemberIdentity {
        std::string member_id;
        std::optional<std::string> group_instance_id;  // of a static member; null: a dynamic one
        std::optional<std::string> reason;             // for the coordinator's log

        static void fields(auto& m, auto& f) {
            f("member_id", m.member_id);
            f("group_instance_id", m.group_instance_id);
            f("reason", m.reason, since(5));
        }
        bool operator==(const MemberIdentity&) const = default;
    };

    std::string group_id;
    std::string member_id;
    std::vector<MemberIdentity> members;

    static void fields(auto& m, auto& f) {
        f("group_id", m.group_id);
        f("member_id", m.member_id, until(2));
        f("members", m.members, since(3));
    }
    bool operator==(const LeaveGroupRequest&) const = default;
};

struct LeaveGroupResponse {
    static constexpr Api api = api_of(ApiKey::leave_group);

    struct MemberResponse {
        std::string member_id;
        // of a static member; null: a dynamic one
        std::optional<std::string> group_instance_id = "";
        ErrorCode error_code = ErrorCode::none;

        static void fields(auto& m, auto& f) {
            f("member_id", m.member_id);
            f("group_instance_id", m.group_instance_id);
            f("error_code", m.error_code);
        }
        bool operator==(const MemberResponse&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    std::vector<MemberResponse> members;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms, since(1));
        f("error_code", m.error_code);
        f("members", m.members, since(3));
    }
    bool operator==(const LeaveGroupResponse&) const = default;
};

}  // namespace kafka
