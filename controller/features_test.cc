#include "controller/features.h"

#include <gtest/gtest.h>

#include "controller/testing.h"

namespace controller {
namespace {

using kafka::ErrorCode;

class Features : public testing::Test {
  protected:
    Features() { cluster.replay({metadata::feature_record("metadata.version", 1)}); }
    void add_broker(int id, metadata::FeatureRange range) {
        metadata::Broker b;
        b.id = base::BrokerId{id};
        b.features["metadata.version"] = range;
        cluster.replay({metadata::broker_record(b)});
    }
    ErrorCode update(int16_t level, int8_t kind = 1, bool validate_only = false,
                     const std::string& name = "metadata.version") {
        kafka::UpdateFeaturesRequest request;
        request.validate_only = validate_only;
        auto& f = request.feature_updates.emplace_back();
        f.feature = name;
        f.max_version_level = level;
        f.upgrade_type = kind;
        return cluster.commit(update_features(cluster.state(), request)).error_code;
    }
    int16_t level() { return cluster.image()->features().at("metadata.version"); }

    TestCluster cluster{0};
};

TEST_F(Features, RiseWhenEveryBrokerCan) {
    add_broker(0, {1, 2});
    add_broker(1, {1, 1});
    EXPECT_EQ(update(2), ErrorCode::invalid_update_version);
    add_broker(1, {1, 3});
    EXPECT_EQ(update(2, 1, true), ErrorCode::none);
    EXPECT_EQ(level(), 1) << "only asked whether it could";
    EXPECT_EQ(update(2), ErrorCode::none);
    EXPECT_EQ(level(), 2);
    EXPECT_EQ(update(3), ErrorCode::invalid_update_version) << "this node can't";
    EXPECT_EQ(update(0), ErrorCode::invalid_update_version);
    EXPECT_EQ(update(1, 1, false, "nothing"), ErrorCode::invalid_update_version);
    EXPECT_EQ(update(2, 9), ErrorCode::invalid_request);
}

TEST_F(Features, FallOnlyIfNothingIsLost) {
    EXPECT_EQ(update(2), ErrorCode::none);
    metadata::Partition p;
    p.replicas = p.isr = {base::BrokerId{0}};
    p.leader = base::BrokerId{0};
    p.recovering = true;
    cluster.replay({metadata::topic_record("t", {1, 1}), metadata::partition_record({1, 1}, p)});
    EXPECT_EQ(update(1), ErrorCode::invalid_update_version);
    EXPECT_EQ(update(1, 2), ErrorCode::invalid_update_version);
    EXPECT_EQ(update(1, 3), ErrorCode::invalid_update_version);
    p.recovering = false;
    cluster.replay({metadata::partition_record({1, 1}, p)});
    EXPECT_EQ(update(1, 2), ErrorCode::none);
    EXPECT_EQ(level(), 1);
}

TEST_F(Features, AllOrNone) {
    kafka::UpdateFeaturesRequest request;
    request.feature_updates.push_back({.feature = "metadata.version", .max_version_level = 2});
    request.feature_updates.push_back({.feature = "metadata.version", .max_version_level = 2});
    auto d = update_features(cluster.state(), request);
    EXPECT_EQ(d.response.error_code, ErrorCode::invalid_request);
    EXPECT_TRUE(d.records.empty());
}

}  // namespace
}  // namespace controller
