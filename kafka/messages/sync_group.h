#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Brings the leader's assignments and waits for one's own.
struct SyncGroupRequest {
    static constexpr Api api = api_of(ApiKey::sync_group);

    struct SyncGroupRequestAssignment {
        std::string member_id;
        base::Bytes assignment;

        static void fields(auto& m, auto& f) {
            f("member_id", m.member_id);
            f("assignment", m.assignment);
        }
        bool operator==(const SyncGroupRequestAssignment&) const = default;
    };

    std::string group_id;
    int32_t generation_id = 0;
    std::string member_id;
    std::optional<std::string> group_instance_id;  // of a static member; null: a dynamic one
    std::optional<std::string> protocol_type;
    std::optional<std::string> protocol_name;
    std::vector<SyncGroupRequestAssignment> assignments;  // from the leader only

    static void fields(auto& m, auto& f) {
        f("group_id", m.group_id);
        f("generation_id", m.generation_id);
        f("member_id", m.member_id);
        f("group_instance_id", m.group_instance_id, since(3));
        f("protocol_type", m.protocol_type, since(5));
        f("protocol_name", m.protocol_name, since(5));
        f("assignments", m.assignments);
    }
    bool operator==(const SyncGroupRequest&) const = default;
};

struct SyncGroupResponse {
    static constexpr Api api = api_of(ApiKey::sync_group);

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> protocol_type;
    std::optional<std::string> protocol_name;
    base::Bytes assignment;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms, since(1));
        f("error_code", m.error_code);
        f("protocol_type", m.protocol_type, since(5));
        f("protocol_name", m.protocol_name, since(5));
        f("assignment", m.assignment);
    }
    bool operator==(const SyncGroupResponse&) const = default;
};

}  // namespace kafka
