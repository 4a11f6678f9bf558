#include "base/sim/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace base::sim {
namespace {

using testing::ElementsAre;

TEST(World, RunsWhatIsDueInOrder) {
    World world(1, false);
    std::vector<int> ran;
    world.after(20, [&] { ran.push_back(3); });
    world.after(10, [&] {
        ran.push_back(1);
        EXPECT_EQ(world.now(), 10);
        world.after(10, [&] { ran.push_back(4); });
    });
    world.after(10, [&] { ran.push_back(2); });
    while (world.step(20)) {
    }
    EXPECT_THAT(ran, ElementsAre(1, 2, 3, 4));
}

TEST(World, ComesToTheTimeThatItIsLedTo) {
    World world(1, false);
    bool ran = false;
    world.after(100, [&] { ran = true; });
    EXPECT_FALSE(world.step(99));
    EXPECT_EQ(world.now(), 99);
    EXPECT_FALSE(ran);
    EXPECT_TRUE(world.step(100));
    EXPECT_TRUE(ran);
}

TEST(World, DrawsTheSameFromTheSameSeed) {
    World one(7, false), again(7, false);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(one.below(1000), again.below(1000));
}

}  // namespace
}  // namespace base::sim
