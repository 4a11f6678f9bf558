#include "controller/raft/raft.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace raft {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

/// A disk that is always empty at the start, and is never asked: everything fits into memory.
class NoStorage final : public Storage {
  public:
    base::Result<std::vector<Entry>> entries(Index, Index, size_t) const override {
        return base::data_loss("nothing is stored");
    }
    base::Result<Chunk> snapshot_chunk(Index, uint32_t) const override {
        return base::not_found("nothing is stored");
    }
};

Member member(int32_t id) { return {id, {1, static_cast<uint64_t>(id)}}; }

class RaftTest : public testing::Test {
  protected:
    Raft make(int voters, Options options = {}) {
        options.self = member(0);
        options.cluster = {9, 9};
        Stored stored;
        for (int i = 0; i < voters; ++i)
            stored.snapshot.configuration.voters[member(i)] = "c" + std::to_string(i);
        return {options, stored, storage_, 1};
    }
    void step(Raft& raft, int from, Term term, decltype(Message::body) body) {
        raft.step({{9, 9}, member(from), member(0), term, std::move(body)});
    }
    /// Completes the write that is due, and gives what was promised with it.
    std::vector<Message> write(Raft& raft) {
        auto w = raft.take_write();
        if (!w) return {};
        raft.written();
        return w->then_send;
    }
    /// Node 0 of three becomes the leader of term 1, its first entry not yet acknowledged.
    Raft leader(Options options = {}) {
        auto raft = make(3, options);
        for (int i = 0; i < 20; ++i) raft.tick();
        step(raft, 1, 1, VoteReply{true, true});
        write(raft);
        step(raft, 1, 1, VoteReply{true, false});
        EXPECT_TRUE(raft.leads());
        write(raft);
        raft.take_messages();
        return raft;
    }
    NoStorage storage_;
};

TEST_F(RaftTest, WhoMayNotCampaignForgetsALeaderThatIsSilent) {
    Options options;
    options.self = member(0);
    options.cluster = {9, 9};
    Stored stored;
    stored.snapshot.configuration.voters[member(1)] = "c1";
    stored.snapshot.configuration.learners[member(0)] = "c0";
    Raft raft{options, stored, storage_, 1};
    for (int i = 0; i < 2; ++i) {
        step(raft, 1, 1, Heartbeat{});
        EXPECT_EQ(raft.leader(), member(1));
        for (int t = 1; t < options.election_ticks; ++t) raft.tick();
        EXPECT_EQ(raft.leader(), member(1));
        for (int t = 0; t < options.election_ticks; ++t) raft.tick();
        EXPECT_EQ(raft.leader(), std::nullopt);
        EXPECT_EQ(raft.term(), 1);
    }
}

TEST_F(RaftTest, OneVoterLeadsOnceItsVoteIsDurableAndCommitsOnceTheEntryIs) {
    auto raft = make(1);
    EXPECT_FALSE(raft.leads());
    EXPECT_THAT(write(raft), IsEmpty());
    EXPECT_TRUE(raft.leads());
    const auto at = raft.propose("a");
    ASSERT_TRUE(at.ok());
    EXPECT_EQ(*at, (Position{2, 1}));
    EXPECT_EQ(raft.committed(), 0);
    write(raft);
    EXPECT_EQ(raft.committed(), 2);
    const auto entries = raft.to_apply(0, SIZE_MAX);
    ASSERT_THAT(entries, SizeIs(2));
    EXPECT_EQ(entries[0].kind, EntryKind::empty);
    EXPECT_EQ(entries[1].data, "a");
}

TEST_F(RaftTest, WhatIsProposedWhileAWriteIsOutIsWrittenTogether) {
    auto raft = make(1);
    write(raft);
    write(raft);
    EXPECT_TRUE(raft.propose("a").ok());
    ASSERT_TRUE(raft.take_write());
    EXPECT_TRUE(raft.propose("b").ok());
    EXPECT_TRUE(raft.propose("c").ok());
    EXPECT_FALSE(raft.take_write());
    raft.written();
    const auto second = raft.take_write();
    ASSERT_TRUE(second);
    EXPECT_THAT(second->entries, SizeIs(2));
}

TEST_F(RaftTest, AVoteLeavesWithTheWriteOfIt) {
    auto raft = make(3);
    step(raft, 1, 1, VoteRequest{{0, 0}, false, false});
    EXPECT_THAT(raft.take_messages(), IsEmpty());
    const auto w = raft.take_write();
    ASSERT_TRUE(w);
    EXPECT_EQ(w->state.term, 1);
    EXPECT_EQ(w->state.vote, member(1));
    ASSERT_THAT(w->then_send, SizeIs(1));
    EXPECT_TRUE(std::get<VoteReply>(w->then_send[0].body).granted);
}

