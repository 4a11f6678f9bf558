#include "controller/voters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/service_testing.h"
#include "io/fake_shards.h"
#include "kafka/messages/remove_raft_voter.h"
#include "storage/store/memory_store.h"

namespace controller {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kCluster[] = "a-cluster";

/// Nodes on one shard, whose messages go straight to each other unless their link is cut.
class VotersTest : public testing::Test {
  protected:
    struct Node {
        std::unique_ptr<storage::MemoryStore> store = std::make_unique<storage::MemoryStore>();
        std::unique_ptr<Service> service;  // null: the process is down
        raft::Member self;
    };

    ~VotersTest() override {
        for (int32_t id = 0; id < static_cast<int32_t>(nodes.size()); ++id) kill(id);
    }

    static std::string address(int32_t id) { return "here:" + std::to_string(id); }
    quorum::LogStore::Opened open(int32_t id) {
        quorum::LogStore::Options options;
        options.id = id;
        options.cluster_id = kCluster;
        options.address = address(id);
        options.draw = [this] { return ++draws; };
        auto opened =
            quorum::LogStore::open(*nodes.at(static_cast<size_t>(id)).store, std::move(options));
        CHECK(opened.ok()) << opened.status();
        nodes[static_cast<size_t>(id)].self = opened->log->self();
        return *std::move(opened);
    }
    /// A cluster of `voters`, and blank nodes beside them; all run.
    void found(int32_t voters, int32_t count) {
        nodes.resize(static_cast<size_t>(count));
        raft::Configuration configuration;
        for (int32_t id = 0; id < voters; ++id)
            configuration.voters[open(id).log->self()] = address(id);
        for (int32_t id = 0; id < count; ++id) {
            auto log = open(id);
            const auto known = id < voters ? configuration : raft::Configuration{};
            CHECK(log.log->found(kCluster, known).ok());
        }
        for (int32_t id = 0; id < count; ++id) start(id);
    }
    void start(int32_t id) {
        Service::Options options;
        options.id = base::BrokerId{id};
        options.founders = founders;
        options.draw = [this] { return ++draws; };
        options.now = [this] { return shards.at(0).now(); };
        options.send = [this, id](raft::Message m) { carry(id, std::move(m)); };
        options.is_controller = [this](const raft::Member& m) {
            return mere_brokers.contains(m.id) ? std::optional(false) : std::nullopt;
        };
        auto& node = nodes.at(static_cast<size_t>(id));
        node.service =
            std::make_unique<Service>(shards, shards.at(0), open(id), std::move(options));
        node.service->start();
    }
    void carry(int32_t from, raft::Message m) {
        const auto to = m.to.id;
        if (cut.contains(from) || cut.contains(to)) return;
        shards.at(0).post([this, to, m = std::move(m)]() mutable {
            if (auto& service = nodes.at(static_cast<size_t>(to)).service)
                service->receive(std::move(m));
        });
    }
    void kill(int32_t id) {
        auto& node = nodes.at(static_cast<size_t>(id));
        if (!node.service) return;
        node.service->stop([] {});
        shards.settle();
        node.service.reset();
    }
    /// It comes back with a blank disk, of the same cluster.
    void lose_disk(int32_t id) {
        kill(id);
        nodes.at(static_cast<size_t>(id)).store = std::make_unique<storage::MemoryStore>();
        CHECK(open(id).log->found(kCluster, {}).ok());
        start(id);
    }
    void run(milliseconds time) {
        for (milliseconds passed{0}; passed < time; passed += milliseconds{10}) {
            shards.pass(milliseconds{10});
            shards.settle();
        }
    }
    template <class Condition>
    void until(Condition condition, const char* what) {
        for (int i = 0; i < 3000; ++i) {
            if (condition()) return;
            run(milliseconds{10});
        }
        FAIL() << what;
    }
    Service& at(int32_t id) { return *nodes.at(static_cast<size_t>(id)).service; }
    bool active(int32_t id) {
        auto& node = nodes.at(static_cast<size_t>(id));
        return node.service && !cut.contains(id) && node.service->standing().active;
    }
    int32_t leader() {
        for (int i = 0; i < 3000; ++i) {
            for (int32_t id = 0; id < static_cast<int32_t>(nodes.size()); ++id)
                if (active(id)) return id;
            run(milliseconds{10});
        }
        ADD_FAILURE() << "nobody leads";
        return 0;
    }
    void lead(int32_t id) {
        until([&] { return active(id) || (at(leader()).transfer_to({id}).ok() && active(id)); },
              "it does not lead");
    }
    /// The node asks once, as its process does four times a second.
    base::Status apply(int32_t id, bool controller = true) {
        const auto status =
            at(leader()).apply({nodes.at(static_cast<size_t>(id)).self, address(id), controller});
        shards.settle();
        return status;
    }
    const raft::Configuration& configuration() { return at(leader()).configuration(); }
    std::vector<int32_t> voters() {
        std::vector<int32_t> out;
        for (const auto& [member, address] : configuration().voters) out.push_back(member.id);
        return out;
    }
    /// Node `id` lost its disk, has been taken in anew, and can be heard by nobody.
    void replace_and_cut_off(int32_t id) {
        lose_disk(id);
        cut = {id};
        until([&] { return apply(id).ok() && configuration().has_learner(self(id)); },
              "it is not taken in");
    }
    const raft::Member& self(int32_t id) { return nodes.at(static_cast<size_t>(id)).self; }
    template <class Response, class Request>
    kafka::ErrorCode ask(Request request) {
        std::optional<kafka::ErrorCode> code;
        at(leader()).submit<Request, Response>(
            std::move(request), shards.at(0), [&](const auto& outcome) {
                code = outcome ? outcome->response.error_code : outcome.error().code;
            });
        until([&] { return code.has_value(); }, "no answer");
        return *code;
    }
    kafka::ErrorCode remove(int32_t id) {
        kafka::RemoveRaftVoterRequest request;
        request.cluster_id = std::nullopt;
        request.voter_id = id;
        request.voter_directory_id = self(id).incarnation;
        return ask<kafka::RemoveRaftVoterResponse>(request);
    }
    kafka::ErrorCode unregister(int32_t id) {
        auto registration = registration_of(kCluster, {1, ++draws});
        registration.broker_id = id;
        EXPECT_EQ(ask<kafka::BrokerRegistrationResponse>(registration), kafka::ErrorCode::none);
        kafka::UnregisterBrokerRequest request;
        request.broker_id = id;
        return ask<kafka::UnregisterBrokerResponse>(request);
    }

