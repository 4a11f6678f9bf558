#pragma once
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ids.h"
#include "base/time.h"
#include "kafka/errors.h"

namespace broker {

/// A partition as a Fetch names it: by topic id from version 13, by name before.
struct FetchTarget {
    base::TopicId topic;
    std::string name;
    base::PartitionIndex index = 0;

    bool operator==(const FetchTarget&) const = default;
    template <class H>
    friend H AbslHashValue(H h, const FetchTarget& t) {
        return H::combine(std::move(h), t.topic, t.name, t.index);
    }
};

/// What a client wants of one partition, and what it was told last, so that an incremental answer
/// can leave out what has not changed (KIP-227).
struct FetchWant {
    FetchTarget target;
    base::Offset offset = 0;
    int32_t max_bytes = 0;
    base::LeaderEpoch current_epoch = -1;
    base::LeaderEpoch last_fetched_epoch = -1;

    base::Offset told_high_watermark = -1;
    base::Offset told_log_start = -1;
};

/// What is known of a partition when the answer is made.
struct FetchFound {
    kafka::ErrorCode error = kafka::ErrorCode::none;
    uint32_t bytes = 0;
    base::Offset high_watermark = -1;
    base::Offset log_start = -1;
    bool diverging = false;
    bool elsewhere = false;  // another replica is to be asked
};

/// The partitions that one client fetches over and over, in the order in which they are served:
/// what gave data goes to the end, so that no partition starves behind a busy one.
class FetchSession {
  public:
    using Wants = std::list<FetchWant>;

    FetchSession(int32_t id, bool by_id) : id_(id), by_id_(by_id) {}

    int32_t id() const { return id_; }
    bool by_id() const { return by_id_; }
    int32_t next_epoch() const { return next_epoch_; }
    const Wants& wants() const { return wants_; }
    bool empty() const { return wants_.empty(); }

    /// Adds the partition, or changes what is wanted of it.
    void want(FetchWant);
    void forget(const FetchTarget&);
    /// Whether the answer must name the partition; notes what the client is told.
    bool must_tell(const FetchTarget&, const FetchFound&);
    void advance_epoch() { next_epoch_ = next_epoch_ == INT32_MAX ? 1 : next_epoch_ + 1; }

  private:
    const int32_t id_;
    const bool by_id_;
    int32_t next_epoch_ = 1;
    Wants wants_;
    absl::flat_hash_map<FetchTarget, Wants::iterator> places_;
};

/// The sessions of one shard. Pure: time and randomness come in. A client that comes back on a
/// connection of another shard is told 70 and begins a new session.
class FetchSessions {
  public:
    /// A session that nobody used for this long may give way to a new one.
    static constexpr base::InstantMs evictable_after_ms = 120'000;

    explicit FetchSessions(size_t slots) : slots_(slots) {}

    /// The head of a Fetch: its session id and epoch.
    struct Head {
        int32_t id = 0;
        int32_t epoch = -1;
        bool by_id = false;
    };
    struct Opened {
        kafka::ErrorCode error = kafka::ErrorCode::none;  // 70, 71, 106: nothing else is answered
        std::shared_ptr<FetchSession> session;            // the incremental one that goes on
        bool create = false;                              // a full fetch that asks for a session
    };
    Opened open(const Head&, base::InstantMs now);
    /// A new session under an id drawn from `random`; nothing if all slots are in use.
    std::shared_ptr<FetchSession> create(bool by_id, uint64_t random, base::InstantMs now);
    /// Ends a session that has nothing left to fetch.
    void close(int32_t id);
    size_t size() const { return sessions_.size(); }

  private:
    struct Entry {
        std::shared_ptr<FetchSession> session;
        base::InstantMs used = 0;
    };

    bool make_room(base::InstantMs now);

    const size_t slots_;
    absl::flat_hash_map<int32_t, Entry> sessions_;
};

}  // namespace broker
