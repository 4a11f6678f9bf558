#include "controller/brokers.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <ctime>

#include "controller/broker_ids.h"
#include "controller/elections.h"
#include "controller/testing.h"

namespace controller {
namespace {

using base::BrokerId;
using kafka::ErrorCode;

constexpr BrokerId k0{0}, k1{1}, k2{2};

metadata::Partition partition_of(int32_t index, std::vector<BrokerId> replicas) {
    metadata::Partition p;
    p.index = index;
    p.isr = replicas;
    p.leader = replicas.front();
    p.replicas = std::move(replicas);
    return p;
}

metadata::Broker starting(BrokerId id, uint64_t incarnation) {
    metadata::Broker b;
    b.id = id;
    b.incarnation = {incarnation, incarnation};
    b.endpoints.push_back({"PLAINTEXT", "localhost", 9092, "PLAINTEXT"});
    return b;
}

class Brokers : public testing::Test {
  protected:
    Brokers() {
        cluster.replay({metadata::topic_record("t", kTopic),
                        metadata::partition_record(kTopic, partition_of(0, {k0})),
                        metadata::partition_record(kTopic, partition_of(1, {k0, k1})),
                        metadata::partition_record(kTopic, partition_of(2, {k1, k0}))});
    }
    int64_t start(BrokerId id, uint64_t incarnation) {
        auto index = cluster.image()->position().index + 1;
        const auto* old = cluster.image()->broker(id);
        Registration orderly{starting(id, incarnation), old ? old->epoch : -1};
        auto outcome = register_broker(cluster.state(), orderly, index, false);
        EXPECT_TRUE(outcome.ok());
        return cluster.commit(*std::move(outcome));
    }
    const metadata::Partition& partition(int32_t i) {
        return *cluster.image()->partition({kTopic, i});
    }

