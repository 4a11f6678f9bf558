#include "base/options.h"

#include <gtest/gtest.h>

namespace base {
namespace {

OptionTable table() {
    return OptionTable({
        option::int32("num.partitions", 1, "Partitions.").at_least(1),
        option::int64("retention.ms", -1, "Time.").at_least(-1),
        option::int32("roll.hours", 168, "Time.").not_zero(),
        option::int16("offsets.topic.replication.factor", 3, "Copies.").at_least(1),
        option::boolean("auto.create.topics.enable", true, "Auto."),
        option::float64("min.cleanable.dirty.ratio", "0.5", "Ratio.").between(0.0, 1.0),
        option::list("cleanup.policy", "delete", "Policy.").one_of({"compact", "delete"}),
        option::string("compression.type", "producer", "Codec.").one_of({"producer", "zstd"}),
        option::string("broker.rack", std::nullopt, "Rack."),
        option::password("secret.key", "Secret."),
    });
}

TEST(Options, ParseInTheirType) {
    auto t = table();
    EXPECT_EQ(*parse(*t.find("num.partitions"), " 12 "), OptionValue(int64_t{12}));
    EXPECT_EQ(*parse(*t.find("retention.ms"), "-1"), OptionValue(int64_t{-1}));
    EXPECT_EQ(*parse(*t.find("auto.create.topics.enable"), "FALSE"), OptionValue(false));
    EXPECT_EQ(*parse(*t.find("min.cleanable.dirty.ratio"), "0.25"), OptionValue(0.25));
    EXPECT_EQ(*parse(*t.find("cleanup.policy"), "compact , delete"),
              OptionValue(std::vector<std::string>{"compact", "delete"}));
    EXPECT_EQ(*parse(*t.find("compression.type"), "zstd"), OptionValue(std::string("zstd")));
    EXPECT_EQ(*parse(*t.find("broker.rack"), "a b"), OptionValue(std::string("a b")));
}

TEST(Options, RefuseWithTheReason) {
    struct Row {
        const char *name, *text, *why;
    };
    auto t = table();
    for (const Row& row : {
             Row{"num.partitions", "0", "num.partitions=0: must be from 1 to 2147483647"},
             Row{"num.partitions", "2147483648", "must be from 1 to"},
             Row{"num.partitions", "99999999999999999999", "must be from 1 to"},
             Row{"num.partitions", "", "not a whole number"},
             Row{"num.partitions", "1.5", "not a whole number"},
             Row{"retention.ms", "7d", "retention.ms=7d: not a whole number of milliseconds"},
             Row{"retention.ms", "-2", "must be from -1"},
             Row{"roll.hours", "0", "must not be 0"},
             Row{"roll.hours", "1h", "not a whole number of hours"},
             Row{"offsets.topic.replication.factor", "40000", "to 32767"},
             Row{"auto.create.topics.enable", "yes", "must be true or false"},
             Row{"min.cleanable.dirty.ratio", "1.5", "must be from 0"},
             Row{"min.cleanable.dirty.ratio", "nan", "not a number"},
             Row{"min.cleanable.dirty.ratio", "half", "not a number"},
             Row{"cleanup.policy", "delete,keep", "each must be one of compact, delete"},
             Row{"cleanup.policy", "delete,delete", "stands twice"},
             Row{"compression.type", "brotli", "must be one of producer, zstd"},
         }) {
        auto result = parse(*t.find(row.name), row.text);
        ASSERT_FALSE(result.ok()) << row.name << "=" << row.text;
        EXPECT_NE(message(result.status()).find(row.why), std::string::npos)
            << message(result.status());
    }
}

TEST(Options, NearestNameIsASlipAway) {
    auto t = table();
    EXPECT_EQ(t.nearest("num.partition"), "num.partitions");
    EXPECT_EQ(t.nearest("auto.craete.topics.enable"), "auto.create.topics.enable");
    EXPECT_EQ(t.nearest("retention_ms"), "retention.ms");
    EXPECT_EQ(t.nearest("something.else.entirely"), "");
    EXPECT_EQ(t.find("num.partition"), nullptr);
}

TEST(Options, EditDistance) {
    EXPECT_EQ(edit_distance("", ""), 0u);
    EXPECT_EQ(edit_distance("abc", ""), 3u);
    EXPECT_EQ(edit_distance("abc", "acb"), 1u);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Options, ListsAreTrimmed) {
    EXPECT_EQ(split_list(" a, b ,,c"), (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_TRUE(split_list(" , ").empty());
    EXPECT_TRUE(split_list("").empty());
}

}  // namespace
}  // namespace base
