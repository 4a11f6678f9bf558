#include "broker/pipeline.h"

#include <gtest/gtest.h>

#include <vector>

namespace broker {
namespace {

using Answers = std::vector<int>;

TEST(Pipeline, AnswersLeaveInTheOrderOfTheRequests) {
    Pipeline<int> p;
    const auto a = p.begin(Effect::appends), b = p.begin(Effect::appends),
               c = p.begin(Effect::appends);
    p.finish(c, 3);
    p.finish(b, 2);
    EXPECT_EQ(p.take_ready(), Answers{});
    p.finish(a, 1);
    EXPECT_EQ(p.take_ready(), (Answers{1, 2, 3}));
    EXPECT_EQ(p.size(), 0u);
}

TEST(Pipeline, ARequestWithoutAnswerHoldsNobodyUp) {
    Pipeline<int> p;
    const auto a = p.begin(Effect::appends), b = p.begin(Effect::appends);
    p.finish(b, 2);
    p.finish(a, std::nullopt);
    EXPECT_EQ(p.take_ready(), Answers{2});
}

TEST(Pipeline, ProducesRunSideBySide) {
    Pipeline<int> p;
    p.begin(Effect::appends);
    EXPECT_TRUE(p.admits(Effect::appends));
    EXPECT_FALSE(p.admits(Effect::reads)) << "a read sees the produces before it";
    EXPECT_FALSE(p.admits(Effect::changes));
}

TEST(Pipeline, AWaitingFetchHoldsNobodyUp) {
    Pipeline<int> p;
    const auto fetch = p.begin(Effect::reads);
    EXPECT_TRUE(p.admits(Effect::appends));
    EXPECT_TRUE(p.admits(Effect::changes));
    const auto commit = p.begin(Effect::changes);
    EXPECT_FALSE(p.admits(Effect::reads));
    EXPECT_FALSE(p.admits(Effect::appends));
    p.finish(commit, 4);
    EXPECT_TRUE(p.admits(Effect::reads));
    EXPECT_EQ(p.take_ready(), Answers{}) << "its answer still waits for the fetch's";
    p.finish(fetch, 5);
    EXPECT_EQ(p.take_ready(), (Answers{5, 4}));
}

}  // namespace
}  // namespace broker
