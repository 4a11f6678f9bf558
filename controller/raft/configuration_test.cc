#include "controller/raft/configuration.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"

namespace raft {
namespace {

Member member(int32_t id, uint64_t incarnation = 1) { return {id, {incarnation, 2}}; }

TEST(Configuration, IsReadBackAsWritten) {
    Configuration c;
    c.voters[member(0)] = "a:1";
    c.voters[member(1, UINT64_MAX)] = "";
    c.learners[member(2)] = std::string(1000, 'x');
    c.learners[member(INT32_MAX)] = "d:1";
    for (const auto& promised : {std::set<Member>{}, {member(2)}, {member(2), member(INT32_MAX)}}) {
        c.promised = promised;
        const auto bytes = c.encode();
        EXPECT_EQ(Configuration::decode(bytes), c);
        for (size_t size = 0; size < bytes.size(); ++size)
            EXPECT_FALSE(Configuration::decode(bytes.substr(0, size)));
        EXPECT_FALSE(Configuration::decode(bytes + "x"));
    }
}

TEST(Configuration, IsOnDiskAsTheDocumentSays) {
    // The examples in docs/storage-format.md; the first is as it was before there were promises.
    Configuration c;
    c.voters[member(0)] = "a:1";
    c.learners[member(2)] = "b:2";
    const std::string before =
        "01"
        "01"
        "0001020361"
        "3a31"
        "01"
        "0201020362"
        "3a32";
    EXPECT_EQ(absl::BytesToHexString(c.encode()), before);
    EXPECT_EQ(Configuration::decode(absl::HexStringToBytes(before)), c);
    c.promised = {member(2)};
    EXPECT_EQ(absl::BytesToHexString(c.encode()), "02" + before.substr(2) + "0102");
}

TEST(Configuration, PromisesAreToLearners) {
    const std::string one =
                          "0001020361"
                          "3a31",
                      two =
                          "0201020362"
                          "3a32";
    const auto decoded = [](const std::string& hex) {
        return Configuration::decode(absl::HexStringToBytes(hex));
    };
    const auto members =
        "02"
        "01" +
        one + "01" + two;
    EXPECT_TRUE(decoded(members + "0102"));
    EXPECT_FALSE(decoded(members + "00")) << "none: that is the version before";
    EXPECT_FALSE(decoded(members + "0100")) << "to a voter";
    EXPECT_FALSE(decoded(members + "0101")) << "to a stranger";
    EXPECT_FALSE(decoded(members + "020202")) << "twice";
    EXPECT_FALSE(decoded(members + "ffffffff0f02"));
    EXPECT_FALSE(decoded("01" + members.substr(2) + "0102")) << "in the version before";
    const auto three =
        "0301020362"
        "3a32";
    const auto more =
        "02"
        "01" +
        one + "02" + two + three;
    EXPECT_TRUE(decoded(more + "020203"));
    EXPECT_FALSE(decoded(more + "020302")) << "out of order";
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

TEST(Configuration, AnotherDiskTakesThePlaceAndThePromise) {
    Configuration c;
    c.voters[member(0)] = "a";
    EXPECT_FALSE(changed(c, Replace{member(0), member(0, 2), "a"})) << "the last voter";
    c.voters[member(1)] = "b";
    c.learners[member(2)] = "c";
    EXPECT_FALSE(changed(c, Replace{member(1), member(1), "b"})) << "the same disk";
    EXPECT_FALSE(changed(c, Replace{member(1), member(3), "b"})) << "another id";
    EXPECT_FALSE(changed(c, Replace{member(1, 2), member(1, 3), "b"})) << "another incarnation";
    EXPECT_FALSE(changed(c, Replace{member(1), member(1, 2), std::string(2000, 'x')}));

    const auto replaced = changed(c, Replace{member(1), member(1, 2), "d"});
    ASSERT_TRUE(replaced);
    EXPECT_FALSE(replaced->find_id(1) == member(1));
    EXPECT_EQ(replaced->learners.at(member(1, 2)), "d");
    EXPECT_EQ(replaced->promised, std::set{member(1, 2)});
    EXPECT_EQ(replaced->majority(), 1);
    const auto again = changed(*replaced, Replace{member(1, 2), member(1, 3), "d"});
    ASSERT_TRUE(again);
    EXPECT_EQ(again->promised, std::set{member(1, 3)});
    const auto without = changed(c, Replace{member(2), member(2, 2), "c"});
    ASSERT_TRUE(without);
    EXPECT_TRUE(without->has_learner(member(2, 2)));
    EXPECT_TRUE(without->promised.empty()) << "who had no vote gets none";
}

TEST(Configuration, APromiseEndsWithTheVoteOrTheMember) {
    Configuration c;
    c.voters[member(0)] = "a";
    const auto added = changed(c, AddLearner{member(1), "b", true});
    ASSERT_TRUE(added);
    EXPECT_EQ(added->promised, std::set{member(1)});
    const auto moved = changed(*added, Move{member(1), "c"});
    ASSERT_TRUE(moved);
    EXPECT_EQ(moved->promised, added->promised);
    EXPECT_EQ(changed(*added, Remove{member(1)}), c);
    const auto promoted = changed(*added, Promote{member(1)});
    ASSERT_TRUE(promoted);
    EXPECT_TRUE(promoted->has_voter(member(1)));
    EXPECT_TRUE(promoted->promised.empty());
    EXPECT_TRUE(changed(*promoted, Remove{member(1)})->promised.empty());
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
