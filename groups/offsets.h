#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "groups/effects.h"
#include "groups/records.h"

namespace groups {

/// The committed positions of all groups of one coordinator. Pure. What is on its way to the log is
/// kept apart: it becomes visible when it is durable, in the order of the log.
class Offsets {
  public:
    /// A record on its way; no value: a tombstone.
    struct Change {
        OffsetKey key;
        std::optional<OffsetCommitValue> value;
    };

    /// Notes records as written by `id` but not durable yet.
    void start(WriteId id, std::vector<Change> changes);
    /// They are in the log (they count from now on), or certainly are not. Unknown ids: nothing.
    void finish(WriteId id, bool durable);
    /// A record read back from the log.
    void replay(const OffsetKey&, std::optional<OffsetCommitValue>);

    /// The last durable position, if any.
    const OffsetCommitValue* find(const OffsetKey&) const;
    /// Whether records of this position are on their way.
    bool in_flight(const OffsetKey& key) const { return in_flight_.contains(key); }
    /// Positions of a group that are durable or on their way.
    std::vector<OffsetKey> keys_of(const std::string& group) const;
    bool any_of(const std::string& group) const;
    /// Calls `visit` for each durable position of the group, by topic and partition.
    void each(const std::string& group,
              const std::function<void(const OffsetKey&, const OffsetCommitValue&)>& visit) const;
    /// Which positions a question is about.
    using Which = std::function<bool(const OffsetKey&, const OffsetCommitValue&)>;
    /// Positions of any group that are so whatever becomes of what is on its way: if a change of
    /// one may make it another, it is not among them.
    std::vector<OffsetKey> keys_where(const Which&) const;

    /// When a group's positions begin to age; positions for which `kept` holds don't.
    struct Expiry {
        /// Since the group became empty; none: since each commit.
        std::optional<base::TimestampMs> since;
        std::function<bool(const std::string& topic)> kept;
    };
    /// Durable positions that have outlived the retention. Those on their way to change have not.
    std::vector<OffsetKey> expired(const std::string& group, const Expiry&, base::TimestampMs now,
                                   int64_t retention_ms) const;

    const std::map<OffsetKey, OffsetCommitValue>& durable() const { return durable_; }
    size_t writes_in_flight() const { return writes_.size(); }

  private:
    std::map<OffsetKey, OffsetCommitValue> durable_;
    std::map<WriteId, std::vector<Change>> writes_;
    std::map<OffsetKey, size_t> in_flight_;  // changes of each key in writes_
};

}  // namespace groups
