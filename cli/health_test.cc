#include "cli/health.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Partition = kafka::MetadataResponse::MetadataResponsePartition;

Partition partition(int32_t leader, std::vector<int32_t> replicas, std::vector<int32_t> isr) {
    Partition out;
    out.leader_id = leader;
    out.replica_nodes = std::move(replicas);
    out.isr_nodes = std::move(isr);
    return out;
}

/// Brokers 0 to 2, of which 1 leads the controllers.
class HealthTest : public testing::Test {
  protected:
    HealthTest() {
        brokers.cluster_id = "cluster";
        for (const int32_t id : {2, 0, 1}) brokers.brokers.emplace_back().broker_id = id;
        metadata.controller_id = 2;
        quorum.emplace();
        quorum->leader_id = 1;
        quorum->leader_epoch = 4;
        add("whole", {partition(0, {0, 1, 2}, {2, 1, 0}), partition(1, {1}, {1})});
    }
    void add(const std::string& name, std::vector<Partition> partitions) {
        auto& topic = metadata.topics.emplace_back();
        topic.name = name;
        topic.partitions = std::move(partitions);
    }
    Health health() const { return health_of(brokers, metadata, quorum, quorum_known, min_isr); }

    kafka::DescribeClusterResponse brokers;
    kafka::MetadataResponse metadata;
    std::optional<Quorum> quorum;
    bool quorum_known = true;
    MinIsr min_isr;
};

TEST_F(HealthTest, AGoodClusterIsOneLine) {
    EXPECT_THAT(health().problems(), IsEmpty());
    EXPECT_EQ(health().line(false),
              "cluster  HEALTHY  3/3 brokers  controller b1  epoch 4  offline 0  "
              "under-min-isr 0  under-replicated 0");
    EXPECT_EQ(health().json()["partitions"], 2);
    EXPECT_EQ(health().json()["healthy"], true);
    EXPECT_THAT(topics_out_of_sync(metadata), IsEmpty());
}

TEST_F(HealthTest, FencedBrokersAreNamed) {
    brokers.brokers[0].is_fenced = brokers.brokers[1].is_fenced = true;
    EXPECT_THAT(health().problems(), ElementsAre("brokers 0,2 are out of service"));
    EXPECT_EQ(health().line(false),
              "cluster  DEGRADED  1/3 brokers  controller b1  epoch 4  offline 0  "
              "under-min-isr 0  under-replicated 0");
    brokers.brokers[0].is_fenced = false;
    EXPECT_THAT(health().problems(), ElementsAre("broker 0 is out of service"));
}

TEST_F(HealthTest, PartitionsAreCountedByWhatIsWrong) {
    add("offline", {partition(-1, {1, 2}, {1})});
    add("short", {partition(0, {0, 1, 2}, {0}), partition(0, {0, 1, 2}, {0, 1})});
    add("unasked", {partition(0, {0, 1}, {0})});
    EXPECT_THAT(topics_out_of_sync(metadata), ElementsAre("offline", "short", "unasked"));
    min_isr = {{"offline", 1}, {"short", 2}};
    const Health h = health();
    EXPECT_EQ(h.offline, 1u);
    EXPECT_EQ(h.under_replicated, 4u);
    EXPECT_EQ(h.under_min_isr, 1u);
    EXPECT_THAT(h.where_to_look(), ElementsAre("moldau topic describe offline short unasked"));
    EXPECT_THAT(h.json()["degraded_topics"], ElementsAre("offline", "short", "unasked"));
    EXPECT_THAT(h.problems(), ElementsAre("1 partition has no leader",
                                          "1 partition has too few replicas in sync for acks=all"));
    min_isr.clear();
    metadata.topics.erase(metadata.topics.begin() + 1);
    EXPECT_THAT(health().problems(),
                ElementsAre("3 partitions have replicas that are not in sync"));
}

TEST_F(HealthTest, TellsWhereToLook) {
    EXPECT_THAT(health().where_to_look(), IsEmpty());
    brokers.brokers[0].is_fenced = true;
    quorum->leader_id = -1;
    for (int i = 0; i < 7; ++i) add("t" + std::to_string(i), {partition(0, {0, 2}, {0})});
    EXPECT_THAT(health().where_to_look(),
                ElementsAre("moldau controller status", "moldau broker list",
                            "moldau topic describe t0 t1 t2 t3 t4 (and 2 more topics: cluster "
                            "status -o json)"));
    EXPECT_EQ(health().degraded.size(), 7u);
}

TEST_F(HealthTest, NoPartitionNeedsMoreReplicasThanItHas) {
    add("two", {partition(0, {0, 1}, {0, 1}), partition(0, {0, 1}, {0})});
    min_isr = {{"two", 5}};
    EXPECT_EQ(health().under_min_isr, 1u);
}

TEST_F(HealthTest, WithoutAControllerTheClusterIsNotHealthy) {
    quorum->leader_id = -1;
    for (int turn = 0; turn < 2; ++turn, quorum.reset()) {
        EXPECT_THAT(health().problems(), ElementsAre("no controller is active"));
        EXPECT_EQ(health().line(false),
                  "cluster  DEGRADED  3/3 brokers  no controller  offline 0  under-min-isr 0  "
                  "under-replicated 0");
        EXPECT_TRUE(health().json()["controller"].is_null());
    }
}

TEST_F(HealthTest, BrokersWithoutAQuorumSayWhoTheControllerIs) {
    quorum.reset();
    quorum_known = false;
    EXPECT_THAT(health().problems(), IsEmpty());
    EXPECT_EQ(health().controller, 2);
    EXPECT_EQ(health().epoch, std::nullopt);
}

}  // namespace
}  // namespace cli
