#include "base/varint.h"

#include <gtest/gtest.h>

#include <limits>

namespace base {
namespace {

TEST(Varint, RoundTripsEveryWidth) {
    for (int bit = 0; bit < 64; ++bit)
        for (uint64_t v : {uint64_t{1} << bit, (uint64_t{1} << bit) - 1}) {
            Bytes out;
            put_varint(out, v);
            EXPECT_EQ(out.size(), varint_size(v));
            View in = out;
            EXPECT_EQ(take_varint(in, 10), v);
            EXPECT_TRUE(in.empty());
        }
}

TEST(Varint, ZigzagKeepsSmallNumbersShort) {
    EXPECT_EQ(zigzag(0), 0u);
    EXPECT_EQ(zigzag(-1), 1u);
    EXPECT_EQ(zigzag(1), 2u);
    for (int64_t v : {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()})
        EXPECT_EQ(unzigzag(zigzag(v)), v);
}

TEST(Varint, RefusesWhatIsCutShortOrTooLong) {
    const Bytes endless(11, std::byte{0x80});
    for (size_t n = 0; n <= endless.size(); ++n) {
        View in = View(endless).first(n);
        EXPECT_FALSE(take_varint(in, 10));
        EXPECT_EQ(in.size(), n);
    }
}

TEST(Varint, RefusesBitsPastTheWidth) {
    Bytes wide;
    put_varint(wide, uint64_t{1} << 32);
    View in = wide;
    EXPECT_FALSE(take_varint(in, 5));
    Bytes over(9, std::byte{0xff});
    over.push_back(std::byte{2});
    View in64 = over;
    EXPECT_FALSE(take_varint(in64, 10));
}

}  // namespace
}  // namespace base
