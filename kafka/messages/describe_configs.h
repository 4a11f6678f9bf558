#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Shows options with their values and where those come from.
struct DescribeConfigsRequest {
    static constexpr Api api = api_of(ApiKey::describe_configs);

    struct DescribeConfigsResource {
        // 2: topic, 4: broker, 8: broker logger, 16: client metrics, 32: group
        int8_t resource_type = 0;
        std::string resource_name;
        // null: all
        std::optional<std::vector<std::string>> configuration_keys = std::vector<std::string>{};

        static void fields(auto& m, auto& f) {
            f("resource_type", m.resource_type);
            f("resource_name", m.resource_name);
            f("configuration_keys", m.configuration_keys);
        }
        bool operator==(const DescribeConfigsResource&) const = default;
    };

    std::vector<DescribeConfigsResource> resources;
    bool include_synonyms = false;
    bool include_documentation = false;

    static void fields(auto& m, auto& f) {
        f("resources", m.resources);
        f("include_synonyms", m.include_synonyms);
        f("include_documentation", m.include_documentation, since(3));
    }
    bool operator==(const DescribeConfigsRequest&) const = default;
};

struct DescribeConfigsResponse {
    static constexpr Api api = api_of(ApiKey::describe_configs);

    struct DescribeConfigsSynonym {
        std::string name;
        std::optional<std::string> value = "";
        int8_t source = 0;  // as config_source

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("value", m.value);
            f("source", m.source);
        }
        bool operator==(const DescribeConfigsSynonym&) const = default;
    };

    struct DescribeConfigsResourceResult {
        std::string name;
        std::optional<std::string> value = "";
        bool read_only = false;  // only a restart with another configuration file changes it
        // 1: topic, 2: dynamic broker, 3: dynamic default, 4: static broker, 5: default, 8: group
        int8_t config_source = -1;
        bool is_sensitive = false;  // the value is not shown
        std::vector<DescribeConfigsSynonym> synonyms;
        // 1: boolean, 2: string, 3: int, 4: short, 5: long, 6: double, 7: list, 8: class, 9:
        // password
        int8_t config_type = 0;
        std::optional<std::string> documentation = "";

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("value", m.value);
            f("read_only", m.read_only);
            f("config_source", m.config_source);
            f("is_sensitive", m.is_sensitive);
            f("synonyms", m.synonyms);
            f("config_type", m.config_type, since(3));
            f("documentation", m.documentation, since(3));
        }
        bool operator==(const DescribeConfigsResourceResult&) const = default;
    };

    struct DescribeConfigsResult {
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string> error_message = "";
        // 2: topic, 4: broker, 8: broker logger, 16: client metrics, 32: group
        int8_t resource_type = 0;
        std::string resource_name;
        std::vector<DescribeConfigsResourceResult> configs;

        static void fields(auto& m, auto& f) {
            f("error_code", m.error_code);
            f("error_message", m.error_message);
            f("resource_type", m.resource_type);
            f("resource_name", m.resource_name);
            f("configs", m.configs);
        }
        bool operator==(const DescribeConfigsResult&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    std::vector<DescribeConfigsResult> results;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("results", m.results);
    }
    bool operator==(const DescribeConfigsResponse&) const = default;
};

}  // namespace kafka
