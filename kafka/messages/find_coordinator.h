#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Asks which broker coordinates a group or transactional id. Versions 4 and up ask for several
/// keys at once.
struct FindCoordinatorRequest {
    static constexpr Api api = api_of(ApiKey::find_coordinator);

    std::string key;
    int8_t key_type = 0;  // 0: group, 1: transactional id, 2: share group
    std::vector<std::string> coordinator_keys;

    static void fields(auto& m, auto& f) {
        f("key", m.key, until(3));
        f("key_type", m.key_type, since(1));
        f("coordinator_keys", m.coordinator_keys, since(4));
    }
    bool operator==(const FindCoordinatorRequest&) const = default;
};

struct FindCoordinatorResponse {
    static constexpr Api api = api_of(ApiKey::find_coordinator);

    struct Coordinator {
        std::string key;
        int32_t node_id = 0;
        std::string host;
        int32_t port = 0;
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string> error_message = "";

        static void fields(auto& m, auto& f) {
            f("key", m.key);
            f("node_id", m.node_id);
            f("host", m.host);
            f("port", m.port);
            f("error_code", m.error_code);
            f("error_message", m.error_message);
        }
        bool operator==(const Coordinator&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message = "";
    int32_t node_id = 0;
    std::string host;
    int32_t port = 0;
    std::vector<Coordinator> coordinators;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms, since(1));
        f("error_code", m.error_code, until(3));
        f("error_message", m.error_message, between(1, 3));
        f("node_id", m.node_id, until(3));
        f("host", m.host, until(3));
        f("port", m.port, until(3));
        f("coordinators", m.coordinators, since(4));
    }
    bool operator==(const FindCoordinatorResponse&) const = default;
};

}  // namespace kafka
