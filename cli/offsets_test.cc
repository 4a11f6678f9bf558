#include "cli/offsets.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

TEST(Position, IsParsed) {
    EXPECT_EQ(*Position::parse("beginning"), (Position{Position::Kind::beginning, 0}));
    EXPECT_EQ(*Position::parse("end"), (Position{Position::Kind::end, 0}));
    EXPECT_EQ(*Position::parse("42"), (Position{Position::Kind::offset, 42}));
    EXPECT_EQ(*Position::parse("@1700000000000"),
              (Position{Position::Kind::time, 1'700'000'000'000}));
}

TEST(Position, RefusesAllElse) {
    for (const char* text : {"", "@", "-1", "@-1", "start", "1x", "99999999999999999999"})
        EXPECT_TRUE(absl::IsInvalidArgument(Position::parse(text).status())) << text;
}

}  // namespace
}  // namespace cli
