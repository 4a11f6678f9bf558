#include "metadata/delta.h"

#include <gtest/gtest.h>

#include <random>

#include "metadata/records.h"
#include "metadata/snapshot.h"

namespace metadata {
namespace {

base::TopicId id_of(uint64_t n) { return {1, n}; }

Partition partition_of(int32_t index, std::initializer_list<int32_t> replicas) {
    Partition p;
    p.index = index;
    for (int32_t r : replicas) p.replicas.push_back(base::BrokerId{r});
    p.isr = p.replicas;
    p.leader = p.replicas.front();
    return p;
}

/// The same image, sharing nothing with it: as another node's snapshot gives it.
ImagePtr copied(const Image& image) {
    std::vector<v1::Record> records;
    for_each_record(image, [&](const v1::Record& r) { records.push_back(r); });
    return *image_of(records, image.position());
}

void expect_same_changes(const Delta& a, const Delta& b) {
    ASSERT_EQ(a.topics().size(), b.topics().size());
    for (const auto& [id, change] : a.topics()) {
        ASSERT_TRUE(b.topics().contains(id));
        const auto& other = b.topics().at(id);
        EXPECT_EQ(change.created, other.created);
        EXPECT_EQ(change.configs, other.configs);
        EXPECT_EQ(change.partitions, other.partitions);
    }
    EXPECT_EQ(a.removed_topics(), b.removed_topics());
    EXPECT_EQ(a.brokers(), b.brokers());
    EXPECT_EQ(a.broker_configs(), b.broker_configs());
}

ImagePtr replayed(ImagePtr base, const std::vector<v1::Record>& records, LogPosition at) {
    Delta delta{std::move(base)};
    for (const auto& r : records) EXPECT_TRUE(delta.replay(r).ok()) << r.ShortDebugString();
    return delta.apply(at);
}

ImagePtr with_two_topics() {
    Broker b{.id = base::BrokerId{0},
             .incarnation = {7, 8},
             .epoch = 3,
             .endpoints = {{"PLAINTEXT", "localhost", 9092, "PLAINTEXT"}},
             .rack = "a",
             .fenced = false};
    return replayed(Image::empty(),
                    {cluster_record("c"), feature_record("metadata.version", 1), broker_record(b),
                     topic_record("b", id_of(1)), partition_record(id_of(1), partition_of(0, {0})),
                     partition_record(id_of(1), partition_of(1, {0})), topic_record("a", id_of(2)),
                     partition_record(id_of(2), partition_of(0, {0})),
                     topic_config_record("a", "retention.ms", "5"),
                     broker_config_record(kNoBroker, "log.retention.ms", "9"),
                     producer_ids_record(1000, base::BrokerId{0}, 3)},
                    {4, 2});
}

TEST(Delta, BuildsAnImage) {
    auto image = with_two_topics();
    EXPECT_EQ(image->position(), (LogPosition{4, 2}));
    EXPECT_EQ(image->cluster_id(), "c");
    EXPECT_EQ(image->partition_count(), 3u);
    EXPECT_EQ(image->topics().begin()->key, "a");
    ASSERT_TRUE(image->topic("b"));
    EXPECT_EQ(image->topic("b")->partitions.size(), 2u);
    EXPECT_EQ(image->topic(id_of(1)), image->topic("b"));
    EXPECT_EQ(image->topic_configs("a").at("retention.ms"), "5");
    EXPECT_EQ(image->cluster_configs().at("log.retention.ms"), "9");
    EXPECT_TRUE(image->active(base::BrokerId{0}));
    EXPECT_FALSE(image->active(base::BrokerId{1}));
    EXPECT_EQ(image->next_producer_id(), 1000);
    EXPECT_EQ(image->partition({id_of(1), 1})->leader, base::BrokerId{0});
    EXPECT_EQ(image->partition({id_of(1), 2}), nullptr);
}

TEST(Delta, SharesWhatDidNotChangeAndLeavesTheBaseAlone) {
    auto base = with_two_topics();
    auto before = hash(*base);
    v1::Record change;
    auto* c = change.mutable_partition_change();
    set(c->mutable_topic_id(), id_of(1));
    c->set_index(1);
    c->set_leader(-1);
    c->mutable_isr();
    Delta delta{base};
    ASSERT_TRUE(delta.replay(change).ok());
    auto next = delta.apply();
    EXPECT_EQ(hash(*base), before);
    EXPECT_EQ(next->topic("a"), base->topic("a"));
    EXPECT_EQ(next->topic("b")->partitions[0], base->topic("b")->partitions[0]);
    const Partition* p = next->partition({id_of(1), 1});
    EXPECT_EQ(p->leader, kNoBroker);
    EXPECT_EQ(p->leader_epoch, 1);
    EXPECT_EQ(p->partition_epoch, 1);
    EXPECT_TRUE(p->isr.empty());
    EXPECT_EQ(delta.topics().at(id_of(1)).partitions, (std::set<base::PartitionIndex>{1}));
    EXPECT_EQ(delta.topics().size(), 1u);
}

TEST(Delta, SaysWhatChanged) {
    auto base = with_two_topics();
    Delta delta{base};
    EXPECT_TRUE(delta.empty());
    ASSERT_TRUE(delta.replay(remove_topic_record(id_of(2))).ok());
    ASSERT_TRUE(delta.replay(topic_record("a", id_of(3))).ok());
    ASSERT_TRUE(delta.replay(partition_record(id_of(3), partition_of(0, {0}))).ok());
    ASSERT_TRUE(delta.replay(topic_config_record("b", "segment.ms", "1")).ok());
    ASSERT_TRUE(delta.replay(broker_config_record(base::BrokerId{0}, "x", "1")).ok());
    auto next = delta.apply();
    EXPECT_FALSE(delta.empty());
    ASSERT_EQ(delta.removed_topics().size(), 1u);
    EXPECT_EQ(delta.removed_topics().at(id_of(2)), base->topic("a"));
    EXPECT_TRUE(delta.topics().at(id_of(3)).created);
    EXPECT_TRUE(delta.topics().at(id_of(1)).configs);
    EXPECT_FALSE(delta.topics().at(id_of(1)).created);
    EXPECT_EQ(delta.broker_configs(), (std::set<base::BrokerId>{base::BrokerId{0}}));
    EXPECT_EQ(next->topic("a")->id, id_of(3));
    EXPECT_TRUE(next->topic_configs("a").empty()) << "a topic's configs go with it";
    EXPECT_EQ(next->partition_count(), 3u);
}

TEST(Delta, ATopicThatComesAndGoesLeavesNoTrace) {
    auto base = with_two_topics();
    Delta delta{base};
    ASSERT_TRUE(delta.replay(topic_record("x", id_of(9))).ok());
    ASSERT_TRUE(delta.replay(partition_record(id_of(9), partition_of(0, {0}))).ok());
    ASSERT_TRUE(delta.replay(remove_topic_record(id_of(9))).ok());
    EXPECT_EQ(hash(*delta.apply()), hash(*base));
    EXPECT_TRUE(delta.topics().empty());
    EXPECT_TRUE(delta.removed_topics().empty());
}

TEST(Delta, ANewTopicIsKnownBeforeAndAfterItIsApplied) {
    Delta delta{with_two_topics()};
    for (uint64_t id : {11, 12}) {
        ASSERT_TRUE(delta.replay(topic_record("x", id_of(id))).ok());
        EXPECT_FALSE(delta.replay(topic_record("x", id_of(77))).ok());
        EXPECT_FALSE(delta.replay(topic_record("y", id_of(id))).ok());
        if (id == 12) {  // the first one is removed before it ever stood in an image
            EXPECT_EQ(delta.apply()->topic("x")->id, id_of(12));
        }
        EXPECT_FALSE(delta.replay(topic_record("x", id_of(77))).ok());
        ASSERT_TRUE(delta.replay(topic_config_record("x", "segment.ms", "1")).ok());
        if (id == 12) {
            EXPECT_EQ(delta.apply()->topic_configs("x").at("segment.ms"), "1");
        }
        ASSERT_TRUE(delta.replay(remove_topic_record(id_of(id))).ok());
        EXPECT_EQ(delta.apply()->topic("x"), nullptr);
        EXPECT_FALSE(delta.replay(topic_config_record("x", "segment.ms", "1")).ok());
    }
}

TEST(Delta, ImagesGivenOutDoNotChangeWhenMoreIsReplayed) {
    Delta delta{with_two_topics()};
    ASSERT_TRUE(delta.replay(partition_record(id_of(1), partition_of(2, {0}))).ok());
    auto first = delta.apply({5, 2});
    auto before = hash(*first);
    ASSERT_TRUE(delta.replay(partition_record(id_of(1), partition_of(3, {0}))).ok());
    auto second = delta.apply({6, 2});
    EXPECT_EQ(hash(*first), before);
    EXPECT_EQ(second->topic("b")->partitions.size(), 4u);
}

TEST(Delta, RefusesRecordsThatDoNotFit) {
    v1::Record unknown;
    v1::Record change;
    set(change.mutable_partition_change()->mutable_topic_id(), id_of(1));
    change.mutable_partition_change()->set_index(2);
    v1::Record unregister;
    unregister.mutable_unregister_broker()->set_broker_id(0);
    v1::Record bad_broker_config = broker_config_record(base::BrokerId{0}, "a", "b");
    bad_broker_config.mutable_config()->set_resource_name("x");
    v1::Record port = broker_record(Broker{});
    port.mutable_register_broker()->set_broker_id(1);
    port.mutable_register_broker()->add_endpoints()->set_port(65536);
    auto base = with_two_topics();
    for (const auto& r :
         {unknown, change, unregister, bad_broker_config, port, cluster_record("other"),
          topic_record("a", id_of(5)), topic_record("c", id_of(1)), topic_record("", id_of(5)),
          topic_record("d", {}), remove_topic_record(id_of(5)),
          partition_record(id_of(5), partition_of(0, {0})),
          partition_record(id_of(1), partition_of(3, {0})),
          topic_config_record("nowhere", "a", "b"), topic_config_record("a", "", "b"),
          producer_ids_record(999, base::BrokerId{0}, 3), feature_record("f", -1)}) {
        Delta delta{base};
        EXPECT_EQ(delta.replay(r).code(), absl::StatusCode::kInvalidArgument)
            << r.ShortDebugString();
        EXPECT_EQ(hash(*delta.apply()), hash(*base)) << r.ShortDebugString();
    }
}

TEST(Difference, IsNothingBetweenEqualImages) {
    auto image = with_two_topics();
    EXPECT_TRUE(Delta::between(image, image)->empty());
    auto copy = copied(*image);
    auto delta = Delta::between(image, copy);
    EXPECT_TRUE(delta->empty());
    EXPECT_EQ(delta->base(), image);
    EXPECT_EQ(hash(*delta->apply()), hash(*copy));
}

TEST(Difference, FromNothingIsAllThereIs) {
    auto image = with_two_topics();
    auto delta = Delta::between(Image::empty(), image);
    EXPECT_EQ(delta->topics().size(), 2u);
    EXPECT_TRUE(delta->topics().at(id_of(2)).created);
    EXPECT_TRUE(delta->topics().at(id_of(2)).configs);
    EXPECT_FALSE(delta->topics().at(id_of(1)).configs);
    EXPECT_EQ(delta->topics().at(id_of(1)).partitions, (std::set<base::PartitionIndex>{0, 1}));
    EXPECT_EQ(delta->brokers(), (std::set<base::BrokerId>{base::BrokerId{0}}));
    EXPECT_EQ(delta->broker_configs(), (std::set<base::BrokerId>{kNoBroker}));
    auto back = Delta::between(image, Image::empty());
    EXPECT_EQ(back->removed_topics().size(), 2u);
    EXPECT_TRUE(back->topics().empty());
    EXPECT_EQ(back->brokers(), delta->brokers());
}

TEST(Difference, ATopicMadeAnewIsAnotherOne) {
    auto base = with_two_topics();
    auto next = replayed(base,
                         {remove_topic_record(id_of(2)), topic_record("a", id_of(3)),
                          partition_record(id_of(3), partition_of(0, {0})),
                          broker_config_record(kNoBroker, "log.retention.ms", std::nullopt)},
                         {5, 2});
    auto delta = Delta::between(base, copied(*next));
    EXPECT_EQ(delta->removed_topics().at(id_of(2)), base->topic("a"));
    EXPECT_TRUE(delta->topics().at(id_of(3)).created);
    EXPECT_EQ(delta->topics().size(), 1u);
    EXPECT_EQ(delta->broker_configs(), (std::set<base::BrokerId>{kNoBroker}));
    EXPECT_EQ(hash(*delta->apply()), hash(*next));
}

TEST(Difference, TellsOfWhatIsNoRowOfItsOwn) {
    auto base = with_two_topics();
    for (const auto& r : {producer_ids_record(2000, kNoBroker, -1),
                          feature_record("metadata.version", 2), feature_record("other", 1)}) {
        auto delta = Delta::between(base, replayed(base, {r}, {5, 2}));
        EXPECT_FALSE(delta->empty());
        EXPECT_TRUE(delta->topics().empty());
    }
}

/// Draws records of which none takes another one back.
class RandomRecords {
  public:
    explicit RandomRecords(uint64_t seed) : random_(seed) {}

