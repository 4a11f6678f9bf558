#include "controller/quorum/quorum.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "controller/quorum/testing.h"
#include "io/fake_shards.h"
#include "metadata/snapshot.h"
#include "storage/store/memory_store.h"

namespace quorum {
namespace {

using std::chrono::milliseconds;

constexpr base::Uuid kClusterUuid{9, 9};

/// Members on one shard, whose messages go straight to each other unless their link is cut.
class QuorumTest : public testing::Test {
  protected:
    struct Member {
        std::unique_ptr<storage::MemoryStore> store = std::make_unique<storage::MemoryStore>();
        std::shared_ptr<Quorum> quorum;  // null: the process is down
        raft::Member self;
        std::vector<raft::Position> applied;
        std::vector<Standing> standings;
        base::Status failure;
        size_t installed = 0;
    };

    ~QuorumTest() override {
        for (auto& m : members)
            if (m.quorum) m.quorum->stop();
        shards.settle();
    }

    LogStore::Opened open(size_t i) {
        auto options = options_of(static_cast<int32_t>(i));
        options.draw = [n = 100 * i]() mutable { return ++n; };
        auto opened = LogStore::open(*members[i].store, std::move(options));
        CHECK(opened.ok()) << opened.status();
        return *std::move(opened);
    }
    /// Founds a cluster of `count` voters and starts them.
    void found(size_t count) {
        members.resize(count);
        raft::Configuration configuration;
        for (size_t i = 0; i < count; ++i) {
            members[i].self = open(i).log->self();
            configuration.voters[members[i].self] = "c" + std::to_string(i);
        }
        for (size_t i = 0; i < count; ++i) CHECK(open(i).log->found(kCluster, configuration).ok());
        for (size_t i = 0; i < count; ++i) start(i);
    }
    void start(size_t i) {
        Member& m = members[i];
        Quorum::Options options;
        options.raft.cluster = kClusterUuid;
        options.snapshot_bytes = snapshot_bytes;
        options.seed = ++seed;
        Quorum::Events events;
        events.send = [this, i](raft::Message message) { carry(i, std::move(message)); };
        events.on_applied = [&m](const Quorum::Applied& applied) {
            if (!applied.delta) ++m.installed;
            m.applied.insert(m.applied.end(), applied.positions.begin(), applied.positions.end());
        };
        events.on_standing = [&m](const Standing& s) { m.standings.push_back(s); };
        events.on_configuration = [](const raft::Configuration&) {};
        events.on_failure = [&m](const base::Status& why) { m.failure = why; };
        m.quorum = std::make_shared<Quorum>(shards, shards.at(0), open(i), std::move(options),
                                            std::move(events));
        m.quorum->start();
    }
    void carry(size_t from, raft::Message message) {
        const auto to = static_cast<size_t>(message.to.id);
        if (cut.contains(from) != cut.contains(to)) return;
        shards.at(0).post([this, to, message = std::move(message)]() mutable {
            if (members[to].quorum) members[to].quorum->receive(std::move(message));
        });
    }
    /// kill -9: what was written stays, what was not is gone.
    void kill(size_t i) {
        Member& m = members[i];
        m.quorum->stop();
        m.quorum.reset();
        shards.settle();
        m.store = m.store->after_process_crash();
    }
    void run(milliseconds time) {
        for (milliseconds passed{0}; passed < time; passed += milliseconds{5}) {
            shards.pass(milliseconds{5});
            shards.settle();
        }
    }
    /// The one that is active, and nobody beside it.
    size_t leader() {
        for (int i = 0; i < 1000; ++i) {
            run(milliseconds{10});
            std::vector<size_t> active;
            for (size_t m = 0; m < members.size(); ++m)
                if (members[m].quorum && !cut.contains(m) && members[m].quorum->standing().active)
                    active.push_back(m);
            if (active.size() == 1) return active[0];
        }
        ADD_FAILURE() << "nobody leads";
        return 0;
    }
    /// Proposes a topic each, and waits until they are applied everywhere.
    void add_topics(size_t at, uint64_t first, uint64_t last) {
        for (uint64_t n = first; n <= last; ++n) {
            const auto taken = members[at].quorum->propose(topic_data(n));
            ASSERT_TRUE(taken.ok());
            shards.settle();
        }
        run(milliseconds{500});
    }
    size_t topics(size_t i) const { return members[i].quorum->image()->topics().size(); }
    uint64_t hash(size_t i) const { return metadata::hash(*members[i].quorum->image()); }

