// The engine on a message made for the purpose; round_trip_test.cc has the real ones.
#include "kafka/wire.h"

#include <gtest/gtest.h>

#include <string>

#include "kafka/codec.h"

namespace kafka {
namespace {

struct Sample {
    static constexpr Format format{.versions = {0, 4}, .flexible = 2};

    struct Part {
        int32_t index = 0;
        std::optional<std::string> note;

        static void fields(auto& m, auto& f) {
            f("index", m.index);
            f("note", m.note, since(1).null_since(2));
        }
        bool operator==(const Part&) const = default;
    };
    struct Topic {
        std::string name;
        std::vector<Part> parts;

        static void fields(auto& m, auto& f) {
            f("name", m.name);
            f("parts", m.parts);
        }
        bool operator==(const Topic&) const = default;
    };

    std::vector<Topic> topics;
    std::optional<Part> cursor;
    std::optional<Records> records;
    base::Bytes blob;
    int64_t limit = 7;
    std::optional<std::string> cluster;

    static void fields(auto& m, auto& f) {
        f("topics", m.topics);
        f("cursor", m.cursor, since(3));
        f("records", m.records, since(1));
        f("blob", m.blob, until(1));
        f.tag(1, "limit", m.limit, since(3), 7);
        f.tag(4, "cluster", m.cluster, since(2));
    }
    bool operator==(const Sample&) const = default;
};

/// "00 01 ff" and letters in quotes: "'abc'".
base::Bytes bytes(std::string_view text) {
    base::Bytes out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == ' ') continue;
        if (text[i] == '\'') {
            for (++i; text[i] != '\''; ++i) out.push_back(static_cast<std::byte>(text[i]));
        } else {
            out.push_back(
                static_cast<std::byte>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
            ++i;
        }
    }
    return out;
}

std::string refusal(std::string_view text, Version v, Budget budget = {}) {
    const auto message = decode<Sample>(bytes(text), v, budget);
    return message.ok() ? "ok" : base::message(message.status());
}

TEST(Wire, WritesBigEndianWithFixedLengthsBeforeFlexibleVersions) {
    Sample m;
    m.topics = {{.name = "ab", .parts = {{.index = 258, .note = "x"}}}};
    m.blob = bytes("aa bb");
    EXPECT_EQ(encode(m, 0).bytes, bytes("00000001 0002 'ab' 00000001 00000102 00000002 aabb"));
    EXPECT_EQ(encode(m, 1).bytes, bytes("00000001 0002 'ab' 00000001 00000102 0001 'x'"
                                        "ffffffff 00000002 aabb"));
}

TEST(Wire, WritesVarintLengthsAndTagsInFlexibleVersions) {
    Sample m;
    m.topics = {{.name = "ab", .parts = {{.index = 258, .note = std::nullopt}}}};
    m.limit = 9;
    m.cluster = "c";
    EXPECT_EQ(encode(m, 2).bytes, bytes("02 03 'ab' 02 00000102 00 00 00 00 01 04 02 02 'c'"));
    EXPECT_EQ(encode(m, 3).bytes, bytes("02 03 'ab' 02 00000102 00 00 00 ff 00 02"
                                        "01 08 0000000000000009 04 02 02 'c'"));
}

TEST(Wire, LeavesOutTagsAtTheirDefault) {
    EXPECT_EQ(encode(Sample{}, 3).bytes, bytes("01 ff 00 00"));
    const auto read = decode<Sample>(bytes("01 ff 00 00"), 3);
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->limit, 7);
}

TEST(Wire, WritesEmptyWhereNullIsNotAllowed) {
    Sample m;
    m.topics = {{.name = "a", .parts = {{.index = 1, .note = std::nullopt}}}};
    const auto read = decode<Sample>(encode(m, 1).bytes, 1);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->topics[0].parts[0].note, "");
}

TEST(Wire, RefusesNullWhereItIsNotAllowed) {
    EXPECT_EQ(refusal("ffffffff", 0), "topics: null is not allowed");
    EXPECT_EQ(refusal("00000001 ffff", 0), "topics[0].name: null is not allowed");
    EXPECT_EQ(refusal("00000000 ffffffff", 0), "blob: null is not allowed");
    EXPECT_EQ(refusal("00000001 0001 'a' 00000001 00000000 ffff", 1),
              "topics[0].parts[0].note: null is not allowed");
    EXPECT_EQ(refusal("00", 2), "topics: null is not allowed");
    EXPECT_EQ(refusal("02 00", 2), "topics[0].name: null is not allowed");
}

TEST(Wire, ReadsNullableStructs) {
    Sample m;
    m.cursor = Sample::Part{.index = 5, .note = "n"};
    const Encoded out = encode(m, 3);
    EXPECT_EQ(out.bytes, bytes("01 01 00000005 02 'n' 00 00 00"));
    EXPECT_EQ(*decode<Sample>(out.bytes, 3), m);
}

