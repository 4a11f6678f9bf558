#include "metadata/voters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metadata {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string refusal(const base::Status& status) {
    return status.ok() ? "(accepted)" : base::message(status);
}

TEST(Voters, AreIdsAndAddresses) {
    EXPECT_TRUE(parse_voters("")->empty());
    EXPECT_EQ(
        *parse_voters("0@a:19092, 17@10.0.0.1:1,2@[fe80::1]:65535"),
        (std::vector<VoterConfig>{{0, "a", 19092}, {17, "10.0.0.1", 1}, {2, "fe80::1", 65535}}));
}

TEST(Voters, BadOnesAreRefused) {
    struct Row {
        const char *text, *why;
    };
    for (const Row& row : {
             Row{"a:1", "a:1 is not ID@HOST:PORT"},
             Row{"0@a:1,1", "1 is not ID@HOST:PORT"},
             Row{"0@a", "0@a is not ID@HOST:PORT"},
             Row{"0@a:x", "is not ID@HOST:PORT"},
             Row{"0@a:65536", "is not ID@HOST:PORT"},
             Row{"0@a:1:2", "is not ID@HOST:PORT"},
             Row{"0@http://a:1", "is not ID@HOST:PORT"},
             Row{"0@fe80::1:9", "is not ID@HOST:PORT"},
             Row{"0@1@a:1", "0@1@a:1 is not ID@HOST:PORT"},
             Row{"@a:1", "has no proper id"},
             Row{"-1@a:1", "has no proper id"},
             Row{"2147483648@a:1", "has no proper id"},
             Row{"0x@a:1", "has no proper id"},
             Row{"0@:1", "names no host"},
             Row{"0@0.0.0.0:1", "names no host"},
             Row{"0@[::]:1", "names no host"},
             Row{"0@a:0", "has port 0"},
             Row{"0@a:1,1@b:1,0@c:1", "id 0 stands twice"},
             Row{"0@a:1,1@b:1,2@a:1", "0 and 2 have the same address"},
         }) {
        const auto why = refusal(parse_voters(row.text).status());
        EXPECT_THAT(why, StartsWith("controller.quorum.voters: ")) << row.text;
        EXPECT_THAT(why, HasSubstr(row.why)) << row.text;
    }
}

TEST(Voters, ANodeFitsThem) {
    const std::vector<VoterConfig> none, self{{0, "a", 1}},
        three{{0, "a", 1}, {1, "b", 1}, {2, "c", 1}};
    const Participation both{.node_id = 0, .listens = true, .port = 1};
    Participation node = both;
    for (const auto& voters : {none, self, three})
        EXPECT_EQ(refusal(check_participation(node, voters)), "(accepted)");
    node.listens = false;
    EXPECT_EQ(refusal(check_participation(node, none)), "(accepted)");
    EXPECT_EQ(refusal(check_participation(node, self)), "(accepted)") << "nobody joins it";
    EXPECT_THAT(refusal(check_participation(node, three)),
                StartsWith("listeners: there is none for the other nodes"));
    node.broker = false;
    EXPECT_THAT(refusal(check_participation(node, self)), StartsWith("listeners: there is none"));
    node = both;
    node.port = 0;
    EXPECT_EQ(refusal(check_participation(node, none)), "(accepted)");
    EXPECT_THAT(refusal(check_participation(node, three)), HasSubstr("port 0"));
    node = both;
    node.node_id = 3;
    EXPECT_THAT(refusal(check_participation(node, three)), HasSubstr("add 3@HOST:PORT"));
    EXPECT_THAT(refusal(check_participation(node, self)), HasSubstr("add 3@HOST:PORT"));
    node.controller = false;
    EXPECT_EQ(refusal(check_participation(node, three)), "(accepted)");
    EXPECT_THAT(refusal(check_participation(node, none)), HasSubstr("needs controllers"));
    node.node_id = 1;
    EXPECT_THAT(refusal(check_participation(node, three)),
                HasSubstr("names this node (node.id=1)"));
    node = both;
    node.bootstrap = true;
    EXPECT_EQ(refusal(check_participation(node, three)), "(accepted)");
    EXPECT_THAT(refusal(check_participation(node, none)),
                StartsWith("controller.quorum.bootstrap.servers: several nodes"));
}

}  // namespace
}  // namespace metadata
