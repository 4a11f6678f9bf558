#pragma once
#include <cstdint>
#include <optional>
#include <variant>

#include "controller/decision.h"
#include "controller/producer_ids.h"
#include "kafka/errors.h"

namespace controller {

/// A broker's process has started.
struct Registration {
    metadata::Broker broker;  // its epoch and state don't count
    /// The epoch that it had when it last stopped in an orderly way, with all that it had synced;
    /// -1 if it did not.
    int64_t previous_epoch = -1;
};

/// Registers it, fenced, under the epoch `index`, which must be the index of the log entry that the
/// records become. It leaves all ISRs; and unless it had stopped in an orderly way, and has all the
/// log directories that it had, all ELRs too, for it may have lost what it had acknowledged
/// (KIP-966). If it has none of them any more, it is no last known leader either, for it has
/// nothing at all of partitions that others may still have. The answer is the epoch, which the
/// broker tells with whatever it asks later. The process that is registered already (same
/// incarnation) keeps its epoch and its state: a retry changes nothing.
/// 42 if what it says of itself makes no sense; 101 if another process of this id is alive
/// (`session_alive`); 35 if it can't work with a feature at its finalized level.
kafka::Outcome<Decision<int64_t>> register_broker(const State&, Registration, int64_t index,
                                                  bool session_alive);

/// A broker does not serve any more: it leaves all ISRs, and others lead where they may. 77, 102.
kafka::Outcome<Decision<std::monostate>> fence_broker(const State&, base::BrokerId, int64_t epoch);

/// A broker is gone for good: as fenced, and no more known. 102.
kafka::Outcome<Decision<std::monostate>> unregister_broker(const State&, base::BrokerId);

/// A broker says that it lives, and what it wants.
struct Heartbeat {
    base::BrokerId broker = metadata::kNoBroker;
    int64_t epoch = -1;
    int64_t metadata_index = 0;  // as far as it follows the metadata log
    bool wants_fence = false;    // it is not ready, or its disks stall or have failed
    bool wants_shutdown = false;
};
struct HeartbeatAnswer {
    bool caught_up = false;  // with the whole metadata log
    bool fenced = true;
    /// Nothing depends on it any more; it was fenced.
    bool may_stop = false;
    /// It shuts down, and leads nothing more.
    bool leads_nothing = false;
    /// It shuts down, and there is more to move than one decision may: ask again at once.
    bool more_to_move = false;
};
/// What the table of sessions knows of a broker that shuts down.
struct Withdrawal {
    /// The index of the entry that took its last leadership, told when an answer first said
    /// `leads_nothing`.
    std::optional<int64_t> done;
    /// As far as every other active broker follows the metadata log.
    int64_t seen_by_all = 0;
};

/// Partitions that one heartbeat of a broker that shuts down moves at most.
constexpr size_t kMostMovedAtOnce = 1000;

/// Unfences it once it has followed the metadata to its own registration. Fences it if it wants to
/// be and is spared (see is_spared): where nobody could go on in its place, as in a cluster of one,
/// a disk that stalls is better than no leader. When it wants to shut down it gives up its
/// leaderships and leaves the ISRs, `most` at a time; it may stop when all others have seen that.
/// A shutdown that it doesn't ask for any more was called off: it may lead again. 77, 102.
kafka::Outcome<Decision<HeartbeatAnswer>> heartbeat(const State&, const Heartbeat&,
                                                    const Withdrawal&,
                                                    size_t most = kMostMovedAtOnce);

/// The next 1,000 producer ids for one broker. 77, 102 as above; -1 when they are used up.
kafka::Outcome<Decision<ProducerIdBlock>> allocate_producer_ids(const State&, base::BrokerId,
                                                                int64_t epoch);

/// Why this can't be the broker's epoch, or nothing: 77, 102.
std::optional<kafka::Error> stale_epoch(const State&, base::BrokerId, int64_t epoch);

}  // namespace controller
