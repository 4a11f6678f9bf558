#include "broker/pipeline.h"

#include <gtest/gtest.h>

#include <string>

namespace broker {
namespace {

using Strings = std::vector<std::string>;

TEST(Pipeline, AnswersLeaveInTheOrderOfTheRequests) {
    Pipeline<std::string> p;
    const auto a = p.begin(Effect::appends), b = p.begin(Effect::appends),
               c = p.begin(Effect::appends);
    p.finish(c, "c");
    p.finish(b, "b");
    EXPECT_EQ(p.take_ready(), Strings{});
    p.finish(a, "a");
    EXPECT_EQ(p.take_ready(), (Strings{"a", "b", "c"}));
    EXPECT_EQ(p.size(), 0u);
}

TEST(Pipeline, ARequestWithoutAnswerHoldsNobodyUp) {
    Pipeline<std::string> p;
    const auto a = p.begin(Effect::appends), b = p.begin(Effect::appends);
    p.finish(b, "b");
    p.finish(a, std::nullopt);
    EXPECT_EQ(p.take_ready(), Strings{"b"});
}

TEST(Pipeline, ProducesRunSideBySide) {
    Pipeline<std::string> p;
    p.begin(Effect::appends);
    EXPECT_TRUE(p.admits(Effect::appends));
    EXPECT_FALSE(p.admits(Effect::reads)) << "a read sees the produces before it";
    EXPECT_FALSE(p.admits(Effect::changes));
}

TEST(Pipeline, AWaitingFetchHoldsNobodyUp) {
    Pipeline<std::string> p;
    const auto fetch = p.begin(Effect::reads);
    EXPECT_TRUE(p.admits(Effect::appends));
    EXPECT_TRUE(p.admits(Effect::changes));
    const auto commit = p.begin(Effect::changes);
    EXPECT_FALSE(p.admits(Effect::reads));
    EXPECT_FALSE(p.admits(Effect::appends));
    p.finish(commit, "commit");
    EXPECT_TRUE(p.admits(Effect::reads));
    EXPECT_EQ(p.take_ready(), Strings{}) << "its answer still waits for the fetch's";
    p.finish(fetch, "fetch");
    EXPECT_EQ(p.take_ready(), (Strings{"fetch", "commit"}));
}

}  // namespace
}  // namespace broker
