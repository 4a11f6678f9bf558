#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Replaces all options of a resource: those not listed fall back to their defaults.
struct AlterConfigsRequest {
    static constexpr Api api = api_of(ApiKey::alter_configs);

    struct AlterableConfig {
        std::string name;
        std::optional<std::string> value = "";

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("value", m.value);
        }
        bool operator==(const AlterableConfig&) const = default;
    };

    struct AlterConfigsResource {
        // 2: topic, 4: broker, 8: broker logger, 16: client metrics, 32: group
        int8_t resource_type = 0;
        std::string resource_name;
        std::vector<AlterableConfig> configs;

        static void fields(auto& m, auto& f) {
            f("resource_type", m.resource_type);
            f("resource_name", m.resource_name);
            f("configs", m.configs);
        }
        bool operator==(const AlterConfigsResource&) const = default;
    };

    std::vector<AlterConfigsResource> resources;
    bool validate_only = false;

    static void fields(auto& m, auto& f) {
        f("resources", m.resources);
        f("validate_only", m.validate_only);
    }
    bool operator==(const AlterConfigsRequest&) const = default;
};

struct AlterConfigsResponse {
    static constexpr Api api = api_of(ApiKey::alter_configs);

    struct AlterConfigsResourceResponse {
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string> error_message = "";
        // 2: topic, 4: broker, 8: broker logger, 16: client metrics, 32: group
        int8_t resource_type = 0;
        std::string resource_name;

        static void fields(auto& m, auto& f) {
            f("error_code", m.error_code);
            f("error_message", m.error_message);
            f("resource_type", m.resource_type);
            f("resource_name", m.resource_name);
        }
        bool operator==(const AlterConfigsResourceResponse&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    std::vector<AlterConfigsResourceResponse> responses;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("responses", m.responses);
    }
    bool operator==(const AlterConfigsResponse&) const = default;
};

}  // namespace kafka
