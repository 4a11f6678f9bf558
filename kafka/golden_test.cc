// Bytes that other clients wrote, in tests/golden: see tests/golden/generate/README.md.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "kafka/testing/any_message.h"

namespace kafka {
namespace {

struct Line {
    std::string message;
    Version version = 0;
    base::Bytes bytes;
    nlohmann::json json;
};

base::Bytes unhex(const std::string& text) {
    base::Bytes out(text.size() / 2);
    for (size_t i = 0; i < out.size(); ++i)
        out[i] = static_cast<std::byte>(std::stoi(text.substr(2 * i, 2), nullptr, 16));
    return out;
}

std::vector<Line> lines_of(const std::string& file) {
    std::ifstream in(std::string(MOLDAU_GOLDEN) + "/" + file);
    std::vector<Line> lines;
    for (std::string text; std::getline(in, text);) {
        auto row = nlohmann::json::parse(text);
        lines.push_back(
            {row["message"], row["version"], unhex(row["hex"]), std::move(row["json"])});
    }
    return lines;
}

/// throttle_time_ms -> throttleTimeMs, throughout.
nlohmann::json with_camel_case(const nlohmann::json& value) {
    if (value.is_array()) {
        nlohmann::json out = nlohmann::json::array();
        for (const auto& element : value) out.push_back(with_camel_case(element));
        return out;
    }
    if (!value.is_object()) return value;
    nlohmann::json out = nlohmann::json::object();
    for (const auto& [key, member] : value.items()) {
        std::string name;
        for (size_t i = 0; i < key.size(); ++i)
            name += key[i] == '_' ? static_cast<char>(std::toupper(key[++i])) : key[i];
        out[name] = with_camel_case(member);
    }
    return out;
}

void check(const MessageType& type, const Line& line) {
    const auto read = type.decode(line.bytes, line.version, Budget{});
    ASSERT_TRUE(read.ok()) << read.status();
    const std::string printed = type.json(*read, line.version);
    EXPECT_EQ(with_camel_case(nlohmann::json::parse(printed)), line.json);
    EXPECT_EQ(type.encode(*read, line.version).bytes, line.bytes);
}

class Golden : public ::testing::TestWithParam<std::string> {};

TEST_P(Golden, IsReadPrintedAndWrittenAlike) {
    std::map<std::string, const MessageType*> by_name;
    for (const MessageType& type : message_types()) by_name[type.name] = &type;
    const auto lines = lines_of(GetParam());
    ASSERT_FALSE(lines.empty());
    for (const Line& line : lines) {
        SCOPED_TRACE(line.message + " version " + std::to_string(line.version));
        ASSERT_TRUE(by_name.contains(line.message));
        check(*by_name.at(line.message), line);
    }
}

INSTANTIATE_TEST_SUITE_P(Clients, Golden,
                         ::testing::Values("kafka-clients.jsonl", "franz-go.jsonl"),
                         [](const auto& test) {
                             return test.param == "franz-go.jsonl" ? "FranzGo" : "KafkaClients";
                         });

TEST(GoldenCoverage, HasEveryKnownVersionFromBothClients) {
    for (const std::string file : {"kafka-clients.jsonl", "franz-go.jsonl"}) {
        std::set<std::pair<std::string, Version>> seen;
        for (const Line& line : lines_of(file)) seen.emplace(line.message, line.version);
        for (const MessageType& type : message_types())
            for (Version v = type.api->versions.from; v <= type.api->versions.to; ++v)
                EXPECT_TRUE(seen.contains({type.name, v})) << file << ' ' << type.name << ' ' << v;
    }
}

}  // namespace
}  // namespace kafka
