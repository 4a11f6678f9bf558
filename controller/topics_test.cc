#include "controller/topics.h"

#include <gtest/gtest.h>

#include "controller/names.h"
#include "controller/testing.h"

namespace controller {
namespace {

using kafka::ErrorCode;
using CreatableTopic = kafka::CreateTopicsRequest::CreatableTopic;

CreatableTopic wanted(std::string name, int32_t partitions = 1, int16_t replicas = 1) {
    CreatableTopic t;
    t.name = std::move(name);
    t.num_partitions = partitions;
    t.replication_factor = replicas;
    return t;
}

CreatableTopic assigned(std::string name, std::vector<std::vector<int32_t>> brokers) {
    auto t = wanted(std::move(name), -1, -1);
    int32_t index = 0;
    for (auto& ids : brokers) t.assignments.push_back({index++, std::move(ids)});
    return t;
}

CreatableTopic with_config(std::string name, std::string key, std::optional<std::string> value) {
    auto t = wanted(std::move(name));
    t.configs.push_back({std::move(key), std::move(value)});
    return t;
}

class Topics : public testing::Test {
  protected:
    kafka::CreateTopicsResponse create(std::vector<CreatableTopic> topics, bool validate = false) {
        kafka::CreateTopicsRequest request;
        request.topics = std::move(topics);
        request.validate_only = validate;
        auto ids = cluster.next_ids(request.topics.size());
        auto start = cluster.image()->partition_count();
        return cluster.commit(create_topics(cluster.state(), request, ids, start));
    }
    ErrorCode create_one(CreatableTopic t) {
        return create({std::move(t)}).topics.at(0).error_code;
    }

