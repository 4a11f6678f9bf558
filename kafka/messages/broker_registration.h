#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// A broker that starts makes itself known to the controller (KIP-631). It stays fenced until its
/// heartbeats say that it has caught up.
struct BrokerRegistrationRequest {
    static constexpr Api api = api_of(ApiKey::broker_registration);

    struct Listener {
        std::string name;
        std::string host;
        uint16_t port = 0;
        int16_t security_protocol = 0;  // 0: plaintext, 1: TLS, 2: SASL, 3: SASL over TLS

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("host", m.host);
            f("port", m.port);
            f("security_protocol", m.security_protocol);
        }
        bool operator==(const Listener&) const = default;
    };

    struct Feature {
        std::string name;
        int16_t min_supported_version =
            0;  // up to version 3 those with 0 are left out (KAFKA-17492)
        int16_t max_supported_version = 0;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("min_supported_version", m.min_supported_version);
            f("max_supported_version", m.max_supported_version);
        }
        bool operator==(const Feature&) const = default;
    };

    int32_t broker_id = 0;
    std::string cluster_id;
    base::Uuid incarnation_id;  // of the process: another one after each start
    std::vector<Listener> listeners;
    std::vector<Feature> features;
    std::optional<std::string> rack = "";
    bool is_migrating_zk_broker = false;
    std::vector<base::Uuid> log_dirs;    // those that work
    int64_t previous_broker_epoch = -1;  // kept by a clean shutdown (KIP-966); -1: none

    static void fields(auto& m, auto& f) {
        f("broker_id", m.broker_id);
        f("cluster_id", m.cluster_id);
        f("incarnation_id", m.incarnation_id);
        f("listeners", m.listeners);
        f("features", m.features);
        f("rack", m.rack);
        f("is_migrating_zk_broker", m.is_migrating_zk_broker, since(1));
        f("log_dirs", m.log_dirs, since(2));
        f("previous_broker_epoch", m.previous_broker_epoch, since(3));
    }
    bool operator==(const BrokerRegistrationRequest&) const = default;
};

struct BrokerRegistrationResponse {
    static constexpr Api api = api_of(ApiKey::broker_registration);

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    int64_t broker_epoch = -1;  // of this registration, for all that the broker asks; -1: refused

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("error_code", m.error_code);
        f("broker_epoch", m.broker_epoch);
    }
    bool operator==(const BrokerRegistrationResponse&) const = default;
};

}  // namespace kafka
