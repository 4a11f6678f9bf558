#include "broker/cluster_view.h"

#include <gtest/gtest.h>

#include <set>

#include "metadata/delta.h"
#include "metadata/records.h"

namespace broker {
namespace {

using base::BrokerId;

metadata::ImagePtr brokers(std::initializer_list<int> active, std::initializer_list<int> fenced) {
    metadata::Delta delta(metadata::Image::empty());
    const auto add = [&](int id, bool is_fenced) {
        metadata::Broker b;
        b.id = BrokerId{id};
        b.epoch = 1;
        b.fenced = is_fenced;
        b.endpoints.push_back({.listener = "PLAINTEXT", .host = "h", .port = 1});
        EXPECT_TRUE(delta.replay(metadata::broker_record(b)).ok());
    };
    for (const int id : active) add(id, false);
    for (const int id : fenced) add(id, true);
    return delta.apply({1, 1});
}

std::set<int32_t> shown(const metadata::ImagePtr& image, int32_t active,
                        std::string_view listener = "PLAINTEXT") {
    absl::BitGen random;
    std::set<int32_t> out;
    for (int i = 0; i < 200; ++i) out.insert(shown_controller(*image, listener, active, random));
    return out;
}

TEST(ShownController, IsTheActiveOneWhereThatIsABroker) {
    EXPECT_EQ(shown(brokers({0, 1, 2}, {}), 1), std::set<int32_t>{1});
}

TEST(ShownController, IsAnyBrokerInServiceWhereClientsCantReachTheActiveOne) {
    const auto image = brokers({0, 1}, {2});
    EXPECT_EQ(shown(image, 100), (std::set<int32_t>{0, 1})) << "a controller only";
    EXPECT_EQ(shown(image, 2), (std::set<int32_t>{0, 1})) << "out of service";
    EXPECT_EQ(shown(image, -1), (std::set<int32_t>{0, 1})) << "nobody is known to lead";
}

TEST(ShownController, IsNobodyWhereNobodyIsKnown) {
    EXPECT_EQ(shown(brokers({}, {0, 1}), -1), std::set<int32_t>{-1});
    EXPECT_EQ(shown(brokers({0}, {}), -1, "OTHER"), std::set<int32_t>{-1});
    EXPECT_EQ(shown(metadata::Image::empty(), -1), std::set<int32_t>{-1});
}

}  // namespace
}  // namespace broker