TEST(Wire, NamesThePathOfWhatIsCutShort) {
    EXPECT_EQ(refusal("", 0), "topics: truncated");
    EXPECT_EQ(refusal("0000", 0), "topics: truncated");
    EXPECT_EQ(refusal("00000002 0001 'a' 00000000 0001 'b' 00000002 00000001 00", 0),
              "topics[1].parts[1].index: truncated");
    EXPECT_EQ(refusal("00000001 0005 'ab'", 0), "topics[0].name: truncated");
    EXPECT_EQ(refusal("00000000 00000009 aa", 0), "blob: truncated");
    EXPECT_EQ(refusal("01 00", 2), "truncated");  // the count of tagged fields
    EXPECT_EQ(refusal("01 ff 00 01 01 08 0000", 3), "truncated");
    EXPECT_EQ(refusal("01 ff 00 01 01 02 0000", 3), "limit: truncated");
}

TEST(Wire, RefusesNegativeLengths) {
    EXPECT_EQ(refusal("fffffffe", 0), "topics: negative length");
    EXPECT_EQ(refusal("80000000", 0), "topics: negative length");
    EXPECT_EQ(refusal("00000001 fffe", 0), "topics[0].name: negative length");
    EXPECT_EQ(refusal("00000000 fffffffe", 1), "records: negative length");
}

TEST(Wire, RefusesCountsPastTheFrame) {
    EXPECT_EQ(refusal("7fffffff 00", 0), "topics: truncated: 2147483647 elements in 1 bytes");
    EXPECT_EQ(refusal("ffffffff0f 00", 2), "topics: truncated: 4294967294 elements in 1 bytes");
}

TEST(Wire, RefusesOverlongVarints) {
    EXPECT_EQ(refusal("8080808080 01", 2), "topics: varint too long");
    EXPECT_EQ(refusal("ffffffff7f", 2), "topics: varint too long");
    EXPECT_EQ(refusal("8080", 2), "topics: truncated");
}

TEST(Wire, RefusesTextThatIsNotUtf8) {
    EXPECT_EQ(refusal("00000001 0002 c328 00000000 00000000", 0), "topics[0].name: not UTF-8");
}

TEST(Wire, RefusesStringsThatOtherVersionsCouldNotCarry) {
    Sample m;
    m.topics = {{.name = std::string(32767, 'a'), .parts = {}}};
    EXPECT_EQ(*decode<Sample>(encode(m, 2).bytes, 2), m);
    base::Bytes long_name = bytes("02 818002");
    long_name.insert(long_name.end(), 32768, std::byte{'a'});
    const auto more = bytes("01 00 00 00");
    long_name.insert(long_name.end(), more.begin(), more.end());
    EXPECT_EQ(base::message(decode<Sample>(long_name, 2).status()),
              "topics[0].name: string too long");
}

TEST(Wire, CutsOurOwnStringsBetweenCharacters) {
    Sample m;
    m.topics = {{.name = std::string(32766, 'a') + "é and more", .parts = {}}};
    for (const Version v : {0, 2}) {
        const auto read = decode<Sample>(encode(m, v).bytes, v);
        ASSERT_TRUE(read.ok()) << read.status();
        EXPECT_EQ(read->topics[0].name, std::string(32766, 'a'));
    }
    m.topics[0].name = std::string(32765, 'a') + "é and more";
    EXPECT_EQ(decode<Sample>(encode(m, 2).bytes, 2)->topics[0].name, std::string(32765, 'a') + "é");
}

TEST(Wire, RefusesTrailingBytes) {
    EXPECT_EQ(refusal("00000000 00000000", 0), "ok");
    EXPECT_EQ(refusal("00000000 00000000 00", 0), "1 trailing bytes");
    EXPECT_EQ(refusal("01 00 01 04 03 02 'c' 00", 2), "cluster: trailing bytes");
}

TEST(Wire, LeavesWhatFollowsWhenReadingFromTheFront) {
    const base::Bytes in = bytes("00000000 00000000 abcd");
    base::View rest = in;
    ASSERT_TRUE(decode_front<Sample>(rest, 0, Budget{}).ok());
    EXPECT_TRUE(base::equal(rest, bytes("abcd")));
    base::View cut = base::View(in).first(3);
    EXPECT_FALSE(decode_front<Sample>(cut, 0, Budget{}).ok());
    EXPECT_EQ(cut.size(), 3u);
}

TEST(Wire, SkipsUnknownTagsAndThoseOfOtherVersions) {
    EXPECT_EQ(refusal("01 00 02 05 02 aabb 07 00", 2), "ok");
    const auto read = decode<Sample>(bytes("01 00 01 01 08 0000000000000063"), 2);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->limit, 7);  // a field since version 3
}

TEST(Wire, ReadsTagsInAnyOrder) {
    const auto read = decode<Sample>(bytes("01 ff 00 02 04 02 02 'c' 01 08 0000000000000009"), 3);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->limit, 9);
    EXPECT_EQ(read->cluster, "c");
}

