#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

/// Deletes topics: by name up to version 5, by name or id from version 6.
struct DeleteTopicsRequest {
    static constexpr Api api = api_of(ApiKey::delete_topics);

    struct DeleteTopicState {
        std::optional<std::string> name;
        base::Uuid topic_id;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("topic_id", m.topic_id);
        }
        bool operator==(const DeleteTopicState&) const = default;
    };

    std::vector<DeleteTopicState> topics;
    std::vector<std::string> topic_names;
    int32_t timeout_ms = 0;

    static void fields(auto& m, auto& f) {
        f("topics", m.topics, since(6));
        f("topic_names", m.topic_names, until(5));
        f("timeout_ms", m.timeout_ms);
    }
    bool operator==(const DeleteTopicsRequest&) const = default;
};

struct DeleteTopicsResponse {
    static constexpr Api api = api_of(ApiKey::delete_topics);

    struct DeletableTopicResult {
        std::optional<std::string> name = "";
        base::Uuid topic_id;
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string> error_message;

        static void fields(auto& m, auto& f) {
            f("name", m.name, always.null_since(6));
            f("topic_id", m.topic_id, since(6));
            f("error_code", m.error_code);
            f("error_message", m.error_message, since(5));
        }
        bool operator==(const DeletableTopicResult&) const = default;
    };

    int32_t throttle_time_ms = 0;  // how long the client should pause
    std::vector<DeletableTopicResult> responses;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("responses", m.responses);
    }
    bool operator==(const DeleteTopicsResponse&) const = default;
};

}  // namespace kafka
