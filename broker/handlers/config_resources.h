#pragma once
#include <cstdint>

namespace broker::handlers {

/// What configs belong to, as the wire numbers it.
namespace resource {
inline constexpr int8_t topic = 2;
inline constexpr int8_t broker = 4;
inline constexpr int8_t broker_logger = 8;
inline constexpr int8_t client_metrics = 16;
inline constexpr int8_t group = 32;
}  // namespace resource

}  // namespace broker::handlers
