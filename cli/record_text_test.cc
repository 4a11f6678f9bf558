#include "cli/record_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace cli {
namespace {

RecordView record() {
    RecordView r;
    r.topic = "orders";
    r.partition = 3;
    r.offset = 42;
    r.timestamp = 1'700'000'000'000;
    r.key = "k";
    r.value = "v\"1\n";
    r.headers = {{"a", "1"}, {"b", std::nullopt}};
    return r;
}

TEST(RecordText, FillsTheFormat) {
    EXPECT_EQ(record_text(record(), "%t/%p@%o %T %k=%s [%h] 100%%\\t\\n"),
              "orders/3@42 1700000000000 k=v\"1\n [a=1,b=NULL] 100%\t\n");
}

TEST(RecordText, LeavesWhatItDoesNotKnow) {
    EXPECT_EQ(record_text(record(), "%q \\q %"), "%q \\q %");
}

TEST(RecordJson, IsOneLine) {
    const std::string text = record_json(record());
    EXPECT_EQ(text.find('\n'), text.size() - 1);
    const auto json = nlohmann::json::parse(text);
    EXPECT_EQ(json["value"], "v\"1\n");
    EXPECT_EQ(json["headers"][1]["value"], nullptr);
}

TEST(RecordJson, CodesWhatIsNotUtf8) {
    RecordView r = record();
    r.key = std::nullopt;
    r.value = "\xff\xfe";
    const auto json = nlohmann::json::parse(record_json(r));
    EXPECT_EQ(json["key"], nullptr);
    EXPECT_EQ(json["value_base64"], "//4=");
    EXPECT_FALSE(json.contains("value"));
}

}  // namespace
}  // namespace cli
