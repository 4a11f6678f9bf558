#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "kafka/wire.h"

namespace kafka {

/// Keeps a member's session alive; the answer tells of a rebalance.
struct HeartbeatRequest {
    static constexpr Api api = api_of(ApiKey::heartbeat);

    std::string group_id;
    int32_t generation_id = 0;
    std::string member_id;
    std::optional<std::string> group_instance_id;  // of a static member; null: a dynamic one

    static void fields(auto& m, auto& f) {
        f("group_id", m.group_id);
        f("generation_id", m.generation_id);
        f("member_id", m.member_id);
        f("group_instance_id", m.group_instance_id, since(3));
    }
    bool operator==(const HeartbeatRequest&) const = default;
};

struct HeartbeatResponse {
    static constexpr Api api = api_of(ApiKey::heartbeat);

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms, since(1));
        f("error_code", m.error_code);
    }
    bool operator==(const HeartbeatResponse&) const = default;
};

}  // namespace kafka
