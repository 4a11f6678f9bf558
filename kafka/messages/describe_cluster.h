#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Shows the cluster's id, brokers and controller.
struct DescribeClusterRequest {
    static constexpr Api api = api_of(ApiKey::describe_cluster);

    bool include_cluster_authorized_operations = false;
    int8_t endpoint_type = 1;  // 1: brokers, 2: controllers
    bool include_fenced_brokers = false;

    static void fields(auto& m, auto& f) {
        f("include_cluster_authorized_operations", m.include_cluster_authorized_operations);
        f("endpoint_type", m.endpoint_type, since(1));
        f("include_fenced_brokers", m.include_fenced_brokers, since(2));
    }
    bool operator==(const DescribeClusterRequest&) const = default;
};

struct DescribeClusterResponse {
    static constexpr Api api = api_of(ApiKey::describe_cluster);

    struct DescribeClusterBroker {
        int32_t broker_id = 0;
        std::string host;
        int32_t port = 0;
        std::optional<std::string> rack;
        bool is_fenced = false;

        static void fields(auto& m, auto& f) {
            f("broker_id", m.broker_id);
            f("host", m.host);
            f("port", m.port);
            f("rack", m.rack);
            f("is_fenced", m.is_fenced, since(2));
        }
        bool operator==(const DescribeClusterBroker&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    int8_t endpoint_type = 1;  // 1: brokers, 2: controllers
    std::string cluster_id;
    int32_t controller_id = -1;
    std::vector<DescribeClusterBroker> brokers;
    // bits by operation; the minimum: not asked for
    int32_t cluster_authorized_operations = std::numeric_limits<int32_t>::min();

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("error_code", m.error_code);
        f("error_message", m.error_message);
        f("endpoint_type", m.endpoint_type, since(1));
        f("cluster_id", m.cluster_id);
        f("controller_id", m.controller_id);
        f("brokers", m.brokers);
        f("cluster_authorized_operations", m.cluster_authorized_operations);
    }
    bool operator==(const DescribeClusterResponse&) const = default;
};

}  // namespace kafka
