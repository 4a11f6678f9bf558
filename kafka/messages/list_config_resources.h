#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Lists the resources that have options of their own (up to version 0: client metrics only).
struct ListConfigResourcesRequest {
    static constexpr Api api = api_of(ApiKey::list_config_resources);

    std::vector<int8_t> resource_types;  // empty: all

    static void fields(auto& m, auto& f) { f("resource_types", m.resource_types, since(1)); }
    bool operator==(const ListConfigResourcesRequest&) const = default;
};

struct ListConfigResourcesResponse {
    static constexpr Api api = api_of(ApiKey::list_config_resources);

    struct ConfigResource {
        std::string resource_name;
        // 2: topic, 4: broker, 8: broker logger, 16: client metrics, 32: group
        int8_t resource_type = 16;

        static void fields(auto& m, auto& f) {
            f("resource_name", m.resource_name);
            f("resource_type", m.resource_type, since(1));
        }
        bool operator==(const ConfigResource&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    std::vector<ConfigResource> config_resources;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("error_code", m.error_code);
        f("config_resources", m.config_resources);
    }
    bool operator==(const ListConfigResourcesResponse&) const = default;
};

}  // namespace kafka
