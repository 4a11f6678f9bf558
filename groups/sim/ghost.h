#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "groups/groups.h"
#include "groups/records.h"

namespace groups::sim {

/// What the durable part of the log says, kept apart from the code under test, and the invariants
/// that tie the two together. Every check returns what is broken, or nothing.
class Ghost {
  public:
    using Broken = std::optional<std::string>;

    /// A record has become durable.
    Broken durable(const Record&);

    /// OffsetFetch gives the last durable commit, always.
    Broken check_offsets(const Groups&) const;
    /// A stable group with nothing on its way is what its last record says.
    Broken check_groups(const Groups&) const;
    /// After a failover: every group of the log is there, as the log has it, and no other.
    Broken check_loaded(const Groups&) const;

    /// Whether the commit of this unique position was ever durable.
    bool committed(const OffsetKey& key, int64_t offset) const {
        return commits_.contains({key, offset});
    }
    /// Whether the log ever gave the member these bytes in that generation.
    bool assigned(const std::string& group, int32_t generation, const std::string& member,
                  const base::Bytes& assignment) const;
    /// Whether the last record of the group has this member.
    bool member(const std::string& group, const std::string& member) const;
    size_t records() const { return records_; }

  private:
    Broken durable_group(const std::string& id, const GroupMetadataValue&);

    std::map<OffsetKey, OffsetCommitValue> offsets_;
    std::map<std::string, GroupMetadataValue> groups_;
    std::set<std::pair<OffsetKey, int64_t>> commits_;
    struct Life {  // from one tombstone of a group to the next
        int32_t generation = 0;
        std::map<std::pair<int32_t, std::string>, base::Bytes> assignments;
    };
    std::map<std::string, Life> lives_;
    size_t records_ = 0;
};

}  // namespace groups::sim
