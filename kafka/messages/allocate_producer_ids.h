#pragma once
#include <cstdint>

#include "kafka/wire.h"

namespace kafka {

/// A broker gets producer ids from the controller, to give away one by one (KIP-730).
struct AllocateProducerIdsRequest {
    static constexpr Api api = api_of(ApiKey::allocate_producer_ids);

    int32_t broker_id = 0;
    int64_t broker_epoch = -1;

    static void fields(auto& m, auto& f) {
        f("broker_id", m.broker_id);
        f("broker_epoch", m.broker_epoch);
    }
    bool operator==(const AllocateProducerIdsRequest&) const = default;
};

struct AllocateProducerIdsResponse {
    static constexpr Api api = api_of(ApiKey::allocate_producer_ids);

    int32_t throttle_time_ms = 0;  // how long the client should pause
    ErrorCode error_code = ErrorCode::none;
    int64_t producer_id_start = 0;  // the first of the block
    int32_t producer_id_len = 0;    // ids in the block

    static void fields(auto& m, auto& f) {
        f("throttle_time_ms", m.throttle_time_ms);
        f("error_code", m.error_code);
        f("producer_id_start", m.producer_id_start);
        f("producer_id_len", m.producer_id_len);
    }
    bool operator==(const AllocateProducerIdsResponse&) const = default;
};

}  // namespace kafka
