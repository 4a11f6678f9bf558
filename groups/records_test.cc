#include "groups/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "base/endian.h"

namespace groups {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Written by Kafka's own classes: tests/golden/generate/groups.
const std::map<std::string, base::Bytes>& golden() {
    static const auto all = [] {
        std::map<std::string, base::Bytes> map;
        std::ifstream in(MOLDAU_GOLDEN_GROUPS);
        for (std::string name, hex; in >> name >> hex;) {
            if (name.starts_with("partition_of:")) {
                in >> hex;
                continue;
            }
            base::Bytes bytes;
            for (size_t i = 0; i + 1 < hex.size(); i += 2)
                bytes.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
            map[name] = bytes;
        }
        return map;
    }();
    return all;
}

OffsetCommitValue offset_of(int version) {
    OffsetCommitValue v{
        .offset = 1234567890123, .metadata = "note", .commit_timestamp = 1700000000123};
    if (version >= 3) v.leader_epoch = 5;
    if (version == 1) v.expire_timestamp = 1700000600123;
    if (version == 4) v.topic_id = {0x0123456789abcdef, 0xfedcba9876543210};
    return v;
}

GroupMetadataValue group_of(int version) {
    auto bytes = [](std::initializer_list<int> list) {
        base::Bytes b;
        for (int i : list) b.push_back(static_cast<std::byte>(i));
        return b;
    };
    GroupMetadataValue v{.protocol_type = "consumer",
                         .generation = 7,
                         .protocol = "range",
                         .leader = "consumer-1-abc"};
    if (version >= 2) v.current_state_timestamp = 1700000000123;
    v.members.push_back({.member_id = "consumer-1-abc",
                         .client_id = "consumer-1",
                         .client_host = "/127.0.0.1",
                         .rebalance_timeout = version >= 1 ? 300000 : -1,
                         .session_timeout = 45000,
                         .subscription = bytes({0, 1, 2, 3}),
                         .assignment = bytes({9, 8})});
    v.members.push_back({.member_id = "consumer-2-def",
                         .client_id = "consumer-2",
                         .client_host = "/10.0.0.7",
                         .rebalance_timeout = version >= 1 ? 60000 : -1,
                         .session_timeout = 10000});
    if (version >= 3) v.members[1].group_instance_id = "static-é";
    return v;
}

TEST(GroupRecords, EveryVersionThatKafkaWroteIsRead) {
    for (int v = 0; v <= 4; ++v) {
        const auto n = "_v" + std::to_string(v);
        const auto offset = parse(golden().at("offset_key_v1"), golden().at("offset_value" + n));
        ASSERT_TRUE(offset.ok()) << offset.status();
        EXPECT_EQ(std::get<OffsetRecord>(*offset).key, (OffsetKey{"grüppe", "topic", 42}));
        EXPECT_EQ(std::get<OffsetRecord>(*offset).value, offset_of(v));
        const auto group = parse(golden().at("group_key_v2"), golden().at("group_value" + n));
        ASSERT_TRUE(group.ok()) << group.status();
        EXPECT_EQ(std::get<GroupRecord>(*group).key.group, "grüppe");
        EXPECT_EQ(std::get<GroupRecord>(*group).value, group_of(v));
    }
    const auto old = parse(golden().at("offset_key_v0"), std::nullopt);
    ASSERT_TRUE(old.ok());
    EXPECT_EQ(std::get<OffsetRecord>(*old).key, (OffsetKey{"group", "topic", 3}));
    EXPECT_FALSE(std::get<OffsetRecord>(*old).value.has_value());
}

TEST(GroupRecords, WhatIsWrittenIsByteForByteKafkas) {
    const OffsetKey key{"grüppe", "topic", 42};
    EXPECT_EQ(to_record(key, offset_of(4)),
              (Record{golden().at("offset_key_v1"), golden().at("offset_value_v4")}));
    EXPECT_EQ(to_record(key, offset_of(1)).value, golden().at("offset_value_v1"));
    EXPECT_EQ(to_record(key, {.offset = 1, .commit_timestamp = 2}).value,
              golden().at("offset_value_no_topic_id_v4"));
    EXPECT_EQ(to_record("grüppe", group_of(3)),
              (Record{golden().at("group_key_v2"), golden().at("group_value_v3")}));
    const GroupMetadataValue empty{
        .protocol_type = "consumer", .generation = 8, .current_state_timestamp = 1700000000124};
    EXPECT_EQ(to_record("g", empty).value, golden().at("group_value_empty_v3"));
    EXPECT_EQ(tombstone(key), (Record{golden().at("offset_key_v1"), std::nullopt}));
    EXPECT_EQ(tombstone("grüppe"), (Record{golden().at("group_key_v2"), std::nullopt}));
}

TEST(GroupRecords, BytesThatAreNoRecordAreRefused) {
    for (const auto& [name, bytes] : golden()) {
        if (!name.starts_with("group_value") && !name.starts_with("offset_value")) continue;
        const auto& key = golden().at(name.starts_with("group") ? "group_key_v2" : "offset_key_v1");
        for (size_t cut = 0; cut < bytes.size(); ++cut)
            EXPECT_FALSE(parse(key, base::View(bytes).first(cut)).ok())
                << name << " cut at " << cut;
        auto longer = bytes;
        longer.push_back({});
        EXPECT_FALSE(parse(key, longer).ok()) << name;
        auto newer = bytes;
        base::store_be<int16_t>(newer.data(), 5);
        EXPECT_THAT(parse(key, newer).status().message(), HasSubstr("version 5"));
    }
    EXPECT_FALSE(parse({}, std::nullopt).ok());
    EXPECT_FALSE(parse(base::as_bytes("\xff\xff"), std::nullopt).ok());
}

TEST(GroupRecords, KindsOfOtherGroupsAreToldApart) {
    const auto record = parse(base::as_bytes(std::string_view("\0\3rest", 6)), std::nullopt);
    ASSERT_TRUE(record.ok());
    EXPECT_EQ(std::get<ForeignRecord>(*record).kind, 3);
}

TEST(GroupRecords, SubscriptionsOfEveryVersionNameTheirTopics) {
    for (int v = 0; v <= 3; ++v) {
        const auto& bytes = golden().at("subscription_v" + std::to_string(v));
        const auto topics = subscribed_topics(bytes);
        ASSERT_TRUE(topics.has_value());
        EXPECT_THAT(*topics, ElementsAre("orders", "paÿments"));
        for (size_t cut = 0; cut < 2 + 4 + 2 + 6 + 2 + 9; ++cut)
            EXPECT_FALSE(subscribed_topics(base::View(bytes).first(cut)).has_value()) << cut;
    }
    EXPECT_FALSE(
        subscribed_topics(base::as_bytes(std::string_view("\0\0\x7f\xff\xff\xff", 6))).has_value());
}

TEST(GroupRecords, TheHashOfAGroupIsJavas) {
    EXPECT_EQ(coordinator_partition("", 50), 0);
    EXPECT_EQ(coordinator_partition("group", 50), 47);
    EXPECT_EQ(coordinator_partition("test_group", 50), 12);
    EXPECT_EQ(coordinator_partition("grüppe", 50), 12);
    EXPECT_EQ(coordinator_partition("𝄞-clef", 50), 25);
    EXPECT_EQ(coordinator_partition("polygenelubricants", 50), 0);  // hashes to the least integer
}

}  // namespace
}  // namespace groups
