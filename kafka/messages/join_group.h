#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Enters a group of the classic protocol, or a rebalance of one. The answer waits for the other
/// members.
struct JoinGroupRequest {
    static constexpr Api api = api_of(ApiKey::join_group);

    struct JoinGroupRequestProtocol {
        std::string name;
        base::Bytes metadata;  // a consumer's subscription, opaque to the broker

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("metadata", m.metadata);
        }
        bool operator==(const JoinGroupRequestProtocol&) const = default;
    };

    std::string group_id;
    int32_t session_timeout_ms = 0;
    int32_t rebalance_timeout_ms = -1;             // -1: the session timeout
    std::string member_id;                         // empty: a new member
    std::optional<std::string> group_instance_id;  // of a static member; null: a dynamic one
    std::string protocol_type;
    std::vector<JoinGroupRequestProtocol> protocols;  // in order of preference
    std::optional<std::string> reason;                // for the coordinator's log

    static void fields(auto& m, auto& f) {
        f("group_id", m.group_id);
        f("session_timeout_ms", m.session_timeout_ms);
        f("rebalance_timeout_ms", m.rebalance_timeout_ms, since(1));
        f("member_id", m.member_id);
        f("group_instance_id", m.group_instance_id, since(5));
        f("protocol_type", m.protocol_type);
        f("protocols", m.protocols);
        f("reason", m.reason, since(8));
    }
    bool operator==(const JoinGroupRequest&) const = default;
};

/// Only the leader is told the members, so that it can assign partitions to them.
struct JoinGroupResponse {
    static constexpr Api api = api_of(ApiKey::join_group);

    struct JoinGroupResponseMember {
        std::string member_id;
        std::optional<std::string> group_instance_id;  // of a static member; null: a dynamic one
        base::Bytes metadata;  // what the member sent for the protocol chosen

        static void fields(auto& m, auto& f) {
            f("member_id", m.member_id);
            f("group_instance_id", m.group_instance_id, since(5));
            f("metadata", m.metadata);
        }
        bool operator==(const JoinGroupResponseMember&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    int32_t generation_id = -1;
    std::optional<std::string> protocol_type;
    std::optional<std::string> protocol_name = "";
    std::string leader;            // its member id
    bool skip_assignment = false;  // a returning static leader: nothing to assign
    std::string member_id;
    std::vector<JoinGroupResponseMember> members;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms, since(2));
        f("error_code", m.error_code);
        f("generation_id", m.generation_id);
        f("protocol_type", m.protocol_type, since(7));
        f("protocol_name", m.protocol_name, always.null_since(7));
        f("leader", m.leader);
        f("skip_assignment", m.skip_assignment, since(9));
        f("member_id", m.member_id);
        f("members", m.members);
    }
    bool operator==(const JoinGroupResponse&) const = default;
};

}  // namespace kafka
