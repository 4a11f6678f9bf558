#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Keeps a broker's session with the controller alive, and asks for the state that the broker wants
/// to be in (KIP-631).
struct BrokerHeartbeatRequest {
    static constexpr Api api = api_of(ApiKey::broker_heartbeat);

    int32_t broker_id = 0;
    int64_t broker_epoch = -1;
    int64_t current_metadata_offset = 0;  // how far it follows the metadata
    bool want_fence = false;
    bool want_shut_down = false;
    std::vector<base::Uuid> offline_log_dirs;  // those that failed (KIP-858)
    // those that take no new replicas (KIP-1066); null: not known yet
    std::optional<std::vector<base::Uuid>> cordoned_log_dirs;

    static void fields(auto& m, auto& f) {
        f("broker_id", m.broker_id);
        f("broker_epoch", m.broker_epoch);
        f("current_metadata_offset", m.current_metadata_offset);
        f("want_fence", m.want_fence);
        f("want_shut_down", m.want_shut_down);
        f.tag(0, "offline_log_dirs", m.offline_log_dirs, since(1));
        f.tag(1, "cordoned_log_dirs", m.cordoned_log_dirs, since(2));
    }
    bool operator==(const BrokerHeartbeatRequest&) const = default;
};

struct BrokerHeartbeatResponse {
    static constexpr Api api = api_of(ApiKey::broker_heartbeat);

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    bool is_caught_up = false;  // nearly, with the metadata
    bool is_fenced = true;
    bool should_shut_down = false;  // no partition is led by it any more

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("error_code", m.error_code);
        f("is_caught_up", m.is_caught_up);
        f("is_fenced", m.is_fenced);
        f("should_shut_down", m.should_shut_down);
    }
    bool operator==(const BrokerHeartbeatResponse&) const = default;
};

}  // namespace kafka
