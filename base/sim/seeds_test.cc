#include "base/sim/seeds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace base::sim {
namespace {

using testing::ElementsAre;

std::optional<Asked> asked(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "some_sim");
    return asked_for(static_cast<int>(arguments.size()), arguments.data());
}

TEST(Seeds, AreReadInTheirOrder) {
    const auto several = asked({"--seeds", "3..7", "--seeds", "4711", "--trace"});
    ASSERT_TRUE(several);
    EXPECT_THAT(several->seeds, ElementsAre(Seeds{3, 7}, Seeds{4711, 4711}));
    EXPECT_TRUE(several->trace);
}

TEST(Seeds, NoneAreAskedForWithoutArguments) {
    const auto none = asked({});
    ASSERT_TRUE(none);
    EXPECT_TRUE(none->seeds.empty());
    EXPECT_FALSE(none->trace);
}

TEST(Seeds, FreshOnesAreAsManyAsWanted) {
    const auto fresh = asked({"--fresh", "200"});
    ASSERT_TRUE(fresh);
    ASSERT_EQ(fresh->seeds.size(), 1u);
    EXPECT_EQ(fresh->seeds[0].last - fresh->seeds[0].first + 1, 200u);
}

TEST(Seeds, AnythingElseIsRefused) {
    for (const char* text : {"", "x", "1..", "..2", "2..1", "1...2", "1..2x", "-1"})
        EXPECT_FALSE(asked({"--seeds", text})) << text;
    EXPECT_FALSE(asked({"--seeds"}));
    EXPECT_FALSE(asked({"--fresh", "0"}));
    EXPECT_FALSE(asked({"--sedes", "1..2"}));
}

TEST(Seeds, AreRunOneByOneAndCounted) {
    std::vector<uint64_t> ran;
    const auto sums =
        run_each({.seeds = {{3, 5}, {9, 9}}}, [&](uint64_t seed) -> std::optional<std::string> {
            ran.push_back(seed);
            if (seed == 5) return "broken";
            return std::nullopt;
        });
    EXPECT_THAT(ran, ElementsAre(3, 4, 5, 9));
    EXPECT_EQ(sums.seeds, 4u);
    EXPECT_EQ(sums.failed, 1u);
}

TEST(Seeds, AProgramTellsItsTotalsAndWhetherAnythingFailed) {
    const auto program = [](std::vector<const char*> arguments) {
        arguments.insert(arguments.begin(), "some_sim");
        return run_program(
            "some_sim", static_cast<int>(arguments.size()), arguments.data(),
            [](uint64_t seed, bool trace) -> std::optional<std::string> {
                EXPECT_TRUE(trace);
                if (seed == 5) return "broken";
                return std::nullopt;
            },
            [] {
                return std::vector<Total>{{12, "elections"}, {3, "lost disks"}};
            });
    };
    testing::internal::CaptureStdout();
    EXPECT_EQ(program({"--seeds", "3..4", "--trace"}), 0);
    EXPECT_THAT(testing::internal::GetCapturedStdout(),
                testing::StartsWith("2 seeds, 0 failed; 12 elections, 3 lost disks; "));
    EXPECT_EQ(program({"--seeds", "3..5", "--trace"}), 1);
    EXPECT_EQ(program({}), 2);
    EXPECT_EQ(program({"--sedes", "1..2"}), 2);
}

}  // namespace
}  // namespace base::sim
