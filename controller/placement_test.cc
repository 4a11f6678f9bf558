#include "controller/placement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "controller/testing.h"

namespace controller {
namespace {

using base::BrokerId;

struct Load {
    std::map<int, int> leaders, replicas;
    int spread(const std::map<int, int>& m, int brokers) const {
        int least = INT32_MAX, most = 0;
        for (int b = 0; b < brokers; ++b) {
            int n = m.contains(b) ? m.at(b) : 0;
            least = std::min(least, n);
            most = std::max(most, n);
        }
        return most - least;
    }
};

Load load_of(const std::vector<std::vector<BrokerId>>& placed) {
    Load load;
    for (const auto& replicas : placed) {
        ++load.leaders[replicas[0].value];
        for (auto id : replicas) ++load.replicas[id.value];
        EXPECT_EQ(std::set<BrokerId>(replicas.begin(), replicas.end()).size(), replicas.size());
    }
    return load;
}

TEST(Placement, SpreadsLeadersAndReplicasEvenly) {
    for (int brokers : {1, 2, 3, 4, 5, 7}) {
        TestCluster cluster(brokers);
        for (int replicas = 1; replicas <= std::min(brokers, 4); ++replicas) {
            for (uint64_t start : {0u, 1u, 17u}) {
                auto placed = place(*cluster.image(), 420, static_cast<size_t>(replicas), start);
                ASSERT_TRUE(placed.ok());
                auto load = load_of(*placed);
                EXPECT_LE(load.spread(load.leaders, brokers), 1) << brokers << "/" << replicas;
                EXPECT_LE(load.spread(load.replicas, brokers), 4) << brokers << "/" << replicas;
            }
        }
    }
}

TEST(Placement, OneBrokersLeadersFailOverToAllOthers) {
    TestCluster cluster(5);
    auto placed = place(*cluster.image(), 100, 3, 0);
    std::set<int> seconds;
    for (const auto& replicas : *placed)
        if (replicas[0] == BrokerId{0}) seconds.insert(replicas[1].value);
    EXPECT_EQ(seconds, (std::set<int>{1, 2, 3, 4}));
}

TEST(Placement, EachReplicaOnARackOfItsOwn) {
    TestCluster cluster(6, {"a", "b", "c"});
    for (uint64_t start = 0; start < 6; ++start) {
        auto placed = place(*cluster.image(), 60, 3, start);
        ASSERT_TRUE(placed.ok());
        for (const auto& replicas : *placed) {
            std::set<int> racks;
            for (auto id : replicas) racks.insert(id.value % 3);
            EXPECT_EQ(racks.size(), 3u);
        }
        auto load = load_of(*placed);
        EXPECT_LE(load.spread(load.leaders, 6), 1);
    }
    auto more = place(*cluster.image(), 6, 5, 0);
    ASSERT_TRUE(more.ok()) << "more replicas than racks";
    load_of(*more);
}

TEST(Placement, FencedBrokersComeLast) {
    TestCluster cluster(4);
    cluster.fence(1);
    cluster.fence(3);
    auto two = place(*cluster.image(), 10, 2, 0);
    ASSERT_TRUE(two.ok());
    for (const auto& replicas : *two)
        for (auto id : replicas) EXPECT_TRUE(id.value == 0 || id.value == 2);
    auto three = place(*cluster.image(), 10, 3, 0);
    ASSERT_TRUE(three.ok());
    for (const auto& replicas : *three) EXPECT_TRUE(cluster.image()->active(replicas[0]));
}

TEST(Placement, RefusesWhatCannotBe) {
    TestCluster cluster(2);
    EXPECT_EQ(place(*cluster.image(), 1, 3, 0).error().code,
              kafka::ErrorCode::invalid_replication_factor);
    cluster.fence(0);
    cluster.fence(1);
    EXPECT_EQ(place(*cluster.image(), 1, 1, 0).error().code,
              kafka::ErrorCode::invalid_replication_factor);
    EXPECT_FALSE(place(*metadata::Image::empty(), 1, 1, 0).ok());
}

}  // namespace
}  // namespace controller
