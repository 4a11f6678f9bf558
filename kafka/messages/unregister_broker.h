#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "kafka/wire.h"

namespace kafka {

/// Forgets a broker that will not come back (KIP-631).
struct UnregisterBrokerRequest {
    static constexpr Api api = api_of(ApiKey::unregister_broker);

    int32_t broker_id = 0;

    static void fields(auto& m, auto& f) { f("broker_id", m.broker_id); }
    bool operator==(const UnregisterBrokerRequest&) const = default;
};

struct UnregisterBrokerResponse {
    static constexpr Api api = api_of(ApiKey::unregister_broker);

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message = "";

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("error_code", m.error_code);
        f("error_message", m.error_message);
    }
    bool operator==(const UnregisterBrokerResponse&) const = default;
};

}  // namespace kafka
