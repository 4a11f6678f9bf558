#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Lists the groups that this broker coordinates.
struct ListGroupsRequest {
    static constexpr Api api = api_of(ApiKey::list_groups);

    std::vector<std::string> states_filter;  // empty: all
    std::vector<std::string> types_filter;   // empty: all

    static void fields(auto& m, auto& f) {
        f("states_filter", m.states_filter, since(4));
        f("types_filter", m.types_filter, since(5));
    }
    bool operator==(const ListGroupsRequest&) const = default;
};

struct ListGroupsResponse {
    static constexpr Api api = api_of(ApiKey::list_groups);

    struct ListedGroup {
        std::string group_id;
        std::string protocol_type;
        std::string group_state;
        std::string group_type;

        static void fields(auto& m, auto& f) {
            f("group_id", m.group_id);
            f("protocol_type", m.protocol_type);
            f("group_state", m.group_state, since(4));
            f("group_type", m.group_type, since(5));
        }
        bool operator==(const ListedGroup&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    std::vector<ListedGroup> groups;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms, since(1));
        f("error_code", m.error_code);
        f("groups", m.groups);
    }
    bool operator==(const ListGroupsResponse&) const = default;
};

}  // namespace kafka