    TestCluster cluster{3};
};

TEST_F(Topics, CreateAnswersWithWhatWasMade) {
    auto response = create({wanted("a", 4, 2), with_config("b", "cleanup.policy", "compact")});
    ASSERT_EQ(response.topics.size(), 2u);
    const auto& a = response.topics[0];
    EXPECT_EQ(a.error_code, ErrorCode::none) << a.error_message.value_or("");
    EXPECT_EQ(a.error_message, std::nullopt);
    EXPECT_EQ(a.num_partitions, 4);
    EXPECT_EQ(a.replication_factor, 2);
    ASSERT_TRUE(cluster.image()->topic("a"));
    EXPECT_EQ(a.topic_id, cluster.image()->topic("a")->id);
    for (const auto& p : cluster.image()->topic("a")->partitions) {
        EXPECT_EQ(p->replicas.size(), 2u);
        EXPECT_EQ(p->isr, p->replicas);
        EXPECT_EQ(p->leader, p->replicas[0]);
        EXPECT_EQ(p->leader_epoch, 0);
    }
    EXPECT_EQ(cluster.image()->topic_configs("b").at("cleanup.policy"), "compact");
    bool found = false;
    for (const auto& c : *response.topics[1].configs) {
        if (c.name != "cleanup.policy") continue;
        found = true;
        EXPECT_EQ(c.value, "compact");
        EXPECT_EQ(c.config_source, 1);
    }
    EXPECT_TRUE(found);
}

TEST_F(Topics, DefaultsComeFromTheBrokersConfig) {
    cluster.static_configs = {{"num.partitions", "6"}, {"default.replication.factor", "2"}};
    auto response = create({wanted("a", -1, -1)});
    EXPECT_EQ(response.topics[0].num_partitions, 6);
    EXPECT_EQ(response.topics[0].replication_factor, 2);
}

TEST_F(Topics, TheOptionsSayWhatTheRequestDoesNot) {
    EXPECT_EQ(create({wanted("a", -1, -1)}).topics[0].replication_factor, 3);
    cluster.static_configs["default.replication.factor"] = "2";
    cluster.static_configs["num.partitions"] = "2";
    EXPECT_EQ(create({wanted("b", -1, -1)}).topics[0].replication_factor, 2);
    EXPECT_EQ(cluster.image()->topic("b")->partitions.size(), 2u);
}

TEST_F(Topics, ValidateOnlyChangesNothing) {
    auto response = create({wanted("a", 2, 1), wanted("b", 0, 1)}, true);
    EXPECT_EQ(response.topics[0].error_code, ErrorCode::none);
    EXPECT_EQ(response.topics[0].num_partitions, 2);
    EXPECT_TRUE(response.topics[0].topic_id.is_zero());
    EXPECT_EQ(response.topics[1].error_code, ErrorCode::invalid_partitions);
    EXPECT_TRUE(cluster.image()->topics().empty());
}

TEST_F(Topics, CreateRefusesEachForItsReason) {
    create({wanted("there"), wanted("a.b")});
    auto both = assigned("x", {{0}});
    both.num_partitions = 1;
    auto gap = assigned("x", {{0}, {1}});
    gap.assignments[1].partition_index = 2;
    auto twice = assigned("x", {{0}, {1}});
    twice.assignments[1].partition_index = 0;
    auto two_configs = with_config("x", "retention.ms", "1");
    two_configs.configs.push_back({"retention.ms", "2"});
    auto lags = with_config("x", "min.compaction.lag.ms", "5");
    lags.configs.push_back({"max.compaction.lag.ms", "4"});
    struct Row {
        CreatableTopic topic;
        ErrorCode code;
    };
    for (const auto& row : std::vector<Row>{
             {wanted(""), ErrorCode::invalid_topic_exception},
             {wanted("."), ErrorCode::invalid_topic_exception},
             {wanted(".."), ErrorCode::invalid_topic_exception},
             {wanted("a/b"), ErrorCode::invalid_topic_exception},
             {wanted(std::string("a\0b", 3)), ErrorCode::invalid_topic_exception},
             {wanted("é"), ErrorCode::invalid_topic_exception},
             {wanted(std::string(250, 'a')), ErrorCode::invalid_topic_exception},
             {wanted("__cluster_metadata"), ErrorCode::invalid_topic_exception},
             {wanted("a_b"), ErrorCode::invalid_topic_exception},
             {wanted("there"), ErrorCode::topic_already_exists},
             {wanted("x", 0), ErrorCode::invalid_partitions},
             {wanted("x", -2), ErrorCode::invalid_partitions},
             {wanted("x", 10'001), ErrorCode::policy_violation},
             {wanted("x", INT32_MAX), ErrorCode::policy_violation},
             {wanted("x", 1, 0), ErrorCode::invalid_replication_factor},
             {wanted("x", 1, -2), ErrorCode::invalid_replication_factor},
             {wanted("x", 1, 4), ErrorCode::invalid_replication_factor},
             {both, ErrorCode::invalid_request},
             {gap, ErrorCode::invalid_replica_assignment},
             {twice, ErrorCode::invalid_replica_assignment},
             {assigned("x", {{}}), ErrorCode::invalid_replica_assignment},
             {assigned("x", {{0, 0}}), ErrorCode::invalid_replica_assignment},
             {assigned("x", {{0, 7}}), ErrorCode::invalid_replica_assignment},
             {assigned("x", {{0}, {1, 2}}), ErrorCode::invalid_replica_assignment},
             {with_config("x", "no.such.config", "1"), ErrorCode::invalid_config},
             {with_config("x", "retention.ms", "-2"), ErrorCode::invalid_config},
             {with_config("x", "retention.ms", "7d"), ErrorCode::invalid_config},
             {with_config("x", "retention.ms", std::nullopt), ErrorCode::invalid_config},
             {with_config("x", "cleanup.policy", std::string(40'000, 'a')),
              ErrorCode::invalid_config},
             {two_configs, ErrorCode::invalid_config},
             {lags, ErrorCode::invalid_config},
         }) {
        auto response = create({row.topic});
        ASSERT_EQ(response.topics.size(), 1u);
        EXPECT_EQ(response.topics[0].error_code, row.code)
            << row.topic.name.substr(0, 20) << ": "
            << response.topics[0].error_message.value_or("");
        EXPECT_FALSE(response.topics[0].error_message.value_or("").empty());
        EXPECT_EQ(cluster.image()->topics().size(), 2u);
    }
    EXPECT_EQ(create_one(wanted(std::string(249, 'a'))), ErrorCode::none);
}

TEST_F(Topics, OneRequestMayFailInPart) {
    auto response = create({wanted("a"), wanted("b", 0), wanted("c"), wanted("c"), wanted("d.e"),
                            wanted("d_e"), wanted("f", 9'999)});
    ASSERT_EQ(response.topics.size(), 6u) << "a topic that stands twice is answered once";
    EXPECT_EQ(response.topics[0].error_code, ErrorCode::none);
    EXPECT_EQ(response.topics[1].error_code, ErrorCode::invalid_partitions);
    EXPECT_EQ(response.topics[2].error_code, ErrorCode::invalid_request);
    EXPECT_EQ(response.topics[3].error_code, ErrorCode::none);
    EXPECT_EQ(response.topics[4].error_code, ErrorCode::invalid_topic_exception);
    EXPECT_EQ(response.topics[5].error_code, ErrorCode::policy_violation) << "9,998 are left";
    EXPECT_EQ(cluster.image()->topics().size(), 2u);
}

TEST_F(Topics, AssignmentByHandIsTaken) {
    auto t = assigned("x", {{2, 0}, {1, 2}});
    EXPECT_EQ(create_one(t), ErrorCode::none);
    auto topic = cluster.image()->topic("x");
    ASSERT_EQ(topic->partitions.size(), 2u);
    EXPECT_EQ(topic->partitions[0]->leader, base::BrokerId{2});
    EXPECT_EQ(topic->partitions[1]->leader, base::BrokerId{1});
}

TEST_F(Topics, AFencedReplicaIsNotInSyncAndDoesNotLead) {
    cluster.fence(2);
    EXPECT_EQ(create_one(assigned("x", {{2, 0}})), ErrorCode::none);
    const auto& p = *cluster.image()->topic("x")->partitions[0];
    EXPECT_EQ(p.leader, base::BrokerId{0});
    EXPECT_EQ(p.isr, (std::vector<base::BrokerId>{base::BrokerId{0}}));
    EXPECT_EQ(create_one(assigned("y", {{2}})), ErrorCode::invalid_replica_assignment);
    EXPECT_EQ(create_one(wanted("z", 1, 3)), ErrorCode::none) << "a fenced broker may be a replica";
    EXPECT_EQ(cluster.image()->topic("z")->partitions[0]->isr.size(), 2u);
}

TEST_F(Topics, DeleteByNameAndById) {
    create({wanted("a"), wanted("b"), wanted("c"), wanted("d")});
    kafka::DeleteTopicsRequest request;
    request.topic_names = {"a", "nowhere"};
    request.topics.resize(8);
    request.topics[0].topic_id = cluster.image()->topic("b")->id;
    request.topics[1].name = "c";
    request.topics[2].name = "c";
    request.topics[3].topic_id = {9, 9};
    request.topics[5].name = "d";
    request.topics[5].topic_id = cluster.image()->topic("d")->id;
    request.topics[6].name = "d";
    request.topics[7].topic_id = cluster.image()->topic("d")->id;
    auto response = cluster.commit(delete_topics(cluster.state(), request));
    std::vector<ErrorCode> codes;
    for (const auto& r : response.responses) codes.push_back(r.error_code);
    EXPECT_EQ(codes, (std::vector<ErrorCode>{
                         ErrorCode::none,                        // b by id
                         ErrorCode::invalid_request,             // c twice, told once
                         ErrorCode::unknown_topic_id,            // 9, 9
                         ErrorCode::invalid_request,             // neither
                         ErrorCode::invalid_request,             // both
                         ErrorCode::invalid_request,             // d by name and …
                         ErrorCode::invalid_request,             // … by id
                         ErrorCode::none,                        // a
                         ErrorCode::unknown_topic_or_partition,  // nowhere
                     }));
    EXPECT_EQ(response.responses[0].name, "b");
    EXPECT_FALSE(response.responses[7].topic_id.is_zero());
    EXPECT_EQ(cluster.image()->topics().size(), 2u);
    EXPECT_TRUE(cluster.image()->topic("c") && cluster.image()->topic("d"));
}

TEST_F(Topics, DeleteCanBeDisabled) {
    create({wanted("a")});
    cluster.static_configs = {{"delete.topic.enable", "false"}};
    kafka::DeleteTopicsRequest request;
    request.topic_names = {"a"};
    auto response = cluster.commit(delete_topics(cluster.state(), request));
    EXPECT_EQ(response.responses[0].error_code, ErrorCode::topic_deletion_disabled);
    EXPECT_TRUE(cluster.image()->topic("a"));
}

TEST_F(Topics, PartitionsGrow) {
    create({wanted("a", 2, 2), wanted("b", 2, 1)});
    auto grow = [&](const std::string& name, int32_t count,
                    std::optional<std::vector<std::vector<int32_t>>> by_hand = std::nullopt,
                    bool validate = false, int times = 1) {
        kafka::CreatePartitionsRequest request;
        request.validate_only = validate;
        kafka::CreatePartitionsRequest::CreatePartitionsTopic t{name, count, std::nullopt};
        if (by_hand) {
            t.assignments.emplace();
            for (auto& ids : *by_hand) t.assignments->push_back({ids});
        }
        for (int i = 0; i < times; ++i) request.topics.push_back(t);
        auto response = cluster.commit(create_partitions(cluster.state(), request, 0));
        EXPECT_EQ(response.results.size(), 1u);
        return response.results[0].error_code;
    };
    EXPECT_EQ(grow("nowhere", 3), ErrorCode::unknown_topic_or_partition);
    EXPECT_EQ(grow("a", 2), ErrorCode::invalid_partitions);
    EXPECT_EQ(grow("a", 1), ErrorCode::invalid_partitions);
    EXPECT_EQ(grow("a", -1), ErrorCode::invalid_partitions);
    EXPECT_EQ(grow("a", 10'003), ErrorCode::policy_violation);
    EXPECT_EQ(grow("a", 3, {{{0, 1}, {1, 2}}}), ErrorCode::invalid_replica_assignment);
    EXPECT_EQ(grow("a", 3, {{{0}}}), ErrorCode::invalid_replica_assignment);
    EXPECT_EQ(grow("a", 3, {{{0, 9}}}), ErrorCode::invalid_replica_assignment);
    EXPECT_EQ(grow("a", 3, std::nullopt, false, 2), ErrorCode::invalid_request);
    EXPECT_EQ(grow("a", 3, std::nullopt, true), ErrorCode::none);
    EXPECT_EQ(cluster.image()->topic("a")->partitions.size(), 2u);
    EXPECT_EQ(grow("a", 3, {{{2, 1}}}), ErrorCode::none);
    EXPECT_EQ(grow("a", 5), ErrorCode::none);
    auto topic = cluster.image()->topic("a");
    ASSERT_EQ(topic->partitions.size(), 5u);
    EXPECT_EQ(topic->partitions[2]->leader, base::BrokerId{2});
    EXPECT_EQ(topic->partitions[4]->replicas.size(), 2u);
    EXPECT_EQ(topic->partitions[4]->index, 4);
}

TEST_F(Topics, EmptyRequestsGetEmptyAnswers) {
    EXPECT_TRUE(create({}).topics.empty());
    EXPECT_TRUE(cluster.commit(delete_topics(cluster.state(), {})).responses.empty());
    EXPECT_TRUE(cluster.commit(create_partitions(cluster.state(), {}, 0)).results.empty());
}

TEST(Names, CollideInDotsAndUnderscores) {
    EXPECT_TRUE(collide("a.b_c", "a_b.c"));
    EXPECT_FALSE(collide("a.b", "a-b"));
    EXPECT_FALSE(collide("a.b", "a.b.c"));
}

}  // namespace
}  // namespace controller
