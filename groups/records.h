// The records of __consumer_offsets, in Kafka's own formats: a 16-bit version (for keys, of what
// kind the record is), then the message.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "base/time.h"
#include "base/uuid.h"
#include "groups/effects.h"

namespace groups {

/// Key versions 0 and 1: a group's position in one partition.
struct OffsetKey {
    std::string group;
    std::string topic;
    int32_t partition = 0;

    auto operator<=>(const OffsetKey&) const = default;
};

struct OffsetCommitValue {
    int64_t offset = 0;
    int32_t leader_epoch = -1;
    std::string metadata;
    base::TimestampMs commit_timestamp = -1;
    base::TimestampMs expire_timestamp = -1;  // as the client asked; -1: by the broker's retention
    base::Uuid topic_id;                      // zero: not known

    bool operator==(const OffsetCommitValue&) const = default;
};

/// Key version 2: a group of the classic protocol.
struct GroupKey {
    std::string group;

    auto operator<=>(const GroupKey&) const = default;
};

struct GroupMetadataValue {
    struct Member {
        std::string member_id;
        std::optional<std::string> group_instance_id;
        std::string client_id;
        std::string client_host;
        int32_t rebalance_timeout = -1;
        int32_t session_timeout = 0;
        base::Bytes subscription;
        base::Bytes assignment;

        bool operator==(const Member&) const = default;
    };

    std::string protocol_type;
    int32_t generation = 0;
    std::optional<std::string> protocol;
    std::optional<std::string> leader;
    base::TimestampMs current_state_timestamp = -1;
    std::vector<Member> members;  // none: an empty group

    bool operator==(const GroupMetadataValue&) const = default;
};

/// What a record says. No value: a tombstone.
struct OffsetRecord {
    OffsetKey key;
    std::optional<OffsetCommitValue> value;
};
struct GroupRecord {
    GroupKey key;
    std::optional<GroupMetadataValue> value;
};
/// A kind that Kafka's other group types write (key versions 3 and up).
struct ForeignRecord {
    int16_t kind = 0;
};
using AnyRecord = std::variant<OffsetRecord, GroupRecord, ForeignRecord>;

/// As Kafka 4 writes them: key 1 with value 4 (1 where the client asked for a retention of its
/// own), key 2 with value 3.
Record to_record(const OffsetKey&, const OffsetCommitValue&);
Record to_record(const std::string& group, const GroupMetadataValue&);
Record tombstone(const OffsetKey&);
Record tombstone(const std::string& group);

/// Reads every version that Kafka reads. kInvalidArgument, with what is wrong, for anything else.
base::Result<AnyRecord> parse(base::View key, std::optional<base::View> value);

/// Topics that a consumer's subscription names (ConsumerProtocol), of any version; nothing if the
/// bytes are not a subscription.
std::optional<std::vector<std::string>> subscribed_topics(base::View subscription);

/// The partition of __consumer_offsets, of `partitions`, that holds a group or a transactional id:
/// the absolute value of Java's String.hashCode, modulo.
int32_t coordinator_partition(std::string_view id, int32_t partitions);

}  // namespace groups
