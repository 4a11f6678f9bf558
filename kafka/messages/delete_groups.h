#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Deletes groups that have no members, with their positions.
struct DeleteGroupsRequest {
    static constexpr Api api = api_of(ApiKey::delete_groups);

    std::vector<std::string> groups_names;

    static void fields(auto& m, auto& f) { f("groups_names", m.groups_names); }
    bool operator==(const DeleteGroupsRequest&) const = default;
};

struct DeleteGroupsResponse {
    static constexpr Api api = api_of(ApiKey::delete_groups);

    struct DeletableGroupResult {
        std::string group_id;
        ErrorCode error_code = ErrorCode::none;

        static void fields(auto& m, auto& f) {
            f("group_id", m.group_id);
            f("error_code", m.error_code);
        }
        bool operator==(const DeletableGroupResult&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    std::vector<DeletableGroupResult> results;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("results", m.results);
    }
    bool operator==(const DeleteGroupsResponse&) const = default;
};

}  // namespace kafka
