#include "controller/raft/configuration.h"

#include <gtest/gtest.h>

namespace raft {
namespace {

Member member(int32_t id, uint64_t incarnation = 1) { return {id, {incarnation, 2}}; }

TEST(Configuration, IsReadBackAsWritten) {
    Configuration c;
    c.voters[member(0)] = "a:1";
    c.voters[member(1, UINT64_MAX)] = "";
    c.learners[member(2)] = std::string(1000, 'x');
    const auto bytes = c.encode();
    EXPECT_EQ(Configuration::decode(bytes), c);
    for (size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(Configuration::decode(bytes.substr(0, size)));
    EXPECT_FALSE(Configuration::decode(bytes + "x"));
}

TEST(Configuration, HasAnIdOnce) {
    Configuration c;
    c.voters[member(0)] = "a";
    c.learners[member(0, 2)] = "b";
    EXPECT_FALSE(Configuration::decode(c.encode()));
    c.learners.clear();
    EXPECT_FALSE(changed(c, AddLearner{member(0, 2), "b"}));
}

TEST(Configuration, ChangesOneMemberAtATime) {
    Configuration c;
    c.voters[member(0)] = "a";
    EXPECT_FALSE(changed(c, Remove{member(0)})) << "the last voter";
    EXPECT_FALSE(changed(c, Promote{member(1)}));
    const auto added = changed(c, AddLearner{member(1), "b"});
    ASSERT_TRUE(added);
    EXPECT_TRUE(added->has_learner(member(1)));
    const auto promoted = changed(*added, Promote{member(1)});
    ASSERT_TRUE(promoted);
    EXPECT_TRUE(promoted->has_voter(member(1)));
    EXPECT_EQ(promoted->majority(), 2);
    EXPECT_FALSE(changed(*promoted, Remove{member(1, 2)})) << "another incarnation";
    EXPECT_EQ(changed(*promoted, Remove{member(1)}), c);
    EXPECT_FALSE(changed(c, AddLearner{member(2), std::string(2000, 'x')}));
}

TEST(Configuration, AMemberMoves) {
    Configuration c;
    c.voters[member(0)] = "a";
    c.learners[member(1)] = "b";
    auto moved = changed(c, Move{member(0), "d"});
    ASSERT_TRUE(moved);
    EXPECT_EQ(moved->address(member(0)), "d");
    EXPECT_EQ(moved->learners, c.learners);
    moved = changed(*moved, Move{member(1), "e"});
    ASSERT_TRUE(moved);
    EXPECT_EQ(moved->learners.at(member(1)), "e");
    EXPECT_FALSE(changed(c, Move{member(0), "a"})) << "it is there already";
    EXPECT_FALSE(changed(c, Move{member(0, 2), "d"})) << "another incarnation";
    EXPECT_FALSE(changed(c, Move{member(2), "d"}));
    EXPECT_FALSE(changed(c, Move{member(1), std::string(2000, 'x')}));
}

}  // namespace
}  // namespace raft