    v1::Record next(const Image& image) {
        ++count_;
        switch (random_() % 7) {
            case 0:
                return topic_record("t" + std::to_string(count_), id_of(100 + count_));
            case 1:
                return broker_record({.id = base::BrokerId{draw(4)}, .epoch = count_});
            case 2:
                return broker_config_record(base::BrokerId{draw(4) - 1}, "x", text());
            default:
                return of_a_topic(image);
        }
    }

  private:
    int32_t draw(uint64_t n) { return static_cast<int32_t>(random_() % n); }
    std::string text() { return std::to_string(count_); }

    v1::Record of_a_topic(const Image& image) {
        if (image.topics().empty()) return producer_ids_record(count_, kNoBroker, -1);
        auto it = image.topics().begin();
        for (auto steps = random_() % image.topics().size(); steps > 0; --steps) ++it;
        const Topic& topic = *it->value;
        const auto size = static_cast<int32_t>(topic.partitions.size());
        switch (random_() % 6) {
            case 0:
                return remove_topic_record(topic.id);
            case 1:
                return topic_config_record(topic.name, "x", text());
            case 2:
            case 3:
                return partition_record(topic.id, partition_of(size, {draw(4)}));
            default:
                if (size == 0) return partition_record(topic.id, partition_of(0, {draw(4)}));
                Partition p = *topic.partitions[random_() % topic.partitions.size()];
                p.leader = base::BrokerId{draw(4)};
                ++p.leader_epoch;
                return partition_change_record(topic.id, *topic.partition(p.index), p);
        }
    }

