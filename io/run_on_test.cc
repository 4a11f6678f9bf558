#include "io/run_on.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace io {
namespace {

class RunOn : public testing::Test {
  protected:
    ~RunOn() override { shards_->stop(); }
    Shard& shard(size_t index) { return shards_->at(index); }

    std::unique_ptr<Shards> shards_ = Shards::start(2, 1);
};

TEST_F(RunOn, GivesWhatTheWorkReturns) {
    EXPECT_TRUE(run_on(shard(0), [&] { return shard(0).here(); }));
    const auto moved = run_on(shard(1), [text = std::make_unique<std::string>("there")]() mutable {
        return std::move(text);
    });
    EXPECT_EQ(*moved, "there");
}

TEST_F(RunOn, WaitsForWorkThatReturnsNothing) {
    int done = 0;
    for (int i = 0; i < 1000; ++i) run_on(shard(0), [&done] { ++done; });
    EXPECT_EQ(done, 1000);
}

TEST_F(RunOn, OneShardMayWaitForAnother) {
    EXPECT_EQ(run_on(shard(0), [&] { return run_on(shard(1), [] { return 7; }); }), 7);
}

TEST_F(RunOn, ItsOwnShardMayNot) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(run_on(shard(0), [&] { run_on(shard(0), [] {}); }), "waits for its own shard");
}

TEST_F(RunOn, WaitsForAnAnswerThatComesLater) {
    const auto answer = wait_for<std::unique_ptr<int>>([&](auto done) {
        shard(0).post([&, done = std::move(done)]() mutable {
            shard(1).post([done = std::move(done)]() mutable { done(std::make_unique<int>(3)); });
        });
    });
    EXPECT_EQ(*answer, 3);
    wait_for([&](auto done) { shard(0).post(std::move(done)); });
}

TEST_F(RunOn, TheAnswerMayBeThereAtOnce) {
    EXPECT_EQ(wait_for<int>([](auto done) { done(5); }), 5);
}

}  // namespace
}  // namespace io
