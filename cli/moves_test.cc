#include "cli/moves.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

using Ids = std::vector<int32_t>;

kafka::MetadataResponse cluster(const std::vector<std::string>& racks,
                                const std::vector<Ids>& replicas) {
    kafka::MetadataResponse out;
    for (size_t i = 0; i < racks.size(); ++i) {
        auto& broker = out.brokers.emplace_back();
        broker.node_id = static_cast<int32_t>(i);
        if (!racks[i].empty()) broker.rack = racks[i];
    }
    auto& topic = out.topics.emplace_back();
    topic.name = "t";
    for (const auto& ids : replicas) {
        auto& p = topic.partitions.emplace_back();
        p.partition_index = static_cast<int32_t>(topic.partitions.size()) - 1;
        p.replica_nodes = ids;
    }
    return out;
}

TEST(Moves, PartitionsAreNamedByTopicAndNumber) {
    const auto named = parse_partition("orders:12");
    ASSERT_TRUE(named.ok());
    EXPECT_EQ(*named, std::pair(std::string("orders"), 12));
    for (const char* bad : {"", ":", "orders", "orders:", "orders:x", "orders:1x", "orders:-1",
                            ":1", "orders:99999999999"})
        EXPECT_FALSE(parse_partition(bad).ok()) << bad;
}

TEST(Moves, APlanIsReadAsKafkasToolWritesIt) {
    const auto plan = parse_plan(
        R"({"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[1,2],
            "log_dirs":["any","any"]},{"topic":"u","partition":3,"replicas":[0]}]})");
    ASSERT_TRUE(plan.ok()) << plan.status();
    EXPECT_EQ(*plan, (Moves{{"t", 0, {1, 2}}, {"u", 3, {0}}}));
    const auto again = parse_plan(plan_text(*plan));
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(*again, *plan);
}

TEST(Moves, ABadPlanIsRefused) {
    for (const char* bad : {
             "",
             "[]",
             "{}",
             R"({"partitions":[]})",
             R"({"partitions":7})",
             R"({"version":2,"partitions":[{"topic":"t","partition":0,"replicas":[1]}]})",
             R"({"partitions":[{"topic":"t","partition":0,"replicas":[]}]})",
             R"({"partitions":[{"topic":"t","partition":0,"replicas":["1"]}]})",
             R"({"partitions":[{"topic":"t","partition":-1,"replicas":[1]}]})",
             R"({"partitions":[{"topic":7,"partition":0,"replicas":[1]}]})",
             R"({"partitions":[{"partition":0,"replicas":[1]}]})",
             R"({"partitions":[{"topic":"t","partition":0,"replicas":[99999999999]}]})",
             R"({"partitions":[{"topic":"t","partition":0,"replicas":[1],"log_dirs":["/d"]}]})",
             R"({"partitions":[{"topic":"t","partition":0,"replicas":[1]},
                               {"topic":"t","partition":0,"replicas":[2]}]})",
         }) {
        const auto plan = parse_plan(bad);
        EXPECT_FALSE(plan.ok()) << bad;
        EXPECT_TRUE(absl::IsInvalidArgument(plan.status())) << bad;
    }
}

TEST(Moves, ADrainedBrokersReplicasGoWhereThereAreFewest) {
    const auto moves =
        drained(0, cluster({"", "", "", ""}, {{0, 1}, {1, 0}, {0, 2}, {1, 2}, {2, 1}}));
    ASSERT_TRUE(moves.ok()) << moves.status();
    EXPECT_EQ(*moves, (Moves{{"t", 0, {3, 1}}, {"t", 1, {1, 3}}, {"t", 2, {3, 2}}}));
}

TEST(Moves, ADrainKeepsReplicasOnRacksOfTheirOwn) {
    const auto moves = drained(0, cluster({"a", "b", "b", "a"}, {{0, 1}, {3, 3}, {3, 3}}));
    ASSERT_TRUE(moves.ok());
    EXPECT_EQ(*moves, (Moves{{"t", 0, {3, 1}}})) << "2 has fewer, but stands where 1 does";
}

TEST(Moves, ADrainWithNoBrokerLeftSaysSo) {
    const auto moves = drained(0, cluster({"", ""}, {{1}, {0, 1}}));
    ASSERT_FALSE(moves.ok());
    EXPECT_NE(base::message(moves.status()).find("partition 1 of 't'"), std::string::npos);
    EXPECT_TRUE(drained(0, cluster({"", ""}, {{1}}))->empty());
}

TEST(Moves, WhoSendsAndWhoReceivesIsThrottled) {
    const auto now = cluster({"", "", "", ""}, {{0, 1}, {1, 2}});
    const Moves moves{{"t", 0, {1, 3}}, {"t", 1, {3, 2}}, {"gone", 0, {1}}};
    const auto throttled = throttled_replicas(moves, now);
    ASSERT_EQ(throttled.size(), 1u);
    EXPECT_EQ(throttled.at("t").leaders, (std::set<std::string>{"0:0", "0:1", "1:1", "1:2"}));
    EXPECT_EQ(throttled.at("t").followers, (std::set<std::string>{"0:3", "1:3"}));
    EXPECT_EQ(concerned(moves, now), (std::set<int32_t>{0, 1, 2, 3}));
}

}  // namespace
}  // namespace cli
