#include "groups/coordinator_fixture.h"

#include <future>

namespace groups {
namespace {

TEST_F(CoordinatorTest, ACommitIsAnsweredAndSeenOnceItIsOnDisk) {
    shards.settle();
    std::optional<kafka::OffsetCommitResponse> answer;
    coordinators->commit(shards.at(0), commit_request(42), client(8), into(answer));
    shards.run_posted();
    EXPECT_FALSE(answer);
    EXPECT_EQ(fetched(), -1);
    shards.settle();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->topics[0].partitions[0].error_code, ErrorCode::none);
    EXPECT_EQ(fetched(), 42);
}

TEST_F(CoordinatorTest, CommitsOfOneTurnGoToTheLogAsOneBatch) {
    shards.settle();
    std::vector<std::optional<kafka::OffsetCommitResponse>> answers(20);
    for (int i = 0; i < 20; ++i)
        coordinators->commit(shards.at(0), commit_request(i), client(8),
                             into(answers[static_cast<size_t>(i)]));
    shards.settle();
    EXPECT_EQ(fetched(), 19);
    const auto read = partition->log().read(0, 100, 1, true);
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->next, 20);
}

TEST_F(CoordinatorTest, GroupsAndPositionsComeBackFromTheLog) {
    shards.settle();
    const auto member = settle_one_member();
    std::optional<kafka::OffsetCommitResponse> answer;
    auto commit = commit_request(42);
    commit.member_id = member;
    commit.generation_id_or_member_epoch = 1;
    coordinators->commit(shards.at(0), commit, client(8), into(answer));
    shards.settle();
    ASSERT_EQ(answer->topics[0].partitions[0].error_code, ErrorCode::none);
    fail_over(1);
    EXPECT_EQ(fetched(), 42);
    EXPECT_EQ(heartbeat(member, 1), ErrorCode::none);
    std::optional<kafka::DescribeGroupsResponse> described;
    kafka::DescribeGroupsRequest describe;
    describe.groups = {"g", "other"};
    coordinators->describe(shards.at(0), describe, client(6), into(described));
    ASSERT_EQ(described->groups.size(), 2u);
    EXPECT_EQ(described->groups[0].group_state, "Stable");
    EXPECT_EQ(described->groups[0].members.at(0).member_assignment, base::Bytes{std::byte{7}});
    EXPECT_EQ(described->groups[1].error_code, ErrorCode::group_id_not_found);
    // Its session runs on here.
    pass(11'000);
    EXPECT_EQ(heartbeat(member, 1), ErrorCode::unknown_member_id);
}

TEST_F(CoordinatorTest, NothingIsServedUntilAllIsLoaded) {
    shards.settle();
    settle_one_member();
    coordinators->remove(0);
    EXPECT_EQ(fetched(), -100 - static_cast<int>(ErrorCode::not_coordinator));
    serve(0);
    EXPECT_EQ(fetched(), -100 - static_cast<int>(ErrorCode::coordinator_load_in_progress));
    std::optional<kafka::ListGroupsResponse> listed;
    coordinators->list(shards.at(0), {}, client(5), into(listed));
    EXPECT_EQ(listed->error_code, ErrorCode::coordinator_load_in_progress);
    shards.settle();
    EXPECT_EQ(fetched(), -1);
    coordinators->list(shards.at(0), {}, client(5), into(listed));
    ASSERT_EQ(listed->groups.size(), 1u);
    EXPECT_EQ(listed->groups[0].group_state, "Stable");
    EXPECT_EQ(listed->groups[0].group_type, "classic");
}

TEST_F(CoordinatorTest, LosingThePartitionRefusesWhatWaits) {
    shards.settle();
    std::optional<kafka::JoinGroupResponse> joined;
    coordinators->join(shards.at(0), join_request(), client(3), into(joined));
    std::optional<kafka::OffsetCommitResponse> answer;
    coordinators->commit(shards.at(0), commit_request(1), client(8), into(answer));
    bool done = false;
    coordinators->remove(0, [&] { done = true; });
    EXPECT_TRUE(done);
    ASSERT_TRUE(joined && answer);
    EXPECT_EQ(joined->error_code, ErrorCode::not_coordinator);
    EXPECT_NE(answer->topics[0].partitions[0].error_code, ErrorCode::none);
}

TEST_F(CoordinatorTest, AFailedSyncOfTheDiskRefusesAndServesNothingFurther) {
    shards.settle();
    disk.fail(io::MemoryDisk::Operation::sync);
    std::optional<kafka::OffsetCommitResponse> answer;
    coordinators->commit(shards.at(0), commit_request(1), client(8), into(answer));
    shards.settle();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->topics[0].partitions[0].error_code, ErrorCode::coordinator_not_available);
    EXPECT_EQ(fetched(), -100 - static_cast<int>(ErrorCode::coordinator_not_available));
}

