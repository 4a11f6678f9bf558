#pragma once
#include <cstdint>
#include <span>

#include "controller/decision.h"
#include "kafka/messages/create_partitions.h"
#include "kafka/messages/create_topics.h"
#include "kafka/messages/delete_topics.h"

namespace controller {

/// Partitions that one request may create at most; beyond, 44.
constexpr size_t kMostPartitionsInOneRequest = 10'000;

/// Each topic on its own: 17 (name), 36 (exists), 37, 38, 39, 40 (config), 42 (twice in the
/// request, or counts beside an assignment by hand), 44 (too many partitions). `ids` has a fresh
/// topic id for each topic of the request; `start` is for placement.
Decision<kafka::CreateTopicsResponse> create_topics(const State&, const kafka::CreateTopicsRequest&,
                                                    std::span<const base::TopicId> ids,
                                                    uint64_t start);

/// By name (3 if unknown) or by id (100); 42 for neither, both, or twice; 73 if deletion is
/// disabled.
Decision<kafka::DeleteTopicsResponse> delete_topics(const State&,
                                                    const kafka::DeleteTopicsRequest&);

/// 3, 37 (not more than now), 38, 39, 42 (twice in the request), 44.
Decision<kafka::CreatePartitionsResponse> create_partitions(const State&,
                                                            const kafka::CreatePartitionsRequest&,
                                                            uint64_t start);

}  // namespace controller