    static constexpr base::TopicId kTopic{1, 1};
    TestCluster cluster{2};
};

TEST_F(Brokers, ARestartGivesUpLeadershipUntilTheBrokerServesAgain) {
    auto epoch = start(k0, 5);
    EXPECT_EQ(epoch, cluster.image()->position().index);
    EXPECT_TRUE(cluster.image()->broker(k0)->fenced);
    EXPECT_EQ(partition(0).leader, metadata::kNoBroker);
    EXPECT_EQ(partition(0).leader_epoch, 1);
    EXPECT_TRUE(partition(0).isr.empty()) << "it is fenced";
    EXPECT_EQ(partition(0).elr, (std::vector<BrokerId>{k0})) << "it holds what was acknowledged";
    EXPECT_EQ(partition(1).leader, k1);
    EXPECT_EQ(partition(2).leader_epoch, 0) << "it did not lead this one";
    EXPECT_EQ(partition(2).isr, (std::vector<BrokerId>{k1}));

    auto outcome = beat(cluster.state(), k0, epoch);
    ASSERT_TRUE(outcome.ok());
    cluster.commit(*std::move(outcome));
    EXPECT_TRUE(cluster.image()->active(k0));
    EXPECT_EQ(partition(0).leader, k0);
    EXPECT_EQ(partition(0).leader_epoch, 2);
    EXPECT_EQ(partition(1).leader, k1);
    auto again = beat(cluster.state(), k0, epoch);
    ASSERT_TRUE(again.ok());
    EXPECT_TRUE(again->records.empty());
}

TEST_F(Brokers, OneProcessForEachId) {
    auto epoch = start(k0, 5);
    cluster.commit(*beat(cluster.state(), k0, epoch));
    EXPECT_EQ(register_broker(cluster.state(), Registration{starting(k0, 6)}, 9, true).error().code,
              ErrorCode::duplicate_broker_registration);
    EXPECT_TRUE(register_broker(cluster.state(), Registration{starting(k0, 5)}, 9, true).ok())
        << "the same one";
    EXPECT_TRUE(register_broker(cluster.state(), Registration{starting(k0, 6)}, 9, false).ok())
        << "the other is gone";
    EXPECT_TRUE(register_broker(cluster.state(), Registration{starting(k2, 6)}, 9, true).ok())
        << "a new one";
}

TEST_F(Brokers, AnOldRegistrationHasNoSay) {
    auto old = start(k0, 5);
    auto epoch = start(k0, 6);
    EXPECT_EQ(beat(cluster.state(), k0, old).error().code, ErrorCode::stale_broker_epoch);
    EXPECT_EQ(beat(cluster.state(), k2, 1).error().code, ErrorCode::broker_id_not_registered);
    EXPECT_EQ(allocate_producer_ids(cluster.state(), k0, old).error().code,
              ErrorCode::stale_broker_epoch);
    EXPECT_EQ(allocate_producer_ids(cluster.state(), k2, 1).error().code,
              ErrorCode::broker_id_not_registered);
    EXPECT_TRUE(allocate_producer_ids(cluster.state(), k0, epoch).ok());
}

TEST_F(Brokers, ProducerIdsComeInBlocksThatNeverOverlap) {
    for (int64_t i = 0; i < 3; ++i) {
        auto outcome = allocate_producer_ids(cluster.state(), k1, 1);
        ASSERT_TRUE(outcome.ok());
        EXPECT_EQ(cluster.commit(*std::move(outcome)), (ProducerIdBlock{i * 1000, 1000}));
    }
    cluster.replay({metadata::producer_ids_record(INT64_MAX - 999, k1, 1)});
    EXPECT_EQ(allocate_producer_ids(cluster.state(), k1, 1).error().code,
              ErrorCode::unknown_server_error);
}

TEST_F(Brokers, ARetriedRegistrationChangesNothing) {
    auto epoch = start(k0, 5);
    cluster.commit(*beat(cluster.state(), k0, epoch));
    auto again = register_broker(cluster.state(), Registration{starting(k0, 5)}, 99, true);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->response, epoch);
    EXPECT_TRUE(again->records.empty());
    auto moved = starting(k0, 5);
    moved.rack = "elsewhere";
    EXPECT_EQ(cluster.commit(*register_broker(cluster.state(), Registration{moved}, 99, true)),
              epoch);
    EXPECT_EQ(cluster.image()->broker(k0)->rack, "elsewhere");
    EXPECT_TRUE(cluster.image()->active(k0));
}

TEST_F(Brokers, AfterAnUncleanStopABrokerMayNotLeadUnlessItIsTheOnlyReplica) {
    cluster.static_configs["min.insync.replicas"] = "2";
    auto index = cluster.image()->position().index + 1;
    cluster.commit(
        *register_broker(cluster.state(), Registration{starting(k0, 5), 1}, index, false));
    EXPECT_EQ(partition(1).elr, (std::vector<BrokerId>{k0})) << "an orderly one";

    cluster.commit(
        *register_broker(cluster.state(), Registration{starting(k0, 6), 1}, ++index, false));
    EXPECT_TRUE(partition(1).elr.empty());
    EXPECT_EQ(partition(0).elr, (std::vector<BrokerId>{k0})) << "nobody holds more";

    cluster.commit(*fence_broker(cluster.state(), k1, 1));
    EXPECT_EQ(partition(1).leader, metadata::kNoBroker);
    EXPECT_EQ(partition(1).elr, (std::vector<BrokerId>{k1}));
    cluster.commit(*beat(cluster.state(), k0, index));
    EXPECT_EQ(partition(1).leader, metadata::kNoBroker) << "it may lack what k1 has";
    cluster.commit(*beat(cluster.state(), k1, 1));
    EXPECT_EQ(partition(1).leader, k1);
    EXPECT_FALSE(partition(1).recovering);
}

TEST_F(Brokers, TheLastLeaderComesBackIfAllStoppedUncleanly) {
    cluster.replay({metadata::feature_record("metadata.version", 2)});
    auto capable = [](BrokerId id, uint64_t incarnation) {
        auto b = starting(id, incarnation);
        b.features["metadata.version"] = {1, 2};
        return Registration{b};
    };
    cluster.commit(*fence_broker(cluster.state(), k0, 1));
    EXPECT_EQ(partition(1).isr, (std::vector<BrokerId>{k1}));
    auto one = cluster.commit(*register_broker(cluster.state(), capable(k1, 6),
                                               cluster.image()->position().index + 1, false));
    auto zero = cluster.commit(*register_broker(cluster.state(), capable(k0, 6),
                                                cluster.image()->position().index + 1, false));
    EXPECT_TRUE(partition(1).isr.empty());
    EXPECT_TRUE(partition(1).elr.empty());
    EXPECT_EQ(partition(1).last_known_elr, (std::vector<BrokerId>{k1}));
    cluster.commit(*beat(cluster.state(), k0, zero));
    EXPECT_EQ(partition(1).leader, metadata::kNoBroker) << "k1 led last";
    cluster.commit(*beat(cluster.state(), k1, one));
    EXPECT_EQ(partition(1).leader, k1);
    EXPECT_TRUE(partition(1).recovering) << "what was acknowledged may be lost";
    EXPECT_TRUE(partition(1).last_known_elr.empty());
}

TEST_F(Brokers, ABlankDiskIsNoLastLeader) {
    const auto restart = [&](BrokerId id, std::vector<base::Uuid> dirs, int64_t previous = -1) {
        static uint64_t incarnation = 50;
        auto broker = starting(id, ++incarnation);
        broker.log_dirs = std::move(dirs);
        return cluster.commit(*register_broker(cluster.state(), {broker, previous},
                                               cluster.image()->position().index + 1, false));
    };
    const base::Uuid first{1, 1}, second{2, 2}, third{3, 3};
    cluster.static_configs["min.insync.replicas"] = "2";
    restart(k0, {first});
    const auto zero = restart(k1, {first, second});
    EXPECT_EQ(partition(1).last_known_elr, (std::vector<BrokerId>{k1}));
    EXPECT_EQ(cluster.image()->broker(k1)->log_dirs, (std::vector<base::Uuid>{first, second}));

    const auto one = restart(k1, {second, third}, zero);
    EXPECT_EQ(partition(1).last_known_elr, (std::vector<BrokerId>{k1})) << "it has something";
    const auto blank = restart(k1, {third, first}, one);
    EXPECT_EQ(partition(1).last_known_elr, (std::vector<BrokerId>{k1}));
    const auto epoch = restart(k1, {base::Uuid{9, 9}}, blank);
    EXPECT_TRUE(partition(1).last_known_elr.empty());
    cluster.commit(*beat(cluster.state(), k1, epoch));
    EXPECT_EQ(partition(1).leader, metadata::kNoBroker);
    EXPECT_TRUE(cluster.image()->broker(k1)->new_disk);
    const auto crashed = restart(k1, {base::Uuid{9, 9}});
    EXPECT_TRUE(cluster.image()->broker(k1)->new_disk) << "it may still have nothing";
    EXPECT_TRUE(through_a_snapshot(*cluster.image())->broker(k1)->new_disk);
    restart(k1, {base::Uuid{9, 9}}, crashed);
    EXPECT_FALSE(cluster.image()->broker(k1)->new_disk);
}

TEST_F(Brokers, ALeaderWhoseDiskWasReplacedDoesNotLeadAgain) {
    auto broker = starting(k1, 7);
    broker.log_dirs = {{1, 1}};
    const auto next = [&] { return cluster.image()->position().index + 1; };
    cluster.commit(*fence_broker(cluster.state(), k0, 1));
    auto epoch = cluster.commit(*register_broker(cluster.state(), {broker, 1}, next(), false));
    cluster.commit(*beat(cluster.state(), k1, epoch));
    ASSERT_EQ(partition(1).leader, k1);
    broker.incarnation = {8, 8};
    broker.log_dirs = {{2, 2}};
    epoch = cluster.commit(*register_broker(cluster.state(), {broker, epoch}, next(), false));
    cluster.commit(*beat(cluster.state(), k1, epoch));
    EXPECT_EQ(partition(1).leader, metadata::kNoBroker) << "k0 may come back";
    EXPECT_TRUE(partition(1).last_known_elr.empty());
    EXPECT_TRUE(partition(1).elr.empty());
}

TEST_F(Brokers, WithoutOneOfItsDirectoriesAStopWasNotOrderly) {
    cluster.static_configs["min.insync.replicas"] = "2";
    auto broker = starting(k0, 7);
    const auto restart = [&](std::vector<base::Uuid> dirs) {
        const auto* old = cluster.image()->broker(k0);
        broker.incarnation = {7, static_cast<uint64_t>(cluster.image()->position().index)};
        broker.log_dirs = std::move(dirs);
        cluster.commit(*register_broker(cluster.state(), {broker, old->epoch},
                                        cluster.image()->position().index + 1, false));
    };
    restart({{1, 1}, {2, 2}});
    EXPECT_EQ(partition(1).elr, (std::vector<BrokerId>{k0}));
    restart({{2, 2}, {3, 3}, {1, 1}});
    EXPECT_EQ(partition(1).elr, (std::vector<BrokerId>{k0})) << "one more does no harm";
    restart({{2, 2}, {3, 3}});
    EXPECT_TRUE(partition(1).elr.empty());
    EXPECT_EQ(partition(0).elr, (std::vector<BrokerId>{k0})) << "nobody holds more";
}

TEST_F(Brokers, ABrokerThatCannotFollowIsRefused) {
    cluster.replay({metadata::feature_record("metadata.version", 2)});
    EXPECT_EQ(
        register_broker(cluster.state(), Registration{starting(k2, 1)}, 9, false).error().code,
        ErrorCode::unsupported_version);
}

TEST_F(Brokers, NonsenseIsRefused) {
    const auto refusal = [&](const metadata::Broker& broker) {
        const auto outcome = register_broker(cluster.state(), {broker, -1}, 100, false);
        return outcome ? kafka::ErrorCode::none : outcome.error().code;
    };
    EXPECT_EQ(refusal(starting(BrokerId{-1}, 7)), kafka::ErrorCode::invalid_request);
    auto backwards = starting(k1, 7);
    backwards.features["x"] = {2, 1};
    EXPECT_EQ(refusal(backwards), kafka::ErrorCode::invalid_request);
    backwards.features["x"] = {-1, 1};
    EXPECT_EQ(refusal(backwards), kafka::ErrorCode::invalid_request);
}

TEST_F(Brokers, FencedOnesLeaveTheIsr) {
    auto decision = *fence_broker(cluster.state(), k0, 1);
    cluster.commit(std::move(decision));
    EXPECT_EQ(partition(1).leader, k1);
    EXPECT_EQ(partition(1).isr, (std::vector<BrokerId>{k1}));
    EXPECT_EQ(partition(1).leader_epoch, 1);
    EXPECT_EQ(partition(2).leader_epoch, 0) << "a smaller ISR is no new leader";
    EXPECT_EQ(partition(2).partition_epoch, 1);
    EXPECT_TRUE(fence_broker(cluster.state(), k0, 1)->records.empty());
    EXPECT_EQ(fence_broker(cluster.state(), k0, 7).error().code, ErrorCode::stale_broker_epoch);
}

TEST(ManyPartitions, FencingTheirLeaderMovesThemAll) {
    TestCluster cluster(3);
    Records records;
    for (int32_t i = 0; i < 10'000; ++i) {
        const base::TopicId id{2, static_cast<uint64_t>(i) + 1};
        records.push_back(metadata::topic_record("t" + std::to_string(i), id));
        std::vector<BrokerId> replicas{{i % 3}, {(i + 1) % 3}, {(i + 2) % 3}};
        records.push_back(metadata::partition_record(id, partition_of(0, replicas)));
    }
    cluster.replay(std::move(records));
    const std::clock_t begin = std::clock();  // of this process: other load does not count
    auto decision = *fence_broker(cluster.state(), k0, 1);
    const double took_ms = 1000.0 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    std::printf("decided in %.1f ms\n", took_ms);
    EXPECT_EQ(decision.records.size(), 10'001u) << "it is in every ISR";
    EXPECT_LT(took_ms, 5000) << "100 times what is meant, for a sanitizer";
    cluster.commit(std::move(decision));
    EXPECT_FALSE(leads(*cluster.image(), k0));
    EXPECT_FALSE(leads(*cluster.image(), metadata::kNoBroker));
}

TEST_F(Brokers, AnUnregisteredOneIsForgotten) {
    EXPECT_EQ(unregister_broker(cluster.state(), k2).error().code,
              ErrorCode::broker_id_not_registered);
    cluster.commit(*unregister_broker(cluster.state(), k0));
    EXPECT_EQ(cluster.image()->broker(k0), nullptr);
    EXPECT_EQ(partition(1).isr, (std::vector<BrokerId>{k1}));
    EXPECT_EQ(partition(0).leader, metadata::kNoBroker);
}

TEST_F(Brokers, HeartbeatsUnfenceOnceTheRegistrationIsSeen) {
    auto epoch = start(k0, 5);
    auto beat_at = [&](int64_t index) {
        return cluster.commit(*heartbeat(
            cluster.state(), {.broker = k0, .epoch = epoch, .metadata_index = index}, {}));
    };
    EXPECT_TRUE(beat_at(epoch - 1).fenced);
    EXPECT_FALSE(beat_at(epoch - 1).caught_up);
    EXPECT_EQ(partition(0).leader, metadata::kNoBroker);
    EXPECT_FALSE(beat_at(epoch).fenced);
    EXPECT_EQ(partition(0).leader, k0);
    EXPECT_TRUE(beat_at(cluster.image()->position().index).caught_up);
    EXPECT_EQ(heartbeat(cluster.state(), {.broker = k0, .epoch = 1}, {}).error().code,
              ErrorCode::stale_broker_epoch);
}

TEST_F(Brokers, AreFencedOnDemandWhereOthersGoOn) {
    const Heartbeat ill{.broker = k0, .epoch = 1, .metadata_index = 9, .wants_fence = true};
    const auto tell = [&] { return cluster.commit(*heartbeat(cluster.state(), ill, {})); };
    cluster.static_configs["min.insync.replicas"] = "2";
    EXPECT_FALSE(tell().fenced) << "nothing could be acknowledged with one in sync";
    cluster.static_configs["min.insync.replicas"] = "1";
    EXPECT_TRUE(tell().fenced);
    EXPECT_TRUE(cluster.image()->broker(k0)->fenced);
    EXPECT_EQ(partition(1).leader, k1);
    EXPECT_TRUE(tell().fenced) << "told again";
    cluster.commit(*beat(cluster.state(), k0, 1));
    EXPECT_TRUE(cluster.image()->active(k0));
    EXPECT_EQ(partition(0).leader, k0) << "nobody else has it";
    EXPECT_FALSE(tell().fenced) << "it is in sync with nobody";
    EXPECT_EQ(partition(0).leader, k0);
}

TEST_F(Brokers, AShutdownThatIsCalledOffEnds) {
    Heartbeat beat{.broker = k0, .epoch = 1, .metadata_index = 5, .wants_shutdown = true};
    EXPECT_TRUE(cluster.commit(*heartbeat(cluster.state(), beat, {})).leads_nothing);
    EXPECT_EQ(partition(0).leader, metadata::kNoBroker);
    beat.wants_shutdown = false;
    const auto answer = cluster.commit(*heartbeat(cluster.state(), beat, {}));
    EXPECT_FALSE(answer.fenced);
    EXPECT_FALSE(answer.leads_nothing);
    EXPECT_TRUE(cluster.image()->active(k0));
    EXPECT_EQ(partition(0).leader, k0) << "nobody else has it";
    EXPECT_EQ(partition(1).leader, k1);
    EXPECT_TRUE(heartbeat(cluster.state(), beat, {})->records.empty());
}

/// KAFKA-15021: who stops is waited for by nobody.
TEST_F(Brokers, AShutdownLeavesTheIsrWithTheLeadership) {
    Heartbeat beat{.broker = k0, .epoch = 1, .metadata_index = 5, .wants_shutdown = true};
    const auto decision = *heartbeat(cluster.state(), beat, {});
    for (const auto& record : decision.records) {
        if (!record.has_partition_change()) continue;
        const auto isr = metadata::broker_ids(record.partition_change().isr().ids());
        EXPECT_TRUE(record.partition_change().has_isr() && !contains(isr, k0));
    }
}

TEST_F(Brokers, AShutdownMovesLeadersInStepsAndWaitsForTheOthers) {
    Heartbeat beat{.broker = k0, .epoch = 1, .metadata_index = 5, .wants_shutdown = true};
    auto answer = cluster.commit(*heartbeat(cluster.state(), beat, {}, 1));
    EXPECT_TRUE(answer.more_to_move);
    EXPECT_FALSE(answer.leads_nothing);
    EXPECT_FALSE(cluster.image()->active(k0));
    answer = cluster.commit(*heartbeat(cluster.state(), beat, {}, 9));
    EXPECT_TRUE(answer.leads_nothing);
    EXPECT_FALSE(answer.may_stop);
    EXPECT_FALSE(leads(*cluster.image(), k0));
    auto moved = cluster.image()->position().index;
    EXPECT_EQ(partition(1).leader, k1);
    EXPECT_EQ(partition(2).isr, (std::vector<BrokerId>{k1}));
    answer = cluster.commit(*heartbeat(cluster.state(), beat, {moved, moved - 1}));
    EXPECT_FALSE(answer.may_stop) << "k1 has not seen it yet";
    answer = cluster.commit(*heartbeat(cluster.state(), beat, {moved, moved}));
    EXPECT_TRUE(answer.may_stop);
    EXPECT_TRUE(cluster.image()->broker(k0)->fenced);
    EXPECT_TRUE(cluster.commit(*heartbeat(cluster.state(), beat, {})).may_stop) << "asked again";
}

}  // namespace
}  // namespace controller
