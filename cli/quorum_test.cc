#include "cli/quorum.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace cli {
namespace {

using kafka::ErrorCode;
using Response = kafka::DescribeQuorumResponse;
using testing::HasSubstr;

/// Node 1 leads voters 0 to 2; 0 is behind, 2 was never heard, and 5 follows.
Response answer() {
    Response out;
    auto& partition = out.topics.emplace_back().partitions.emplace_back();
    partition.leader_id = 1;
    partition.leader_epoch = 4;
    partition.high_watermark = 99;
    partition.current_voters = {
        {2, {}, -1, -1, -1}, {1, {}, 100, -1, 50'000}, {0, {}, 90, 49'900, 49'000}};
    partition.observers = {{5, {}, 100, 49'999, 50'000}};
    out.nodes = {{0, {{"CONTROLLER", "a", 1}}}, {5, {{"CONTROLLER", "::1", 5}}}, {2, {}}};
    return out;
}

TEST(Quorum, IsReadFromItsOnePartition) {
    const auto quorum = quorum_of(answer());
    ASSERT_TRUE(quorum.ok()) << quorum.status();
    EXPECT_EQ(quorum->leader_id, 1);
    EXPECT_EQ(quorum->leader_epoch, 4);
    EXPECT_EQ(quorum->high_watermark, 99);
    ASSERT_EQ(quorum->voters.size(), 3u);
    EXPECT_EQ(quorum->voters[2].replica_id, 2);
    EXPECT_EQ(quorum->addresses, (std::map<int32_t, std::string>{{0, "a:1"}, {5, "[::1]:5"}}));
}

TEST(Quorum, FailuresSayWhetherToTryAgain) {
    auto refused = answer();
    refused.error_code = ErrorCode::cluster_authorization_failed;
    EXPECT_TRUE(absl::IsFailedPrecondition(quorum_of(refused).status()));
    auto early = answer();
    early.topics[0].partitions[0].error_code = ErrorCode::not_leader_or_follower;
    early.topics[0].partitions[0].error_message = "ask another";
    EXPECT_TRUE(absl::IsAborted(quorum_of(early).status()));
    EXPECT_THAT(base::message(quorum_of(early).status()), HasSubstr("ask another"));
    EXPECT_TRUE(absl::IsInternal(quorum_of(Response{}).status()));
}

TEST(Quorum, MembersAreShownByWhatTheLeaderKnows) {
    const auto rows = rows_of(*quorum_of(answer()));
    ASSERT_EQ(rows.size(), 4u);
    EXPECT_EQ(rows[0].role, "voter");
    EXPECT_EQ(rows[0].lag, 10);
    EXPECT_EQ(rows[0].caught_up_ms, 1000);
    EXPECT_EQ(rows[0].last_heard_ms, 100);
    EXPECT_EQ(rows[1].role, "leader");
    EXPECT_EQ(rows[1].lag, 0);
    EXPECT_EQ(rows[1].last_heard_ms, std::nullopt) << "of itself";
    EXPECT_EQ(rows[2].lag, std::nullopt);
    EXPECT_EQ(rows[2].address, "");
    EXPECT_EQ(rows[3].role, "observer");
    EXPECT_EQ(table_of(rows).text(false),
              "NODE  ROLE      ADDRESS  LOG END  LAG  CAUGHT UP  LAST HEARD\n"
              "0     voter     a:1      90       10   1000 ms    100 ms\n"
              "1     leader    -        100      0    0 ms       -\n"
              "2     voter     -        -        -    -          -\n"
              "5     observer  [::1]:5  100      0    0 ms       1 ms\n");
    const auto json = json_of(rows);
    EXPECT_EQ(json[0]["caught_up_ms_ago"], 1000);
    EXPECT_TRUE(json[2]["lag"].is_null() && json[2]["address"].is_null() &&
                json[2]["log_end"].is_null());
}

TEST(Quorum, WithoutALeaderNothingIsBehindIt) {
    auto leaderless = answer();
    leaderless.topics[0].partitions[0].leader_id = -1;
    for (const auto& row : rows_of(*quorum_of(leaderless))) {
        EXPECT_NE(row.role, "leader");
        EXPECT_EQ(row.lag, std::nullopt);
    }
}

}  // namespace
}  // namespace cli
