#include <gtest/gtest.h>

#include "metadata/server_properties.h"

namespace metadata {
namespace {

std::string shown(std::string_view text) {
    auto parsed = parse_properties(text);
    if (!parsed.ok()) return "! " + base::message(parsed.status());
    std::string out;
    for (const auto& p : *parsed) out += std::to_string(p.line) + "[" + p.key + "|" + p.value + "]";
    return out;
}

TEST(Properties, ReadAsJavaReadsThem) {
    EXPECT_EQ(shown(""), "");
    EXPECT_EQ(shown("a=b"), "1[a|b]");
    EXPECT_EQ(shown("a = b \n"), "1[a|b ]") << "blanks at the end belong to the value";
    EXPECT_EQ(shown("a:b\r\nc d\re\n"), "1[a|b]2[c|d]3[e|]");
    EXPECT_EQ(shown("  # no\n! no\n\n \t\na=#b"), "5[a|#b]");
    EXPECT_EQ(shown("a=1,\\\n   2,\\\r\n3\nb=4"), "1[a|1,2,3]4[b|4]");
    EXPECT_EQ(shown("a=x\\\\\nb=y"), "1[a|x\\]2[b|y]") << "an even number of backslashes";
    EXPECT_EQ(shown("a\\ b\\==c\\td\\qe\\n"), "1[a b=|c\tdqe\n]");
    EXPECT_EQ(shown("a=\\u00e9\\u20AC\\ud83d\\ude00"), "1[a|é€😀]");
    EXPECT_EQ(shown("a=b\\"), "1[a|b]");
    EXPECT_EQ(shown("\xef\xbb\xbf"
                    "a=b"),
              "1[a|b]")
        << "a byte order mark";
    EXPECT_EQ(shown("a==b"), "1[a|=b]");
}

TEST(Properties, RefuseWithTheLine) {
    EXPECT_EQ(shown("a=1\nb=\\u12"), "! line 2: a malformed \\uXXXX");
    EXPECT_EQ(shown("b=\\u12g4"), "! line 1: a malformed \\uXXXX");
    EXPECT_EQ(shown("b=\\ud800x"), "! line 1: a malformed \\uXXXX");
    EXPECT_EQ(shown("b=\\udc00"), "! line 1: a malformed \\uXXXX");
    EXPECT_EQ(shown("b=\\u0000"), "! line 1: a malformed \\uXXXX");
    EXPECT_EQ(shown("\n\nb=\xff"), "! line 3: not UTF-8");
    EXPECT_EQ(shown("b=\xc0\x80"), "! line 1: not UTF-8");
    EXPECT_EQ(shown("b=\xed\xa0\x80"), "! line 1: not UTF-8");
    EXPECT_EQ(shown(std::string_view("a=\0b", 4)), "! line 1: a NUL character");
    EXPECT_EQ(shown("=b"), "! line 1: a value without a key");
}

}  // namespace
}  // namespace metadata
