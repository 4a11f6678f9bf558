#include "groups/records.h"

#include "base/check.h"
#include "base/endian.h"
#include "kafka/codec.h"

namespace groups::format {

using kafka::Format;
using kafka::since;

struct OffsetKey {
    static constexpr Format format{{0, 1}};
    groups::OffsetKey value;

    static void fields(auto& m, auto& f) {
        f("group", m.value.group);
        f("topic", m.value.topic);
        f("partition", m.value.partition);
    }
};

struct OffsetValue {
    static constexpr Format format{{0, 4}, 4};
    OffsetCommitValue value;

    static void fields(auto& m, auto& f) {
        f("offset", m.value.offset);
        f("leader_epoch", m.value.leader_epoch, since(3));
        f("metadata", m.value.metadata);
        f("commit_timestamp", m.value.commit_timestamp);
        f("expire_timestamp", m.value.expire_timestamp, kafka::between(1, 1));
        f.tag(0, "topic_id", m.value.topic_id, since(4));
    }
};

struct GroupKey {
    static constexpr Format format{{2, 2}};
    groups::GroupKey value;

    static void fields(auto& m, auto& f) { f("group", m.value.group); }
};

struct Member {
    GroupMetadataValue::Member value;

    static void fields(auto& m, auto& f) {
        f("member_id", m.value.member_id);
        f("group_instance_id", m.value.group_instance_id, since(3));
        f("client_id", m.value.client_id);
        f("client_host", m.value.client_host);
        f("rebalance_timeout", m.value.rebalance_timeout, since(1));
        f("session_timeout", m.value.session_timeout);
        f("subscription", m.value.subscription);
        f("assignment", m.value.assignment);
    }
    bool operator==(const Member&) const = default;
};

struct GroupValue {
    static constexpr Format format{{0, 4}, 4};
    GroupMetadataValue value;  // its members are in `members`
    std::vector<Member> members;

    static void fields(auto& m, auto& f) {
        f("protocol_type", m.value.protocol_type);
        f("generation", m.value.generation);
        f("protocol", m.value.protocol);
        f("leader", m.value.leader);
        f("current_state_timestamp", m.value.current_state_timestamp, since(2));
        f("members", m.members);
    }
};

}  // namespace groups::format

namespace kafka {
MOLDAU_WIRE(groups::format::OffsetKey);
MOLDAU_WIRE(groups::format::OffsetValue);
MOLDAU_WIRE(groups::format::GroupKey);
MOLDAU_WIRE(groups::format::GroupValue);
}  // namespace kafka

namespace groups {

namespace {

constexpr kafka::Version offset_key_version = 1;
constexpr kafka::Version group_key_version = 2;
constexpr kafka::Version group_value_version = 3;

template <class T>
base::Bytes versioned(const T& message, kafka::Version version) {
    auto bytes = kafka::encode(message, version, sizeof(version)).bytes;
    base::store_be(bytes.data(), version);
    return bytes;
}

/// The version at the front, if there is one.
std::optional<kafka::Version> take_version(base::View& in) {
    if (in.size() < sizeof(kafka::Version)) return std::nullopt;
    const auto version = base::load_be<kafka::Version>(in.data());
    in = in.subspan(sizeof(version));
    return version;
}

template <class T>
base::Result<T> read_value(base::View in) {
    const auto version = take_version(in);
    if (!version) return base::invalid("a value without a version");
    if (!T::format.versions.has(*version))
        return base::invalid("a value of version " + std::to_string(*version));
    return kafka::decode<T>(in, *version);
}

/// Java's UTF-16 units of a UTF-8 text, one after the other.
void for_each_utf16(std::string_view text, auto&& unit) {
    for (size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        uint32_t point = size == 1 ? lead : lead & (0xffu >> (size + 1));
        for (size_t k = 1; k < size && i + k < text.size(); ++k)
            point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3fu);
        i += size;
        if (point < 0x10000) {
            unit(point);
        } else {
            unit(0xd800 + ((point - 0x10000) >> 10));
            unit(0xdc00 + ((point - 0x10000) & 0x3ff));
        }
    }
}

}  // namespace

Record to_record(const OffsetKey& key, const OffsetCommitValue& value) {
    const kafka::Version version = value.expire_timestamp >= 0 ? 1 : 4;
    return {versioned(format::OffsetKey{key}, offset_key_version),
            versioned(format::OffsetValue{value}, version)};
}

Record to_record(const std::string& group, const GroupMetadataValue& value) {
    format::GroupValue message{value, {}};
    for (auto& m : message.value.members) message.members.push_back({std::move(m)});
    return {versioned(format::GroupKey{{group}}, group_key_version),
            versioned(message, group_value_version)};
}

Record tombstone(const OffsetKey& key) {
    return {versioned(format::OffsetKey{key}, offset_key_version), std::nullopt};
}

Record tombstone(const std::string& group) {
    return {versioned(format::GroupKey{{group}}, group_key_version), std::nullopt};
}

base::Result<AnyRecord> parse(base::View key, std::optional<base::View> value) {
    const auto kind = take_version(key);
    if (!kind || *kind < 0) return base::invalid("a key without a version");
    if (*kind <= offset_key_version) {
        ASSIGN_OR_RETURN(auto offset_key, kafka::decode<format::OffsetKey>(key, *kind));
        OffsetRecord record{std::move(offset_key.value), {}};
        if (value) {
            ASSIGN_OR_RETURN(auto offset, read_value<format::OffsetValue>(*value));
            record.value = std::move(offset.value);
        }
        return record;
    }
    if (*kind == group_key_version) {
        ASSIGN_OR_RETURN(auto group_key, kafka::decode<format::GroupKey>(key, *kind));
        GroupRecord record{std::move(group_key.value), {}};
        if (value) {
            ASSIGN_OR_RETURN(auto group, read_value<format::GroupValue>(*value));
            for (auto& m : group.members) group.value.members.push_back(std::move(m.value));
            record.value = std::move(group.value);
        }
        return record;
    }
    return ForeignRecord{*kind};
}

std::optional<std::vector<std::string>> subscribed_topics(base::View in) {
    const auto version = take_version(in);
    if (!version || *version < 0 || in.size() < 4) return std::nullopt;
    const auto count = base::load_be<int32_t>(in.data());
    in = in.subspan(4);
    // Each name takes two bytes or more: no count beyond that is worth a reservation.
    if (count < 0 || static_cast<size_t>(count) > in.size() / 2) return std::nullopt;
    std::vector<std::string> topics;
    for (int32_t i = 0; i < count; ++i) {
        if (in.size() < 2) return std::nullopt;
        const auto size = base::load_be<int16_t>(in.data());
        in = in.subspan(2);
        if (size < 0 || static_cast<size_t>(size) > in.size()) return std::nullopt;
        topics.emplace_back(base::as_text(in.first(static_cast<size_t>(size))));
        in = in.subspan(static_cast<size_t>(size));
    }
    return topics;
}

int32_t coordinator_partition(std::string_view id, int32_t partitions) {
    CHECK(partitions > 0);
    uint32_t hash = 0;
    for_each_utf16(id, [&](uint32_t unit) { hash = 31 * hash + unit; });
    auto h = static_cast<int32_t>(hash);
    // Kafka's Utils.abs: the one integer without a positive twin counts as 0.
    if (h == std::numeric_limits<int32_t>::min()) h = 0;
    return (h < 0 ? -h : h) % partitions;
}

}  // namespace groups
