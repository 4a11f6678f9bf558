#pragma once
#include <cstdint>
#include <vector>

#include "lab/history.h"

namespace lab::sim {

inline constexpr uint32_t partitions = 4;
inline constexpr uint32_t producers = 3;       // processes 0 to 2
inline constexpr uint32_t first_consumer = 3;  // in no group
inline constexpr uint32_t consumers = 2;
inline constexpr uint32_t first_member = 5;  // of group 1
inline constexpr uint32_t members = 3;
inline constexpr uint32_t last_reader = 8;
inline constexpr uint32_t nodes = 3;

/// The history of a run without any anomaly: some sends are refused, some are in doubt and of these
/// some are written, at once or late; the group is rebalanced now and then, and its commits are
/// sometimes in doubt; in the end all is read and replicas are equal.
std::vector<Event> fake_run(uint64_t seed);

}  // namespace lab::sim
