#include "io/shard.h"

#include <gmock/gmock.h>

#include <atomic>
#include <latch>
#include <memory>
#include <thread>

#include "io/run_on.h"

namespace io {
namespace {

using namespace std::chrono_literals;

TEST(Shard, KnowsItsThread) {
    bool ran = false;  // outlives the shards, and with them the last post
    auto shards = Shards::start(2, 1);
    EXPECT_EQ(shards->count(), 2);
    EXPECT_FALSE(shards->at(0).here());
    run_on(shards->at(1), [&] {
        EXPECT_TRUE(shards->at(1).here());
        EXPECT_FALSE(shards->at(0).here());
        EXPECT_EQ(shards->at(1).index(), 1);
        shards->at(1).run([&] { ran = true; });
        EXPECT_TRUE(ran) << "at once on its own thread";
        ran = false;
        shards->at(1).post([&] { ran = true; });
        EXPECT_FALSE(ran) << "a post runs later";
    });
    std::latch done(1);
    shards->at(0).run([&] { done.count_down(); });
    done.wait();
}

TEST(Shard, KeepsTheOrderOfEachPoster) {
    constexpr int kPosts = 20'000;
    auto shards = Shards::start(2, 1);
    std::vector<int> next(3);  // touched on shard 0 only
    auto post_all = [&](size_t poster) {
        for (int i = 0; i < kPosts; ++i)
            shards->at(0).post([&next, poster, i] { EXPECT_EQ(next[poster]++, i); });
    };
    std::thread outside(post_all, 0);
    shards->at(1).post([&] { post_all(1); });
    shards->at(0).post([&] { post_all(2); });
    outside.join();
    shards->stop();
    EXPECT_THAT(next, testing::Each(kPosts));
}

TEST(Shard, PassesBallsRoundManyTimes) {
    constexpr int kBalls = 50, kHops = 2'000;
    auto shards = Shards::start(4, 2);
    std::vector<uint64_t> hops(4);  // each touched on its shard only
    std::latch done(kBalls);
    struct Ball {
        Shards& shards;
        std::vector<uint64_t>& hops;
        std::latch& done;
        int left = kHops;

        void hop(size_t at) {
            ++hops[at];
            if (--left == 0) return done.count_down();
            size_t to = (at + 1 + static_cast<size_t>(left) % 3) % 4;
            shards.at(to).post([this, to] { hop(to); });
        }
    };
    std::vector<std::unique_ptr<Ball>> balls;
    for (int i = 0; i < kBalls; ++i) {
        balls.push_back(std::make_unique<Ball>(Ball{*shards, hops, done}));
        shards->at(0).post([ball = balls.back().get()] { ball->hop(0); });
    }
    done.wait();
    shards->stop();
    EXPECT_EQ(hops[0] + hops[1] + hops[2] + hops[3], uint64_t{kBalls} * kHops);
}

TEST(Timer, RingsOnceInOrderOnItsShard) {
    auto shards = Shards::start(1, 1);
    Shard& shard = shards->at(0);
    std::vector<int> rung;
    std::vector<std::unique_ptr<Timer>> timers;
    std::latch done(3);
    run_on(shard, [&] {
        for (int ms : {20, 1, 10}) {
            timers.push_back(shard.after(std::chrono::milliseconds(ms), [&, ms] {
                EXPECT_TRUE(shard.here());
                rung.push_back(ms);
                done.count_down();
            }));
        }
    });
    done.wait();
    run_on(shard, [&] { timers.clear(); });
    EXPECT_THAT(rung, testing::ElementsAre(1, 10, 20));
}

TEST(Timer, DoesNotRingOnceDestroyedEvenIfItIsDue) {
    auto shards = Shards::start(1, 1);
    Shard& shard = shards->at(0);
    int rung = 0;
    std::latch one_rang(1);
    std::unique_ptr<Timer> first, second;
    run_on(shard, [&] {
        // Both expire in one turn of the loop, and each destroys the other.
        first = shard.after(1ms, [&] {
            ++rung;
            second.reset();
            one_rang.count_down();
        });
        second = shard.after(1ms, [&] {
            ++rung;
            first.reset();
            one_rang.count_down();
        });
        auto never = shard.after(0ms, [&] { rung += 100; });
        std::this_thread::sleep_for(5ms);
    });
    one_rang.wait();
    run_on(shard, [] {});  // the turn of the loop in which it rang is over
    run_on(shard, [&] {
        EXPECT_EQ(rung, 1);
        first.reset();
        second.reset();
    });
}

TEST(Timer, MayDestroyItselfAndSetTheNext) {
    auto shards = Shards::start(1, 1);
    Shard& shard = shards->at(0);
    std::unique_ptr<Timer> timer;
    std::latch done(5);
    base::Function<void()> again = [&] {
        done.count_down();
        if (!done.try_wait()) timer = shard.after(1ms, [&] { again(); });
    };
    run_on(shard, [&] { timer = shard.after(1ms, [&] { again(); }); });
    done.wait();
    run_on(shard, [&] { timer.reset(); });
}

TEST(Shards, BlockOnThePoolNotOnAShard) {
    auto shards = Shards::start(1, 2);
    std::latch both(2);
    std::atomic<int> answers = 0;
    for (int i = 0; i < 2; ++i) {
        shards->block([&] {
            EXPECT_FALSE(shards->at(0).here());
            both.arrive_and_wait();  // two threads, or it never ends
            shards->at(0).post([&] { ++answers; });
        });
    }
    shards->stop();
    EXPECT_EQ(answers, 2);
}

TEST(Shards, StopRunsWhatIsPostedAndWhatItAsksOfThePool) {
    auto shards = Shards::start(2, 1);
    std::atomic<int> ran = 0;
    for (int i = 0; i < 100; ++i) {
        shards->at(0).post([&] {
            ++ran;
            shards->block([&] {
                ++ran;
                shards->at(1).post([&] { ++ran; });
            });
        });
    }
    shards->stop();
    EXPECT_EQ(ran, 300);
    shards->stop();
    // Dropped, not run: there is no thread any more.
    shards->at(0).post([&] { ++ran; });
    shards->block([&] { ++ran; });
    shards.reset();
    EXPECT_EQ(ran, 300);
}

TEST(Shards, StopDoesNotWaitForTimersAndDestroysTheirWork) {
    auto owned = std::make_shared<int>();
    auto shards = Shards::start(2, 1);
    std::shared_ptr<std::unique_ptr<Timer>> waiting;
    run_on(shards->at(0), [&] {
        auto timer = std::make_shared<std::unique_ptr<Timer>>();
        *timer = shards->at(0).after(1h, [owned] {});
        // Not run, and destroyed with the timer: work of one shard that another one is left with.
        waiting = timer;
    });
    auto start = monotonic_clock();
    shards->stop();
    EXPECT_LT(monotonic_clock() - start, 60'000);
    shards->at(1).post([waiting = std::move(waiting)] {});
    shards.reset();
    EXPECT_EQ(owned.use_count(), 1);
}

TEST(Clocks, Tick) {
    auto wall = wall_clock();
    auto monotonic = monotonic_clock();
    std::this_thread::sleep_for(2ms);
    EXPECT_GE(wall_clock() - wall, 1);
    EXPECT_GE(monotonic_clock() - monotonic, 1);
    EXPECT_GT(wall, 1'700'000'000'000);
}

}  // namespace
}  // namespace io
