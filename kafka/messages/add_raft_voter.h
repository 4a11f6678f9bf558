#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Makes an observer of the controllers' quorum a voter (KIP-853).
struct AddRaftVoterRequest {
    static constexpr Api api = api_of(ApiKey::add_raft_voter);

    struct Listener {
        std::string name;
        std::string host;
        uint16_t port = 0;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("host", m.host);
            f("port", m.port);
        }
        bool operator==(const Listener&) const = default;
    };

    std::optional<std::string> cluster_id = "";  // null: not checked
    int32_t timeout_ms = 0;
    int32_t voter_id = 0;
    base::Uuid voter_directory_id;  // tells a wiped disk from the one that voted
    std::vector<Listener> listeners;
    bool ack_when_committed = true;  // false: answered once the leader has written it

    static void fields(auto& m, auto& f) {
        f("cluster_id", m.cluster_id);
        f("timeout_ms", m.timeout_ms);
        f("voter_id", m.voter_id);
        f("voter_directory_id", m.voter_directory_id);
        f("listeners", m.listeners);
        f("ack_when_committed", m.ack_when_committed, since(1));
    }
    bool operator==(const AddRaftVoterRequest&) const = default;
};

struct AddRaftVoterResponse {
    static constexpr Api api = api_of(ApiKey::add_raft_voter);

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message = "";

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("error_code", m.error_code);
        f("error_message", m.error_message);
    }
    bool operator==(const AddRaftVoterResponse&) const = default;
};

}  // namespace kafka
