#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "kafka/wire.h"

namespace kafka {

/// Hands out a producer id and epoch, and for a transactional id fences the producer before it.
struct InitProducerIdRequest {
    static constexpr Api api = api_of(ApiKey::init_producer_id);

    std::optional<std::string> transactional_id = "";  // null: not transactional
    int32_t transaction_timeout_ms = 0;
    int64_t producer_id = -1;     // the one to go on with; -1: a new one
    int16_t producer_epoch = -1;  // -1 with a new producer id

    static void fields(auto& m, auto& f) {
        f("transactional_id", m.transactional_id);
        f("transaction_timeout_ms", m.transaction_timeout_ms);
        f("producer_id", m.producer_id, since(3));
        f("producer_epoch", m.producer_epoch, since(3));
    }
    bool operator==(const InitProducerIdRequest&) const = default;
};

struct InitProducerIdResponse {
    static constexpr Api api = api_of(ApiKey::init_producer_id);

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    int64_t producer_id = -1;
    int16_t producer_epoch = 0;

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("error_code", m.error_code);
        f("producer_id", m.producer_id);
        f("producer_epoch", m.producer_epoch);
    }
    bool operator==(const InitProducerIdResponse&) const = default;
};

}  // namespace kafka
