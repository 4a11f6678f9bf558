#include "metadata/config.h"

#include <gtest/gtest.h>

#include "metadata/delta.h"
#include "metadata/records.h"

namespace metadata {
namespace {

constexpr base::BrokerId kSelf{0};

ImagePtr image_with(const std::vector<v1::Record>& records) {
    Delta delta{Image::empty()};
    for (const auto& r : records) EXPECT_TRUE(delta.replay(r).ok()) << r.ShortDebugString();
    return delta.apply();
}

using Synonyms = std::vector<ConfigEntry::Synonym>;

TEST(Config, DefaultsComeFromTheBrokersTable) {
    Configs none;
    ConfigView view(*Image::empty(), kSelf, none);
    auto e = view.topic("t", "retention.ms");
    EXPECT_EQ(e.value, "604800000");
    EXPECT_EQ(e.source, ConfigSource::fallback);
    EXPECT_EQ(e.synonyms, (Synonyms{{"log.retention.hours", "168", ConfigSource::fallback}}));
    EXPECT_EQ(view.topic_int("t", "segment.ms"), 604'800'000);
    EXPECT_EQ(view.topic_int("t", "segment.jitter.ms"), 0);
    EXPECT_EQ(view.topic_int("t", "flush.ms"), INT64_MAX);
    EXPECT_EQ(view.topic_list("t", "cleanup.policy"), (std::vector<std::string>{"delete"}));
    EXPECT_EQ(view.topic_double("t", "min.cleanable.dirty.ratio"), 0.5);
    EXPECT_FALSE(view.topic_bool("t", "write.caching"));
    EXPECT_EQ(view.topic_string("t", "compression.type"), "producer");
    EXPECT_EQ(view.broker_string("broker.rack"), "");
    EXPECT_EQ(view.broker_int("num.partitions"), 1);
    EXPECT_TRUE(view.broker_bool("auto.create.topics.enable"));
}

TEST(Config, TopicDefaultsAgreeWithTheBrokersDefaults) {
    Configs none;
    ConfigView view(*Image::empty(), kSelf, none);
    for (const auto& e : view.all_topic("t"))
        EXPECT_EQ(e.value, e.option->fallback) << e.option->name;
}

TEST(Config, EveryBrokerValueInForceParses) {
    Configs none;
    ConfigView view(*Image::empty(), kSelf, none);
    for (const auto& e : view.all_broker())
        EXPECT_TRUE(!e.value || parse(*e.option, *e.value).ok()) << e.option->name;
    Configs old_name{{"broker.id", "7"}};
    EXPECT_EQ(ConfigView(*Image::empty(), kSelf, old_name).broker_int("node.id"), 7);
    EXPECT_EQ(view.broker_int("node.id"), 0);
}

TEST(Config, PrecedenceIsTopicBrokerClusterFileDefault) {
    std::vector<v1::Record> records{
        topic_record("t", {1, 1}),
        broker_config_record(kNoBroker, "log.retention.ms", "3"),
        broker_config_record(kSelf, "log.retention.ms", "4"),
        broker_config_record(base::BrokerId{1}, "log.retention.ms", "77"),
        topic_config_record("t", "retention.ms", "5"),
    };
    auto image = image_with(records);
    Configs file{{"log.retention.hours", "1"}, {"log.retention.minutes", "2"}};
    ConfigView view(*image, kSelf, file);
    auto e = view.topic("t", "retention.ms");
    EXPECT_EQ(e.value, "5");
    EXPECT_EQ(e.synonyms, (Synonyms{{"retention.ms", "5", ConfigSource::dynamic_topic},
                                    {"log.retention.ms", "4", ConfigSource::dynamic_broker},
                                    {"log.retention.ms", "3", ConfigSource::dynamic_default_broker},
                                    {"log.retention.minutes", "2", ConfigSource::static_broker},
                                    {"log.retention.hours", "1", ConfigSource::static_broker},
                                    {"log.retention.hours", "168", ConfigSource::fallback}}));
    EXPECT_EQ(view.topic_int("other", "retention.ms"), 4);
    EXPECT_EQ(ConfigView(*image, base::BrokerId{2}, file).topic_int("other", "retention.ms"), 3);
    EXPECT_EQ(ConfigView(*Image::empty(), kSelf, file).topic_int("t", "retention.ms"), 120'000);
    EXPECT_EQ(view.broker("log.retention.ms").source, ConfigSource::dynamic_broker);
    ASSERT_EQ(view.all_cluster_wide().size(), 1u);
    EXPECT_EQ(view.all_cluster_wide()[0].value, "3");
}

TEST(Config, UnitsOfSynonymsAreConverted) {
    Configs forever{{"log.retention.hours", "-1"}, {"log.roll.hours", "2"}};
    ConfigView view(*Image::empty(), kSelf, forever);
    EXPECT_EQ(view.topic_int("t", "retention.ms"), -1);
    EXPECT_EQ(view.topic_int("t", "segment.ms"), 7'200'000);
    EXPECT_EQ(view.broker("log.roll.ms").value, "7200000");
    EXPECT_EQ(view.broker_int("log.retention.ms"), -1);
}

TEST(Config, OnlyOptionsThatCanChangeAtRunTimeAreWritable) {
    Configs none;
    ConfigView view(*Image::empty(), kSelf, none);
    EXPECT_TRUE(view.broker("listeners").read_only);
    EXPECT_FALSE(view.broker("log.retention.ms").read_only);
    EXPECT_FALSE(view.topic("t", "retention.ms").read_only);
    EXPECT_FALSE(view.broker_set("listeners"));
}

TEST(Config, DefaultsAreSafeOnceThereAreThreeBrokers) {
    std::vector<v1::Record> records;
    for (int32_t id = 0; id < 3; ++id) {
        Broker b;
        b.id = base::BrokerId{id};
        records.push_back(broker_record(b));
    }
    auto image = image_with(records);
    Configs none;
    ConfigView view(*image, kSelf, none);
    EXPECT_EQ(view.broker_int("default.replication.factor"), 3);
    EXPECT_EQ(min_isr(view, "t", 3), 2);
    EXPECT_EQ(min_isr(view, "t", 1), 1);
    Configs said{{"min.insync.replicas", "1"}, {"default.replication.factor", "1"}};
    EXPECT_EQ(min_isr(ConfigView(*image, kSelf, said), "t", 3), 1);
    EXPECT_EQ(ConfigView(*image, kSelf, said).broker_int("default.replication.factor"), 1);
}

}  // namespace
}  // namespace metadata