TEST_F(CoordinatorTest, ARecordThatCantBeReadStopsTheGroupsNotTheBroker) {
    shards.settle();
    kafka::BatchBuilder builder;
    builder.add(1, "?", "nonsense");
    auto batch = std::move(builder).build();
    partition->append(batch, replication::Acks::all, milliseconds(1'000), [](auto) {});
    shards.settle();
    fail_over(1);
    EXPECT_EQ(fetched(), -100 - static_cast<int>(ErrorCode::coordinator_not_available));
}

TEST_F(CoordinatorTest, RecordsOfOtherKindsOfGroupsAreLeftAlone) {
    shards.settle();
    std::optional<kafka::OffsetCommitResponse> answer;
    coordinators->commit(shards.at(0), commit_request(5), client(8), into(answer));
    shards.settle();
    kafka::BatchBuilder builder({.compression = {kafka::Codec::lz4}});
    builder.add(1, std::string_view("\0\3new", 5), "kind");
    auto batch = std::move(builder).build();
    partition->append(batch, replication::Acks::all, milliseconds(1'000), [](auto) {});
    shards.settle();
    fail_over(1);
    EXPECT_EQ(fetched(), 5);
}

TEST_F(CoordinatorTest, AWriteThatTakesTooLongIsAnsweredButStillCounts) {
    shards.settle();
    std::optional<kafka::OffsetCommitResponse> answer;
    coordinators->commit(shards.at(0), commit_request(9), client(8), into(answer));
    shards.run_posted();  // the sync does not come back
    for (int i = 0; i < 52; ++i) {
        clock->time += 100;
        shards.pass(milliseconds(100));
        shards.run_posted();
    }
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->topics[0].partitions[0].error_code, ErrorCode::coordinator_not_available);
    shards.settle();
    EXPECT_EQ(fetched(), 9);
}

TEST_F(CoordinatorTest, PositionsExpireAndTheGroupWithThem) {
    shards.settle();
    std::optional<kafka::OffsetCommitResponse> answer;
    auto commit = commit_request(9);
    commit.retention_time_ms = 60'000;
    coordinators->commit(shards.at(0), commit, client(4), into(answer));
    shards.settle();
    EXPECT_EQ(fetched(), 9);
    pass(601'000);
    EXPECT_EQ(fetched(), -1);
    std::optional<kafka::ListGroupsResponse> listed;
    coordinators->list(shards.at(0), {}, client(5), into(listed));
    EXPECT_TRUE(listed->groups.empty());
    fail_over(1);
    EXPECT_EQ(fetched(), -1);
}

TEST_F(CoordinatorTest, DeletingGroupsAnswersForEach) {
    shards.settle();
    std::optional<kafka::OffsetCommitResponse> answer;
    coordinators->commit(shards.at(0), commit_request(9), client(8), into(answer));
    shards.settle();
    std::optional<kafka::DeleteGroupsResponse> deleted;
    kafka::DeleteGroupsRequest request;
    request.groups_names = {"g", "unknown", ""};
    coordinators->delete_groups(shards.at(0), request, client(2), into(deleted));
    EXPECT_FALSE(deleted);
    shards.settle();
    ASSERT_TRUE(deleted);
    EXPECT_EQ(deleted->results[0].error_code, ErrorCode::none);
    EXPECT_EQ(deleted->results[1].error_code, ErrorCode::group_id_not_found);
    EXPECT_EQ(deleted->results[2].error_code, ErrorCode::invalid_group_id);
    EXPECT_EQ(fetched(), -1);
}

TEST_F(CoordinatorTest, ATopicThatIsGoneTakesItsPositionsAlong) {
    shards.settle();
    std::optional<kafka::OffsetCommitResponse> answer;
    coordinators->commit(shards.at(0), commit_request(9), client(8), into(answer));
    shards.settle();
    coordinators->topic_deleted("t", topics.ids["t"]);
    shards.settle();
    EXPECT_EQ(fetched(), -1);
}

/// The topic is deleted and made anew; the crash comes before its positions have tombstones.
TEST_F(CoordinatorTest, APositionDoesNotPassToATopicMadeAnewOverACrash) {
    shards.settle();
    commit(9, {7, 1});
    topics.ids["t"] = {7, 2};
    fail_over(1);
    EXPECT_EQ(fetched(), -1);
    EXPECT_EQ(positions(), 0u);
    EXPECT_GT(partition->log().end(), 1) << "the next start need not find it again";
    commit(3, {7, 2});
    fail_over(2);
    EXPECT_EQ(fetched(), 3);
    EXPECT_EQ(positions(), 1u);
}

TEST_F(CoordinatorTest, ADeletionWhileLoadingIsNotMissed) {
    shards.settle();
    commit(9, {7, 1});
    coordinators->remove(0);
    serve(0);
    ASSERT_EQ(fetched(), -100 - static_cast<int>(ErrorCode::coordinator_load_in_progress));
    topics.ids.clear();
    coordinators->topic_deleted("t", {7, 1});
    shards.settle();
    EXPECT_EQ(positions(), 0u);
    topics.ids["t"] = {7, 2};
    fail_over(1);
    EXPECT_EQ(fetched(), -1);
}

/// A commit that was on its way when its topic went comes after the tombstones.
TEST_F(CoordinatorTest, APositionThatComesAfterItsTopicsDeletionIsNotServed) {
    shards.settle();
    topics.ids["t"] = {7, 2};
    coordinators->topic_deleted("t", {7, 1});
    commit(9, {7, 1});
    EXPECT_EQ(fetched(), -1);
    EXPECT_EQ(positions(), 0u);
}

TEST_F(CoordinatorTest, ADeletionSparesPositionsOfTheTopicsSuccessor) {
    shards.settle();
    topics.ids["t"] = {7, 2};
    commit(9, {7, 2});
    coordinators->topic_deleted("t", {7, 1});
    shards.settle();
    EXPECT_EQ(fetched(), 9);
}

TEST_F(CoordinatorTest, PositionsWithoutATopicIdGoByTheName) {
    shards.settle();
    commit(9, {});
    topics.ids["t"] = {7, 2};
    fail_over(1);
    EXPECT_EQ(fetched(), 9);
    topics.ids.clear();
    EXPECT_EQ(positions(), 0u) << "there is no such topic";
    fail_over(2);
    topics.ids["t"] = {7, 3};
    EXPECT_EQ(fetched(), -1) << "the start in between has dropped it";
}

/// Each failed append makes the coordinator read its log anew, which must not bring about the next.
TEST_F(CoordinatorTest, TombstonesThatAreRefusedAreNotTriedAgainAtOnce) {
    shards.settle();
    commit(9, {7, 1});
    topics.ids["t"] = {7, 2};
    log_dir = std::make_shared<replication::LogDir>(shards, disk, "/offsets", 0);
    log_dir->fence(base::unavailable("EIO"));
    fail_over(1);
    ASSERT_EQ(partition->log().end(), 1);
    EXPECT_EQ(fetched(), -1) << "it is served, and the position hidden";
    pass(601'000);
    EXPECT_EQ(fetched(), -1);
    EXPECT_EQ(partition->log().end(), 1);
}

TEST_F(CoordinatorTest, PositionsThatOutlivedTheirTopicAreDroppedLaterIfNotAtTheStart) {
    shards.settle();
    topics.ids["t"] = {7, 2};
    commit(9, {7, 1});
    const auto end = partition->log().end();
    pass(601'000);
    EXPECT_GT(partition->log().end(), end);
    topics.ids["t"] = {7, 1};
    EXPECT_EQ(fetched(), -1);
}

/// The shards are real: the partition's is busy when its coordinator is taken away again.
TEST(Coordinators, ACoordinatorThatIsOnItsWayIsRemovedToo) {
    io::MemoryDisk disk;
    storage::MemoryStore store;
    TestTopics topics;
    const auto shards = io::Shards::start(2, 1);
    auto& home = shards->at(1);
    replication::Alone alone;
    std::unique_ptr<replication::Partition> partition;
    auto coordinators = std::make_unique<Coordinators>(*shards, Config{}, topics, 1);
    std::promise<void> go;
    home.post([&] {
        auto log = storage::Log::open(
            {.directory = "/offsets", .id = {.topic = {1, 2}}, .disk = &disk, .store = &store}, {},
            io::wall_clock());
        CHECK(log.ok()) << log.status();
        partition = std::make_unique<replication::Partition>(
            *std::move(log), *shards, home, kIdentity, replication::Partition::Options{}, alone,
            alone);
        partition->assign(replication::testing::led_alone(0));
        go.get_future().wait();
    });
    home.post([&] { coordinators->lead(0, *partition, 0); });
    std::promise<void> removed;
    coordinators->remove(0, [&] { removed.set_value(); });
    go.set_value();
    removed.get_future().wait();
    home.post([&] {
        partition->abandon();
        partition.reset();
    });
    std::promise<ErrorCode> answer;
    kafka::HeartbeatRequest request;
    request.group_id = "g";
    home.post([&] {
        coordinators->heartbeat(home, request, {"client", "/127.0.0.1", 4},
                                [&](auto response) { answer.set_value(response.error_code); });
    });
    EXPECT_EQ(answer.get_future().get(), ErrorCode::not_coordinator);
    shards->stop();
    coordinators.reset();
}

}  // namespace
}  // namespace groups
