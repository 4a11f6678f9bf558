#include "groups/group_fixture.h"

namespace groups {
namespace {

TEST_F(GroupTest, CommitsAreTakenFromTheCurrentGenerationOnly) {
    EXPECT_EQ(commit_error(commit("m", 1)), ErrorCode::group_id_not_found);
    EXPECT_EQ(commit_error(commit("m", 1, 8)), ErrorCode::illegal_generation);
    const auto ids = stable({{.version = 3}});
    EXPECT_EQ(commit_error(commit(ids[0], 0)), ErrorCode::illegal_generation);
    EXPECT_EQ(commit_error(commit("who", 1)), ErrorCode::unknown_member_id);
    EXPECT_EQ(commit_error(commit("", -1)), ErrorCode::unknown_member_id);
    EXPECT_EQ(commit_error(commit(ids[0], 1, 9, std::string(4'097, 'x'))),
              ErrorCode::offset_metadata_too_large);
    const auto taken = commit(ids[0], 1);
    EXPECT_FALSE(answered(taken));
    EXPECT_EQ(groups.offsets().find({"g", "t", 0}), nullptr);
    persist();
    EXPECT_EQ(commit_error(taken), ErrorCode::none);
    EXPECT_EQ(groups.offsets().find({"g", "t", 0})->offset, 5);
    const auto failed = commit(ids[0], 1);
    persist(ErrorCode::not_enough_replicas);
    EXPECT_EQ(commit_error(failed), ErrorCode::coordinator_not_available);
    const auto again = join({.member = ids[0]});
    EXPECT_EQ(joined(again).generation_id, 2);
    EXPECT_EQ(commit_error(commit(ids[0], 2)), ErrorCode::rebalance_in_progress);
}

TEST_F(GroupTest, ACommitKeepsTheSessionAlive) {
    const auto ids = stable({{.version = 3}});
    for (int i = 0; i < 5; ++i) {
        pass(6'000);
        commit(ids[0], 1);
        persist();
    }
    EXPECT_EQ(group().state(), State::stable);
}

TEST_F(GroupTest, PositionsOfASubscribedTopicAreKeptAndOthersMayBeDeleted) {
    const auto subscription = std::string("\0\0\0\0\0\1\0\1t\0\0\0\0", 13);
    const auto ids = stable({{.version = 3, .metadata = subscription}});
    commit(ids[0], 1);
    persist();
    kafka::OffsetDeleteRequest request;
    request.group_id = "g";
    request.topics.push_back({.name = "t", .partitions = {{.partition_index = 0}}});
    request.topics.push_back({.name = "u", .partitions = {{.partition_index = 0}}});
    take(groups.delete_offsets(now(), request, ++last));
    auto& response = answer<kafka::OffsetDeleteResponse>(last);
    EXPECT_EQ(response.topics[0].partitions[0].error_code, ErrorCode::group_subscribed_to_topic);
    EXPECT_EQ(response.topics[1].partitions[0].error_code, ErrorCode::none);
    time += config.retention_ms;
    take(groups.expire(now()));
    EXPECT_TRUE(writes.empty());
}

TEST_F(GroupTest, AnEmptyGroupGoesWithItsLastPositionAfterTheRetention) {
    const auto ids = stable({{.version = 3}});
    commit(ids[0], 1);
    persist();
    pass(5'000);
    leave(ids[0]);
    persist();
    time += config.retention_ms - 1;
    take(groups.expire(now()));
    EXPECT_TRUE(writes.empty());
    time += 1;
    take(groups.expire(now()));
    ASSERT_EQ(writes.size(), 1u);
    EXPECT_EQ(writes[0].records.size(), 2u);
    // Could not be written: all is still there.
    persist(ErrorCode::not_enough_replicas);
    ASSERT_NE(groups.find("g"), nullptr);
    EXPECT_EQ(group().generation(), 2);
    take(groups.expire(now()));
    persist();
    EXPECT_EQ(groups.find("g"), nullptr);
    EXPECT_TRUE(groups.offsets().durable().empty());
}

TEST_F(GroupTest, OnlyEmptyGroupsAreDeleted) {
    const auto ids = stable({{.version = 3}});
    take(groups.delete_group(now(), "g", ++last));
    EXPECT_EQ(answer<kafka::DeleteGroupsResponse>(last).results[0].error_code,
              ErrorCode::non_empty_group);
    leave(ids[0]);
    persist();
    take(groups.delete_group(now(), "g", ++last));
    const auto deleting = last;
    EXPECT_FALSE(answered(deleting));
    const auto reborn = join({.version = 3});
    persist();
    EXPECT_EQ(answer<kafka::DeleteGroupsResponse>(deleting).results[0].error_code, ErrorCode::none);
    pass(3'000);
    EXPECT_EQ(joined(reborn).generation_id, 3)
        << "should the tombstone fail, the log stays in order";
}

TEST_F(GroupTest, AManyTimesLargerGroupIsDeletedInSeveralWrites) {
    kafka::OffsetCommitRequest request;
    request.group_id = "g";
    auto& topic = request.topics.emplace_back();
    topic.name = "t";
    for (int i = 0; i < 1'200; ++i) topic.partitions.push_back({.partition_index = i});
    take(groups.commit(now(), request, ++last, 8));
    persist();
    take(groups.delete_group(now(), "g", ++last));
    EXPECT_EQ(writes.size(), 3u);
    persist();
    persist(ErrorCode::not_enough_replicas);
    persist();
    EXPECT_EQ(answer<kafka::DeleteGroupsResponse>(last).results[0].error_code, ErrorCode::none);
    EXPECT_NE(groups.find("g"), nullptr) << "a group that has positions is there";
    EXPECT_EQ(groups.offsets().durable().size(), 500u);
}

TEST_F(GroupTest, LeavingCoordinatorsRefuseAllThatWaits) {
    const auto ids = stable({{.version = 3}, {.version = 3}});
    const auto c = commit(ids[0], 1);
    const auto parked = join({.member = *group().leader()});
    take(groups.end(now(), ErrorCode::not_coordinator));
    EXPECT_EQ(join_error(parked), ErrorCode::not_coordinator);
    EXPECT_EQ(commit_error(c), ErrorCode::not_coordinator);
}

/// Positions are dropped only if they are gone whatever becomes of what is on its way.
TEST_F(GroupTest, APositionThatMayBecomeAnotherIsNotDropped) {
    const auto of_old = [](const OffsetKey&, const OffsetCommitValue& value) {
        return value.topic_id == base::Uuid{7, 1};
    };
    const auto commit_in = [&](const std::string& group, base::Uuid topic) {
        kafka::OffsetCommitRequest request;
        request.group_id = group;
        request.topics.push_back({.name = "t",
                                  .topic_id = topic,
                                  .partitions = {{.partition_index = 0, .committed_offset = 5}}});
        take(groups.commit(now(), request, ++last, 8));
    };
    commit_in("a", {7, 2});
    persist();
    commit_in("a", {7, 1});  // late, and refused in the end
    commit_in("b", {7, 1});
    commit_in("c", {7, 1});
    take(groups.drop(now(), of_old));
    persist(ErrorCode::not_enough_replicas);
    while (!writes.empty()) persist();
    ASSERT_NE(groups.offsets().find({"a", "t", 0}), nullptr);
    EXPECT_EQ(groups.offsets().find({"a", "t", 0})->topic_id, (base::Uuid{7, 2}));
    EXPECT_EQ(groups.offsets().find({"b", "t", 0}), nullptr);
    EXPECT_EQ(groups.offsets().find({"c", "t", 0}), nullptr);
    EXPECT_EQ(groups.size(), 1u) << "who has nothing left is gone, too";
}

}  // namespace
}  // namespace groups
