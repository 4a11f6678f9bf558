#pragma once
#include <cstdint>
#include <variant>

#include "controller/decision.h"
#include "controller/producer_ids.h"
#include "kafka/errors.h"

namespace controller {

/// A broker's process has started. It is registered fenced, under the epoch `index`, which must be
/// the index of the log entry that the records become; what it led before has no leader until it is
/// unfenced. The answer is the epoch, which the broker tells with whatever it asks later.
/// 101 if another process of this id is alive: not fenced, with another incarnation, and the caller
/// knows its session to last (`session_alive`).
kafka::Outcome<Decision<int64_t>> register_broker(const State&, metadata::Broker broker,
                                                  int64_t index, bool session_alive);

/// A broker has caught up with the metadata and may serve. It is elected where nobody leads and it
/// may. 77 if the epoch is not the one of its registration; 102 if it is not registered.
kafka::Outcome<Decision<std::monostate>> unfence_broker(const State&, base::BrokerId,
                                                        int64_t epoch);

/// The next 1,000 producer ids for one broker. 77, 102 as above; -1 when they are used up.
kafka::Outcome<Decision<ProducerIdBlock>> allocate_producer_ids(const State&, base::BrokerId,
                                                                int64_t epoch);

}  // namespace controller