    std::mt19937_64 random_;
    int64_t count_ = 0;
};

TEST(Difference, IsWhatTheRecordsBetweenWouldHaveTold) {
    for (uint64_t seed = 1; seed <= 150; ++seed) {
        RandomRecords records(seed);
        ImagePtr base = Image::empty();
        for (int64_t round = 1; round <= 5; ++round) {
            Delta replay(base);
            ImagePtr next = base;
            for (uint64_t n = seed % 30; n > 0; --n) {
                ASSERT_TRUE(replay.replay(records.next(*next)).ok());
                next = replay.apply({round, 1});
            }
            SCOPED_TRACE(seed);
            for (const auto& to : {next, copied(*next)}) {
                auto delta = Delta::between(base, to);
                expect_same_changes(*delta, replay);
                ASSERT_EQ(hash(*delta->apply()), hash(*next));
            }
            base = next;
        }
    }
}

TEST(Snapshot, GivesTheSameImageBack) {
    auto image = with_two_topics();
    std::vector<v1::Record> records;
    for_each_record(*image, [&](const v1::Record& r) { records.push_back(r); });
    auto again = image_of(records, image->position());
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(hash(**again), hash(*image));
    EXPECT_EQ((*again)->partition_count(), image->partition_count());
    auto other = image_of(records, {5, 2});
    EXPECT_NE(hash(**other), hash(*image));
    records.push_back(records.back());
    records.front() = remove_topic_record(id_of(77));
    EXPECT_FALSE(image_of(records, {}).ok());
}

}  // namespace
}  // namespace metadata
