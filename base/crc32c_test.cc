#include "base/crc32c.h"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(Crc32c, MatchesTheCheckValueOfRfc3720) {
    EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283u);
    EXPECT_EQ(crc32c(Bytes(32)), 0x8a9136aau);
    EXPECT_EQ(crc32c({}), 0u);
}

TEST(Crc32c, ExtendsFromAnySplit) {
    const std::string text = "The checksum of parts is the checksum of the whole.";
    for (size_t cut = 0; cut <= text.size(); ++cut) {
        const auto head = crc32c(as_bytes(text).first(cut));
        EXPECT_EQ(crc32c_extend(head, as_bytes(text).subspan(cut)), crc32c(as_bytes(text)));
    }
}

}  // namespace
}  // namespace base