TEST(Wire, BoundsTheNumberOfTags) {
    base::Bytes in = bytes("01 00 8002");  // 256
    for (int i = 0; i < 256; ++i) in.insert(in.end(), {std::byte{9}, std::byte{0}});
    EXPECT_TRUE(decode<Sample>(in, 2).ok());
    in[2] = std::byte{0x81};
    in.insert(in.end(), {std::byte{9}, std::byte{0}});
    EXPECT_EQ(base::message(decode<Sample>(in, 2).status()), "too many tagged fields");
    EXPECT_EQ(refusal("01 00 ffffffff0f", 2), "too many tagged fields");
}

TEST(Wire, ChargesDecodedSizesToTheBudget) {
    const std::string two = "00000002 0003 'abc' 00000000 0000 00000000 00000000";
    const size_t needed = 2 * sizeof(Sample::Topic) + 3;
    EXPECT_EQ(refusal(two, 0, {needed}), "ok");
    EXPECT_EQ(refusal(two, 0, {needed - 1}),
              "topics[0].name: over the memory budget of the message");
    EXPECT_EQ(refusal(two, 0, {2 * sizeof(Sample::Topic) - 1}),
              "topics: over the memory budget of the message");
}

TEST(Wire, RefusesToTakeFarMoreMemoryThanTheFrame) {
    base::Bytes in = bytes("818008");  // 131,072 elements of 3 bytes that decode to 56
    for (int i = 0; i < 131072; ++i)
        for (const auto b : bytes("01 01 00")) in.push_back(b);
    in.insert(in.end(), {std::byte{0}, std::byte{0}});
    EXPECT_EQ(base::message(decode<Sample>(in, 2).status()),
              "topics: over the memory budget of the message");
    EXPECT_TRUE(decode<Sample>(in, 2, Budget{}).ok());
}

TEST(Wire, TheBudgetGrowsWithTheFrameUpToACap) {
    EXPECT_EQ(Budget::of_frame(0).bytes, Budget::floor);
    EXPECT_EQ(Budget::of_frame(1000).bytes, Budget::floor + 16000);
    EXPECT_EQ(Budget::of_frame(Budget::cap).bytes, Budget::cap);
    EXPECT_EQ(Budget::of_frame(SIZE_MAX).bytes, Budget::cap);
}

TEST(Wire, RecordsAreViewsOfTheFrame) {
    Sample m;
    const base::Bytes batch = bytes("01 02 03");
    m.records = Records(batch);
    const base::Bytes frame = encode(m, 2).bytes;
    const auto read = decode<Sample>(frame, 2, Budget{.bytes = 0});
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_TRUE(base::equal(read->records->bytes(), batch));
    EXPECT_GE(read->records->bytes().data(), frame.data());
    EXPECT_LT(read->records->bytes().data(), frame.data() + frame.size());
}

TEST(Wire, SplicesLeaveTheirPlaceInTheMessage) {
    const base::Bytes batch = bytes("01 02 03");
    Sample whole, spliced;
    whole.records = Records(batch);
    spliced.records = Records::splice(3);
    for (const Version v : {1, 2, 3}) {
        const Encoded out = encode(spliced, v, 5);
        ASSERT_EQ(out.splices.size(), 1u);
        EXPECT_EQ(out.splices[0].size, 3u);
        EXPECT_EQ(out.size(), out.bytes.size() + 3);
        base::Bytes joined(out.bytes.begin() + 5, out.bytes.end());
        joined.insert(joined.begin() + static_cast<std::ptrdiff_t>(out.splices[0].position) - 5,
                      batch.begin(), batch.end());
        EXPECT_EQ(joined, encode(whole, v).bytes);
    }
}

TEST(Wire, LeavesHeadroom) {
    const Encoded out = encode(Sample{}, 2, 3);
    EXPECT_EQ(out.bytes, bytes("000000 01 00 00"));
}

TEST(Wire, RefusesToReadAVersionThatTheMessageLacks) {
    EXPECT_EQ(refusal("", 5), "version 5 is not supported");
    EXPECT_EQ(refusal("", -1), "version -1 is not supported");
    EXPECT_DEATH(encode(Sample{}, 5), "version 5");
}

TEST(Wire, PrintsTheFieldsOfTheVersion) {
    Sample m;
    m.topics = {{.name = "q\"\\\n", .parts = {{.index = -1, .note = std::nullopt}, {}}}};
    m.blob = bytes("00ff");
    m.records = Records::splice(12);
    m.limit = 8;
    EXPECT_EQ(
        json(m, 0),
        R"({"topics":[{"name":"q\"\\\u000a","parts":[{"index":-1},{"index":0}]}],"blob":"AP8="})");
    EXPECT_EQ(json(m, 3), R"({"topics":[{"name":"q\"\\\u000a","parts":[{"index":-1,"note":null},)"
                          R"({"index":0,"note":null}]}],"cursor":null,"records_size_in_bytes":12,)"
                          R"("limit":8})");
}

}  // namespace
}  // namespace kafka
