#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Changes what the cluster may make use of (KIP-584). Up to version 1 each feature may fail on its
/// own; from version 2 on all change, or none does.
struct UpdateFeaturesRequest {
    static constexpr Api api = api_of(ApiKey::update_features);

    struct FeatureUpdateKey {
        std::string feature;
        int16_t max_version_level = 0;  // below 1: remove it
        bool allow_downgrade = false;
        int8_t upgrade_type = 1;  // 1: only up, 2: down if nothing is lost by it, 3: down anyway

        static void fields(auto& m, auto& f) {
            f("feature", m.feature);
            f("max_version_level", m.max_version_level);
            f("allow_downgrade", m.allow_downgrade, until(0));
            f("upgrade_type", m.upgrade_type, since(1));
        }
        bool operator==(const FeatureUpdateKey&) const = default;
    };

    int32_t timeout_ms = 60000;
    std::vector<FeatureUpdateKey> feature_updates;
    bool validate_only = false;

    static void fields(auto& m, auto& f) {
        f("timeout_ms", m.timeout_ms);
        f("feature_updates", m.feature_updates);
        f("validate_only", m.validate_only, since(1));
    }
    bool operator==(const UpdateFeaturesRequest&) const = default;
};

struct UpdateFeaturesResponse {
    static constexpr Api api = api_of(ApiKey::update_features);

    struct UpdatableFeatureResult {
        std::string feature;
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string> error_message = "";

        static void fields(auto& m, auto& f) {
            f("feature", m.feature);
            f("error_code", m.error_code);
            f("error_message", m.error_message);
        }
        bool operator==(const UpdatableFeatureResult&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message = "";
    std::vector<UpdatableFeatureResult> results;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("error_code", m.error_code);
        f("error_message", m.error_message);
        f("results", m.results, until(1));
    }
    bool operator==(const UpdateFeaturesResponse&) const = default;
};

}  // namespace kafka
