#include "base/uuid.h"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(Uuid, TextIsUrlSafeBase64WithoutPadding) {
    EXPECT_EQ((Uuid{0, 1}.to_string()), "AAAAAAAAAAAAAAAAAAAAAQ");
    EXPECT_EQ((Uuid{~0ull, ~0ull}.to_string()), "_____________________w");
}

TEST(Uuid, ParsesWhatItPrints) {
    const Uuid u = Uuid::from_random(0x0123456789abcdef, 0xfedcba9876543210);
    EXPECT_EQ(Uuid::parse(u.to_string()), u);
}

TEST(Uuid, RefusesOtherText) {
    EXPECT_FALSE(Uuid::parse(""));
    EXPECT_FALSE(Uuid::parse("AAAAAAAAAAAAAAAAAAAAA"));
    EXPECT_FALSE(Uuid::parse("AAAAAAAAAAAAAAAAAAAA/A"));
}

TEST(Uuid, RandomOnesCarryVersionAndVariant) {
    const Uuid u = Uuid::from_random(~0ull, ~0ull);
    EXPECT_EQ((u.hi >> 12) & 0xf, 4u);
    EXPECT_EQ(u.lo >> 62, 2u);
}

}  // namespace
}  // namespace base
