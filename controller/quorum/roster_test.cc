#include "controller/quorum/roster.h"

#include <gmock/gmock.h>

#include <string>

namespace quorum {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

const base::Uuid kCluster{1, 1};
const raft::Member kSelf{0, {0, 1}};
const raft::Member kOther{1, {1, 1}};

base::Status asked(const Hello& hello, bool open = false) {
    const Roster roster{.members = {{kSelf, "self:1"}, {kOther, "other:1"}}, .open = open};
    return admits(roster, kCluster, kSelf, hello);
}

Hello hello(const raft::Member& from = kOther, const raft::Member& to = kSelf) {
    return {.link = {kCluster, from, to}};
}

void expect(const base::Status& s, StatusCode code, const std::string& why) {
    EXPECT_EQ(s.code(), code) << s;
    EXPECT_THAT(base::message(s), HasSubstr(why));
}

TEST(Roster, AdmitsItsMembers) { EXPECT_TRUE(asked(hello()).ok()); }

TEST(Roster, KnowsItsClusterAndItself) {
    for (const bool open : {false, true}) {
        auto other = hello();
        other.version = 2;
        expect(asked(other, open), StatusCode::kFailedPrecondition, "protocol version 2");
        other = hello();
        other.link.cluster = {9, 9};
        expect(asked(other, open), StatusCode::kFailedPrecondition, base::Uuid{9, 9}.to_string());
        expect(asked(other, open), StatusCode::kFailedPrecondition, kCluster.to_string());
        expect(asked(hello(kOther, {5, kSelf.incarnation}), open), StatusCode::kFailedPrecondition,
               "this is controller 0, not 5");
        expect(asked(hello(kOther, {0, {7, 7}}), open), StatusCode::kAborted,
               kSelf.incarnation.to_string());
        expect(asked(hello(kSelf), open), StatusCode::kPermissionDenied, "itself");
        expect(asked(hello({0, {8, 8}}), open), StatusCode::kPermissionDenied, "itself");
    }
}

TEST(Roster, TurnsStrangersAway) {
    expect(asked(hello({2, {1, 1}})), StatusCode::kPermissionDenied,
           "controller 2 is not a member");
    expect(asked(hello({1, {2, 2}})), StatusCode::kAborted,
           "known with incarnation " + kOther.incarnation.to_string());
    expect(admits({}, kCluster, kSelf, hello()), StatusCode::kPermissionDenied, "not a member");
}

TEST(Roster, AnOpenOneAdmitsStrangers) {
    EXPECT_TRUE(asked(hello({2, {1, 1}}), true).ok());
    EXPECT_TRUE(asked(hello({1, {2, 2}}), true).ok());
}

}  // namespace
}  // namespace quorum