TEST_F(RaftTest, RefusesWhatASlowMajorityWouldPileUp) {
    Options options;
    options.most_uncommitted_bytes = 200;
    options.most_entry_bytes = 150;
    auto raft = leader(options);
    EXPECT_EQ(raft.propose(std::string(200, 'x')).error(), Refusal::too_large);
    EXPECT_TRUE(raft.propose(std::string(100, 'x')).ok());
    EXPECT_EQ(raft.propose(std::string(100, 'x')).error(), Refusal::too_much_waiting);
    write(raft);
    step(raft, 1, 1, AppendReply{true, 2, {}});
    EXPECT_EQ(raft.committed(), 2);
    EXPECT_TRUE(raft.propose(std::string(100, 'x')).ok());
}

TEST_F(RaftTest, SendsAheadOnlyWithinTheWindow) {
    Options options;
    options.most_appends_in_flight = 2;
    options.most_append_entries = 1;
    auto raft = leader(options);
    step(raft, 1, 1, AppendReply{true, 1, {}});
    raft.take_messages();
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(raft.propose("x").ok());
    size_t sent = 0;
    for (const auto& m : raft.take_messages())
        if (m.to == member(1)) sent += std::get<Append>(m.body).entries.size();
    EXPECT_EQ(sent, 2);
}

TEST_F(RaftTest, StepsDownWhenNoMajorityAnswers) {
    auto raft = leader();
    for (int i = 0; i < 9; ++i) raft.tick();
    EXPECT_TRUE(raft.leads());
    raft.tick();
    EXPECT_FALSE(raft.leads());
    EXPECT_EQ(raft.propose("a").error(), Refusal::not_leader);
}

TEST_F(RaftTest, ALostLeaderRefusesTheReadsThatWait) {
    auto raft = leader();
    EXPECT_FALSE(raft.read(7));
    step(raft, 1, 2, Heartbeat{0, 0});
    const auto reads = raft.take_reads();
    ASSERT_THAT(reads, SizeIs(1));
    EXPECT_EQ(reads[0].context, 7);
    EXPECT_FALSE(reads[0].index);
}

TEST_F(RaftTest, AfterAFailedWriteNothingLeaves) {
    auto raft = leader();
    EXPECT_TRUE(raft.propose("a").ok());
    ASSERT_TRUE(raft.take_write());
    raft.halt(base::unavailable("the sync failed"));
    EXPECT_FALSE(raft.leads());
    EXPECT_THAT(raft.take_messages(), IsEmpty());
    raft.tick();
    step(raft, 1, 5, Heartbeat{0, 0});
    EXPECT_THAT(raft.take_messages(), IsEmpty());
    EXPECT_FALSE(raft.take_write());
    EXPECT_EQ(raft.propose("a").error(), Refusal::halted);
}

TEST_F(RaftTest, ALogThatCannotBeReadHalts) {
    Options options;
    options.self = member(0);
    Stored stored;
    stored.state.term = 1;
    stored.last = 3;
    Raft raft(options, stored, storage_, 1);
    EXPECT_TRUE(absl::IsDataLoss(raft.failure()));
}

TEST_F(RaftTest, AStalledDiskCostsLeadership) {
    Options options;
    options.stalled_write_ticks = 5;
    auto raft = leader(options);
    EXPECT_TRUE(raft.propose("a").ok());
    ASSERT_TRUE(raft.take_write());
    for (int i = 0; i < 5; ++i) {
        raft.tick();
        step(raft, 1, 1, HeartbeatReply{});
    }
    EXPECT_FALSE(raft.leads());
    for (int i = 0; i < 40; ++i) raft.tick();
    EXPECT_EQ(raft.term(), 1);
}

TEST_F(RaftTest, WrongMessagesAreRefusedWithWhatIsWrong) {
    Message m{{9, 9}, member(1), member(0), 3, Append{{0, 0}, {{2, {}, "a"}, {1, {}, "b"}}, 0}};
    EXPECT_TRUE(absl::IsInvalidArgument(check(m)));
    m.body = Append{{-1, 0}, {}, 0};
    EXPECT_FALSE(check(m).ok());
    m.body = Append{{0, 0}, {{4, {}, "a"}}, 0};
    EXPECT_FALSE(check(m).ok());
    m.body = Append{{0, 0}, {{2, EntryKind::configuration, "junk"}}, 0};
    EXPECT_FALSE(check(m).ok());
    auto raft = make(3);
    raft.step(m);
    EXPECT_EQ(raft.term(), 0);
}

}  // namespace
}  // namespace raft
