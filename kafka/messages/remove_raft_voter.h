#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "kafka/wire.h"

namespace kafka {

/// Takes a voter out of the controllers' quorum (KIP-853).
struct RemoveRaftVoterRequest {
    static constexpr Api api = api_of(ApiKey::remove_raft_voter);

    std::optional<std::string> cluster_id = "";  // null: not checked
    int32_t voter_id = 0;
    base::Uuid voter_directory_id;  // tells a wiped disk from the one that voted

    static void fields(auto& m, auto& f) {
        f("cluster_id", m.cluster_id);
        f("voter_id", m.voter_id);
        f("voter_directory_id", m.voter_directory_id);
    }
    bool operator==(const RemoveRaftVoterRequest&) const = default;
};

struct RemoveRaftVoterResponse {
    static constexpr Api api = api_of(ApiKey::remove_raft_voter);

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message = "";

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("error_code", m.error_code);
        f("error_message", m.error_message);
    }
    bool operator==(const RemoveRaftVoterResponse&) const = default;
};

}  // namespace kafka
