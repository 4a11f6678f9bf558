#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Asks which APIs and versions are served. The first request of most clients.
struct ApiVersionsRequest {
    static constexpr Api api = api_of(ApiKey::api_versions);

    std::string client_software_name;
    std::string client_software_version;

    static void fields(auto& m, auto& f) {
        f("client_software_name", m.client_software_name, since(3));
        f("client_software_version", m.client_software_version, since(3));
    }
    bool operator==(const ApiVersionsRequest&) const = default;
};

struct ApiVersionsResponse {
    static constexpr Api api = api_of(ApiKey::api_versions);

    struct ApiVersion {
        int16_t api_key = 0;
        int16_t min_version = 0;
        int16_t max_version = 0;

        static void fields(auto& m, auto& f) {
            f("api_key", m.api_key);
            f("min_version", m.min_version);
            f("max_version", m.max_version);
        }
        bool operator==(const ApiVersion&) const = default;
    };

    struct SupportedFeatureKey {
        std::string name;
        int16_t min_version = 0;
        int16_t max_version = 0;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("min_version", m.min_version);
            f("max_version", m.max_version);
        }
        bool operator==(const SupportedFeatureKey&) const = default;
    };

    struct FinalizedFeatureKey {
        std::string name;
        int16_t max_version_level = 0;
        int16_t min_version_level = 0;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("max_version_level", m.max_version_level);
            f("min_version_level", m.min_version_level);
        }
        bool operator==(const FinalizedFeatureKey&) const = default;
    };

    ErrorCode error_code = ErrorCode::none;
    std::vector<ApiVersion> api_keys;
    int32_t throttle_time_ms = 0;  // how long the client should pause
    std::vector<SupportedFeatureKey> supported_features;
    int64_t finalized_features_epoch = -1;  // -1: not known
    std::vector<FinalizedFeatureKey> finalized_features;
    bool zk_migration_ready = false;

    static void fields(auto& m, auto& f) {
        f("error_code", m.error_code);
        f("api_keys", m.api_keys);
        f("throttle_time_ms", m.throttle_time_ms, since(1));
        f.tag(0, "supported_features", m.supported_features, since(3));
        f.tag(1, "finalized_features_epoch", m.finalized_features_epoch, since(3), -1);
        f.tag(2, "finalized_features", m.finalized_features, since(3));
        f.tag(3, "zk_migration_ready", m.zk_migration_ready, since(3));
    }
    bool operator==(const ApiVersionsResponse&) const = default;
};

}  // namespace kafka
