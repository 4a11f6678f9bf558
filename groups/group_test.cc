#include "groups/group_fixture.h"

namespace groups {
namespace {

TEST_F(GroupTest, ANewDynamicMemberMustComeBackWithItsId) {
    const auto first = join({.version = 4});
    EXPECT_EQ(join_error(first), ErrorCode::member_id_required);
    const auto id = joined(first).member_id;
    EXPECT_EQ(id.substr(0, 7), "client-");
    const auto second = join({.member = id, .version = 4});
    EXPECT_FALSE(answered(second));
    pass(3'000);
    EXPECT_EQ(join_error(second), ErrorCode::none);
    EXPECT_EQ(joined(second).generation_id, 1);
    EXPECT_EQ(joined(second).leader, id);
    EXPECT_EQ(joined(second).members.size(), 1u);
}

TEST_F(GroupTest, AnIdThatWasNotUsedInTimeIsForgotten) {
    const auto id = joined(join({})).member_id;
    pass(10'001);
    EXPECT_EQ(groups.find("g"), nullptr);
    EXPECT_EQ(join_error(join({.member = id})), ErrorCode::unknown_member_id);
}

TEST_F(GroupTest, TheInitialDelayGrowsWhileMembersComeUpToTheRebalanceTimeout) {
    const auto first = join({.version = 3});
    for (int i = 0; i < 9; ++i) {
        pass(2'900);
        EXPECT_FALSE(answered(first)) << i;
        join({.version = 3});
    }
    pass(4'000);
    EXPECT_TRUE(answered(first));
}

TEST_F(GroupTest, OnlyTheLeaderSeesTheMembersAndAllGetOneProtocol) {
    const auto a = join({.version = 3, .protocols = {"roundrobin", "range"}});
    const auto b = join({.version = 3, .protocols = {"range", "roundrobin"}});
    const auto c = join({.version = 3, .protocols = {"range", "roundrobin", "sticky"}});
    EXPECT_EQ(join_error(join({.version = 3, .protocols = {"sticky"}})),
              ErrorCode::inconsistent_group_protocol);
    EXPECT_EQ(join_error(join({.version = 3, .type = "connect"})),
              ErrorCode::inconsistent_group_protocol);
    pass(30'000);
    for (const auto id : {a, b, c}) {
        EXPECT_EQ(joined(id).protocol_name, "range");
        EXPECT_EQ(joined(id).members.size(), joined(id).leader == joined(id).member_id ? 3u : 0u);
    }
}

TEST_F(GroupTest, ASyncIsAnsweredOnlyWhenTheAssignmentIsDurable) {
    const auto a = join({.version = 3});
    pass(3'000);
    const auto id = joined(a).member_id;
    const auto s = sync(id, 1, {{id, "mine"}});
    const auto again = sync(id, 1, {{id, "other"}});
    EXPECT_EQ(sync_error(s), ErrorCode::rebalance_in_progress);
    EXPECT_FALSE(answered(again));
    EXPECT_EQ(writes.size(), 1u) << "the first word of the leader counts";
    persist();
    EXPECT_EQ(answer<kafka::SyncGroupResponse>(again).assignment, bytes("mine"));
    EXPECT_EQ(group().state(), State::stable);
}

TEST_F(GroupTest, AFailedWriteOfTheAssignmentFailsTheSyncsAndRebalances) {
    for (const auto& [error, told] :
         {std::pair{ErrorCode::not_enough_replicas, ErrorCode::coordinator_not_available},
          std::pair{ErrorCode::message_too_large, ErrorCode::unknown_server_error},
          std::pair{ErrorCode::not_leader_or_follower, ErrorCode::not_coordinator}})
        EXPECT_EQ(answer_for_failed_write(error), told);
    const auto a = join({.version = 3});
    pass(3'000);
    const auto id = joined(a).member_id;
    const auto s = sync(id, 1, {{id, "mine"}});
    persist(ErrorCode::not_enough_replicas);
    EXPECT_EQ(sync_error(s), ErrorCode::coordinator_not_available);
    EXPECT_EQ(group().state(), State::preparing_rebalance);
    EXPECT_EQ(joined(join({.member = id})).generation_id, 2);
}

TEST_F(GroupTest, HeartbeatsTellTheStateOfTheGroup) {
    EXPECT_EQ(heartbeat("x", 1), ErrorCode::unknown_member_id);
    const auto ids = stable({{.version = 3}, {.version = 3}});
    EXPECT_EQ(heartbeat(ids[0], 1), ErrorCode::none);
    EXPECT_EQ(heartbeat(ids[0], 0), ErrorCode::illegal_generation);
    EXPECT_EQ(heartbeat("x", 1), ErrorCode::unknown_member_id);
    join({.member = *group().leader()});
    EXPECT_EQ(heartbeat(ids[1], 1), ErrorCode::rebalance_in_progress);
}

TEST_F(GroupTest, WhoStopsToHeartbeatIsRemoved) {
    const auto ids = stable({{.version = 3}, {.version = 3}});
    for (int i = 0; i < 4; ++i) {
        pass(3'000);
        heartbeat(ids[0], 1);
    }
    EXPECT_EQ(group().state(), State::preparing_rebalance);
    EXPECT_EQ(heartbeat(ids[1], 1), ErrorCode::unknown_member_id);
    const auto j = join({.member = ids[0]});
    EXPECT_EQ(joined(j).generation_id, 2);
    EXPECT_EQ(joined(j).members.size(), 1u);
}

TEST_F(GroupTest, AParkedMemberLivesAndLateDynamicMembersAreDropped) {
    const auto ids = stable({{.version = 3}, {.version = 3}});
    const auto parked = join({.member = ids[0], .metadata = "changed"});
    for (int i = 0; i < 9; ++i) {
        pass(3'000);
        EXPECT_EQ(heartbeat(ids[1], 1), ErrorCode::rebalance_in_progress);
    }
    EXPECT_FALSE(answered(parked));
    pass(4'000);
    EXPECT_EQ(joined(parked).generation_id, 2);
    EXPECT_EQ(joined(parked).leader, ids[0]);
    EXPECT_EQ(heartbeat(ids[1], 1), ErrorCode::unknown_member_id);
}

TEST_F(GroupTest, WhoNeverSyncsIsRemoved) {
    const auto a = join({.version = 3});
    const auto b = join({.version = 3});
    pass(6'000);
    const auto leader = joined(a).leader;
    const auto other = joined(a).member_id == leader ? joined(b).member_id : joined(a).member_id;
    sync(leader, 1);
    persist();
    for (int i = 0; i < 10; ++i) {
        pass(3'100);
        heartbeat(leader, 1);
        heartbeat(other, 1);
    }
    EXPECT_EQ(group().state(), State::preparing_rebalance);
    EXPECT_FALSE(group().members().contains(other));
}

TEST_F(GroupTest, AFollowerWithTheSameMetadataKeepsTheGenerationALeaderDoesNot) {
    const auto ids = stable({{.version = 3}, {.version = 3}});
    const auto leader = *group().leader();
    const auto follower = ids[0] == leader ? ids[1] : ids[0];
    EXPECT_EQ(joined(join({.member = follower})).generation_id, 1);
    EXPECT_EQ(group().state(), State::stable);
    join({.member = leader});
    EXPECT_EQ(group().state(), State::preparing_rebalance);
}

TEST_F(GroupTest, AStaticMemberComesBackWithoutARebalance) {
    const auto ids = stable({{.instance = "one"}, {.instance = "two"}});
    const auto back = join({.instance = "one"});
    EXPECT_FALSE(answered(back)) << "its new id is not durable yet";
    EXPECT_EQ(heartbeat(ids[0], 1, "one"), ErrorCode::fenced_instance_id);
    persist();
    const auto& j = joined(back);
    EXPECT_EQ(j.error_code, ErrorCode::none);
    EXPECT_EQ(j.generation_id, 1);
    EXPECT_NE(j.member_id, ids[0]);
    EXPECT_EQ(j.skip_assignment, j.leader == j.member_id);
    EXPECT_EQ(group().state(), State::stable);
    EXPECT_EQ(answer<kafka::SyncGroupResponse>(sync(j.member_id, 1)).assignment,
              bytes("a-" + ids[0]));
}

TEST_F(GroupTest, AnOlderClientIsNotTakenForTheLeaderAfterItsReturn) {
    const auto ids = stable({{.instance = "one"}});
    const auto back = join({.instance = "one", .version = 8});
    persist();
    EXPECT_EQ(joined(back).leader, ids[0]);
    EXPECT_FALSE(joined(back).skip_assignment);
    EXPECT_TRUE(joined(back).members.empty());
}

TEST_F(GroupTest, AReturnThatCouldNotBeWrittenIsUndone) {
    const auto ids = stable({{.instance = "one"}});
    const auto back = join({.instance = "one"});
    persist(ErrorCode::not_enough_replicas);
    EXPECT_EQ(join_error(back), ErrorCode::coordinator_not_available);
    EXPECT_EQ(heartbeat(ids[0], 1, "one"), ErrorCode::none);
}

TEST_F(GroupTest, OfTwoReturnsThatCouldNotBeWrittenTheLastComesInByARebalance) {
    stable({{.instance = "one"}});
    const auto first = join({.instance = "one"});
    const auto second = join({.instance = "one"});
    EXPECT_EQ(join_error(first), ErrorCode::fenced_instance_id);
    persist(ErrorCode::not_enough_replicas);
    EXPECT_EQ(join_error(second), ErrorCode::none);
    EXPECT_EQ(joined(second).generation_id, 2);
    persist(ErrorCode::not_enough_replicas);
    EXPECT_EQ(group().state(), State::completing_rebalance);
}

TEST_F(GroupTest, AReturnThatFailedAfterAnotherWroteTheSameGroupRebalances) {
    const auto ids = stable({{.instance = "one"}, {.instance = "two"}});
    join({.instance = "one"});
    join({.instance = "two"});
    persist(ErrorCode::not_enough_replicas);
    persist();  // this record holds the id of "one" that was undone
    EXPECT_EQ(group().state(), State::preparing_rebalance);
    EXPECT_EQ(heartbeat(ids[0], 1, "one"), ErrorCode::rebalance_in_progress);
}

TEST_F(GroupTest, ASecondStaticMemberFencesTheParkedFirst) {
    const auto first = join({.instance = "one"});
    const auto second = join({.instance = "one"});
    EXPECT_EQ(join_error(first), ErrorCode::fenced_instance_id);
    pass(3'000);
    EXPECT_EQ(join_error(second), ErrorCode::none);
    // And one that waits for its assignment.
    const auto parked = join({.instance = "two"});
    pass(1);
    join({.member = joined(second).member_id, .instance = "one"});
    ASSERT_TRUE(answered(parked));
    const auto s = sync(joined(parked).member_id, 2);
    join({.instance = "two"});
    EXPECT_EQ(sync_error(s), ErrorCode::fenced_instance_id);
    EXPECT_EQ(group().state(), State::preparing_rebalance);
}

TEST_F(GroupTest, MembersLeaveByIdOrByInstance) {
    const auto ids = stable({{.version = 3}, {.instance = "one"}, {.instance = "two"}});
    EXPECT_EQ(leave("nobody"), ErrorCode::unknown_member_id);
    EXPECT_EQ(leave("wrong", "one"), ErrorCode::fenced_instance_id);
    EXPECT_EQ(leave("", "three"), ErrorCode::unknown_member_id);
    EXPECT_EQ(group().state(), State::stable);
    EXPECT_EQ(leave("", "one"), ErrorCode::none);
    EXPECT_EQ(group().state(), State::preparing_rebalance);
    EXPECT_EQ(leave(ids[0]), ErrorCode::none);
    EXPECT_EQ(leave(ids[2], "two"), ErrorCode::none);
    EXPECT_EQ(group().state(), State::empty);
    EXPECT_EQ(group().generation(), 2);
    persist();
    EXPECT_EQ(log.size(), 2u);
}

TEST_F(GroupTest, AFullGroupTakesNoMore) {
    config.max_size = 2;
    stable({{.version = 3}, {.version = 3}});
    const auto third = join({.version = 3});
    EXPECT_EQ(join_error(third), ErrorCode::group_max_size_reached);
    EXPECT_EQ(joined(third).member_id, "");
    EXPECT_EQ(group().state(), State::stable);
}

TEST_F(GroupTest, MetadataBeyondItsBoundIsRefused) {
    config.group_metadata_max_bytes = 1'000;
    join({.version = 3});
    EXPECT_EQ(join_error(join({.version = 3, .metadata = std::string(1'000, 'm')})),
              ErrorCode::group_max_size_reached);
    config.pending_members_max = 1;
    EXPECT_EQ(join_error(join({})), ErrorCode::member_id_required);
    EXPECT_EQ(join_error(join({})), ErrorCode::group_max_size_reached);
}

TEST_F(GroupTest, RequestsThatCantBeRightAreRefused) {
    kafka::JoinGroupRequest request;
    take(groups.join(now(), request, {++last, 9, "c", "h", "x"}));
    EXPECT_EQ(join_error(last), ErrorCode::invalid_group_id);
    request.group_id = "g";
    for (const int32_t session : {5'999, 1'800'001, -1}) {
        request.session_timeout_ms = session;
        take(groups.join(now(), request, {++last, 9, "c", "h", "x"}));
        EXPECT_EQ(join_error(last), ErrorCode::invalid_session_timeout);
    }
    EXPECT_EQ(join_error(join({.member = "who"})), ErrorCode::unknown_member_id);
    EXPECT_EQ(join_error(join({.version = 3, .protocols = {}})),
              ErrorCode::inconsistent_group_protocol);
    EXPECT_EQ(groups.size(), 0u) << "a refused join leaves no group behind";
}

TEST_F(GroupTest, ReplayingForLongKeepsNoNamesOfWhatIsGone) {
    for (const char* id : {"g", "h"})
        groups.replay(OffsetRecord{{id, "t", 0}, OffsetCommitValue{.offset = 5}}, now());
    groups.replay(OffsetRecord{{"g", "t", 1}, OffsetCommitValue{.offset = 5}}, now());
    EXPECT_EQ(groups.size(), 2u);
    groups.replay(OffsetRecord{{"h", "t", 0}, {}}, now());
    groups.replay(OffsetRecord{{"g", "t", 0}, {}}, now());
    EXPECT_EQ(groups.size(), 1u);
    groups.replay(OffsetRecord{{"g", "t", 1}, {}}, now());
    groups.replay(OffsetRecord{{"unknown", "t", 1}, {}}, now());
    EXPECT_EQ(groups.size(), 0u);
    // One that the log knows stays until the log says that it is gone.
    groups.replay(GroupRecord{{"g"}, GroupMetadataValue{.protocol_type = "consumer"}}, now());
    groups.replay(OffsetRecord{{"g", "t", 0}, {}}, now());
    EXPECT_EQ(groups.size(), 1u);
    groups.replay(GroupRecord{{"g"}, {}}, now());
    EXPECT_EQ(groups.size(), 0u);
}

}  // namespace
}  // namespace groups