    io::FakeShards shards;
    std::set<int32_t> founders{0, 1, 2};
    std::set<int32_t> mere_brokers;
    std::set<int32_t> cut;  // nothing goes from or to these
    std::vector<Node> nodes;
    uint64_t draws = 0;
};

TEST_F(VotersTest, AVoterThatLostItsDiskVotesAgainOnceItHasCaughtUp) {
    found(3, 3);
    lead(0);
    replace_and_cut_off(2);
    EXPECT_THAT(voters(), ElementsAre(0, 1));
    EXPECT_THAT(configuration().promised, ElementsAre(self(2)));
    run(milliseconds{2000});
    EXPECT_THAT(voters(), ElementsAre(0, 1)) << "it has nothing yet";
    cut.clear();
    until([&] { return configuration().has_voter(self(2)); }, "it does not vote");
    EXPECT_THAT(configuration().promised, IsEmpty());
    EXPECT_TRUE(active(0));
}

/// The wish was in the memory of who led, once: the node followed for good, two voters were left,
/// and the next failure was one too many.
TEST_F(VotersTest, TheNextLeaderKeepsThePromise) {
    found(3, 3);
    lead(0);
    replace_and_cut_off(2);
    lead(1);
    cut.clear();
    until([&] { return configuration().has_voter(self(2)); }, "it does not vote");
    EXPECT_TRUE(active(1));
    kill(0);
    EXPECT_THAT(voters(), ElementsAre(0, 1, 2));
    run(milliseconds{3000});
    leader();
}

TEST_F(VotersTest, APromiseOutlivesAllProcesses) {
    found(3, 3);
    replace_and_cut_off(2);
    run(milliseconds{500});
    for (int32_t id : {0, 1, 2}) kill(id);
    for (int32_t id : {0, 1, 2}) start(id);
    EXPECT_THAT(configuration().promised, ElementsAre(self(2)));
    cut.clear();
    until([&] { return configuration().has_voter(self(2)); }, "it does not vote");
}

TEST_F(VotersTest, WhoLosesItsDiskAgainKeepsThePromise) {
    found(3, 3);
    replace_and_cut_off(2);
    const auto first = self(2);
    run(milliseconds{2000});
    replace_and_cut_off(2);
    EXPECT_NE(self(2), first);
    EXPECT_FALSE(configuration().has(first));
    EXPECT_THAT(configuration().promised, ElementsAre(self(2)));
    lead(1);
    cut.clear();
    until([&] { return configuration().has_voter(self(2)); }, "it does not vote");
}

TEST_F(VotersTest, NobodyTakesThePlaceOfWhoIsAlive) {
    found(3, 3);
    run(milliseconds{500});
    const auto there = configuration();
    const auto status = at(leader()).apply({{2, {77, 77}}, address(2), true});
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    run(milliseconds{2000});
    EXPECT_EQ(configuration(), there);
}

TEST_F(VotersTest, WhoWasRemovedDoesNotVoteByItself) {
    found(3, 3);
    lead(0);
    run(milliseconds{500});
    EXPECT_EQ(remove(2), kafka::ErrorCode::none);
    EXPECT_TRUE(apply(2).ok());
    until([&] { return configuration().has_learner(self(2)); }, "it is not taken in");
    run(milliseconds{2000});
    EXPECT_THAT(voters(), ElementsAre(0, 1));
    EXPECT_THAT(configuration().promised, IsEmpty());
}

TEST_F(VotersTest, APromiseIsTakenBackByRemoval) {
    found(3, 3);
    lead(0);
    replace_and_cut_off(2);
    run(milliseconds{500});
    EXPECT_EQ(remove(2), kafka::ErrorCode::none);
    EXPECT_FALSE(configuration().has_id(2));
    cut.clear();
    EXPECT_TRUE(apply(2).ok());
    until([&] { return configuration().has_learner(self(2)); }, "it is not taken in");
    run(milliseconds{2000});
    EXPECT_THAT(voters(), ElementsAre(0, 1));
    EXPECT_EQ(remove(2), kafka::ErrorCode::voter_not_found) << "an observer that stays one";
}

TEST_F(VotersTest, AControllerThatIsUnregisteredAsABrokerKeepsItsPromise) {
    found(3, 3);
    lead(0);
    replace_and_cut_off(2);
    run(milliseconds{500});
    EXPECT_EQ(unregister(2), kafka::ErrorCode::none);
    EXPECT_THAT(configuration().promised, ElementsAre(self(2)));
}

TEST_F(VotersTest, AMereBrokerGetsNoVote) {
    found(3, 3);
    lead(0);
    lose_disk(2);
    until([&] { return apply(2, false).ok() && configuration().has_learner(self(2)); },
          "it is not taken in");
    run(milliseconds{2000});
    EXPECT_THAT(voters(), ElementsAre(0, 1));
    EXPECT_THAT(configuration().promised, IsEmpty());
}

TEST_F(VotersTest, APromiseWaitsWhileItsNodeIsAMereBroker) {
    found(3, 3);
    lead(0);
    replace_and_cut_off(2);
    mere_brokers = {2};
    cut.clear();
    run(milliseconds{3000});
    EXPECT_THAT(configuration().promised, ElementsAre(self(2)));
    mere_brokers.clear();
    until([&] { return configuration().has_voter(self(2)); }, "it does not vote");
}

TEST_F(VotersTest, FoundersVoteWhoeverLeads) {
    found(1, 3);
    until([&] { return apply(1).ok() && configuration().has_voter(self(1)); }, "1 does not vote");
    cut = {2};
    until([&] { return apply(2).ok() && configuration().has_learner(self(2)); },
          "2 is not taken in");
    EXPECT_THAT(configuration().promised, ElementsAre(self(2)));
    lead(1);
    EXPECT_TRUE(at(1).image()->cluster_id().empty()) << "nothing is decided without 2";
    cut.clear();
    until([&] { return at(leader()).image()->cluster_id() == kCluster; }, "it is not founded");
    EXPECT_THAT(voters(), ElementsAre(0, 1, 2));
}

}  // namespace
}  // namespace controller
