#include "kafka/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace kafka {
namespace {

TEST(Utf8, TakesEveryWidthOfCharacter) {
    for (const std::string text : {"", "a", "plain text that is longer than eight bytes", "é", "€",
                                   "😀", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf", "\xee\x80\x80",
                                   "\xe0\xa0\x80", "\xf0\x90\x80\x80", "\xc2\x80", "12345678é"})
        EXPECT_TRUE(valid_utf8(text)) << text;
    EXPECT_TRUE(valid_utf8(std::string(3, '\0')));
}

TEST(Utf8, RefusesWhatIsMalformedWhereverItStands) {
    for (const std::string bad :
         {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3\x28", "\xe2\x82", "\xe2\x28\xa1",
          "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x98",
          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xfe"})
        for (size_t before = 0; before < 18; ++before)
            for (size_t after : {0, 1, 9}) {
                const std::string text = std::string(before, 'x') + bad + std::string(after, 'y');
                EXPECT_FALSE(valid_utf8(text)) << text;
            }
}

}  // namespace
}  // namespace kafka