    io::FakeShards shards;
    std::vector<Member> members;
    std::set<size_t> cut;  // these reach each other only
    size_t snapshot_bytes = 1 << 20;
    uint64_t seed = 0;
};

TEST_F(QuorumTest, OneMemberLeadsAtOnceAndKeepsWhatItApplied) {
    found(1);
    run(milliseconds{25});
    ASSERT_EQ(leader(), 0u);
    add_topics(0, 1, 3);
    EXPECT_EQ(topics(0), 3u);
    const auto position = members[0].quorum->image()->position();
    EXPECT_EQ(members[0].applied.back(), (raft::Position{position.index, position.term}));
    kill(0);
    start(0);
    ASSERT_EQ(leader(), 0u);
    EXPECT_EQ(topics(0), 3u);
    EXPECT_GT(members[0].quorum->standing().term, position.term);
}

TEST_F(QuorumTest, ThreeApplyTheSameAndSurviveTheLeader) {
    found(3);
    const size_t first = leader();
    add_topics(first, 1, 5);
    for (size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(topics(i), 5u) << i;
        EXPECT_EQ(hash(i), hash(0)) << i;
    }
    kill(first);
    const size_t second = leader();
    EXPECT_NE(second, first);
    EXPECT_EQ(topics(second), 5u) << "active before it has all that was committed";
    add_topics(second, 6, 7);
    start(first);
    run(milliseconds{500});
    EXPECT_EQ(topics(first), 7u);
    EXPECT_EQ(hash(first), hash(second));
}

TEST_F(QuorumTest, WhoIsCutOffStepsDownAndTakesNothing) {
    found(3);
    const size_t old = leader();
    cut = {old};
    const size_t next = leader();
    run(milliseconds{500});
    EXPECT_FALSE(members[old].quorum->standing().active);
    const auto refused = members[old].quorum->propose(topic_data(1));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error(), raft::Refusal::not_leader);
    add_topics(next, 2, 2);
    cut.clear();
    run(milliseconds{500});
    EXPECT_EQ(hash(old), hash(next));
}

TEST_F(QuorumTest, WhoLagsFarBehindIsSentTheSnapshot) {
    snapshot_bytes = 200;
    found(3);
    const size_t at = leader();
    const size_t away = (at + 1) % 3;
    cut = {away};
    add_topics(at, 1, 60);
    EXPECT_GT(members[at].quorum->raft().log().first(), 1) << "nothing was compacted";
    cut.clear();
    run(milliseconds{2000});
    EXPECT_EQ(members[away].installed, 1u);
    const size_t now = leader();
    run(milliseconds{500});
    EXPECT_EQ(topics(away), 60u);
    EXPECT_EQ(hash(away), hash(now));
    kill(away);
    start(away);
    run(milliseconds{1000});
    EXPECT_EQ(topics(away), 60u);
}

TEST_F(QuorumTest, AReadIsAnsweredByTheLeaderOnly) {
    found(3);
    const size_t at = leader();
    std::optional<bool> of_leader, of_follower, of_cut;
    members[at].quorum->read([&](bool ok) { of_leader = ok; });
    members[(at + 1) % 3].quorum->read([&](bool ok) { of_follower = ok; });
    run(milliseconds{100});
    EXPECT_EQ(of_leader, true);
    EXPECT_EQ(of_follower, false);
    cut = {at};
    members[at].quorum->read([&](bool ok) { of_cut = ok; });
    run(milliseconds{1000});
    EXPECT_EQ(of_cut, false) << "nobody confirmed that it still leads";
}

TEST_F(QuorumTest, AFailedWriteEndsItAndIsToldOnce) {
    found(3);
    const size_t at = leader();
    members[at].store->fail_write();
    EXPECT_TRUE(members[at].quorum->propose(topic_data(1)).ok());
    run(milliseconds{50});
    EXPECT_EQ(members[at].failure.code(), absl::StatusCode::kUnavailable);
    EXPECT_FALSE(members[at].quorum->standing().active);
    cut = {at};
    const size_t next = leader();
    EXPECT_NE(next, at);
    EXPECT_FALSE(members[at].quorum->propose(topic_data(2)).ok());
}

TEST_F(QuorumTest, AnEntryThatCannotBeReplayedStopsTheMember) {
    found(1);
    leader();
    ASSERT_TRUE(members[0].quorum->propose(topic_data(1)).ok());
    ASSERT_TRUE(members[0].quorum->propose("\xff\xff\xff").ok());
    run(milliseconds{100});
    EXPECT_EQ(members[0].failure.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(members[0].failure.message()), testing::HasSubstr("metadata log"));
    EXPECT_FALSE(members[0].quorum->standing().active);
    EXPECT_LE(topics(0), 1u);
}

TEST_F(QuorumTest, AfterItsStopNothingIsCalled) {
    found(1);
    leader();
    ASSERT_TRUE(members[0].quorum->propose(topic_data(1)).ok());
    const auto applied = members[0].applied.size();
    std::optional<bool> answered;
    members[0].quorum->stop();
    run(milliseconds{200});
    EXPECT_EQ(members[0].applied.size(), applied);
    members[0].quorum->read([&](bool ok) { answered = ok; });
    EXPECT_EQ(answered, false);
}

}  // namespace
}  // namespace quorum
