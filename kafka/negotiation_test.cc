#include "kafka/negotiation.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "kafka/header.h"

namespace kafka {
namespace {

TEST(Negotiation, ListsEveryApiOnce) {
    const ApiVersionsResponse response = served_api_versions();
    EXPECT_EQ(response.error_code, ErrorCode::none);
    std::set<int16_t> keys;
    for (const auto& row : response.api_keys) {
        const Api* api = find_api(row.api_key);
        ASSERT_NE(api, nullptr);
        EXPECT_EQ(row.max_version, api->versions.to);
        EXPECT_LE(row.min_version, row.max_version);
        EXPECT_TRUE(keys.insert(row.api_key).second);
    }
    EXPECT_EQ(keys.size(), apis.size());
}

TEST(Negotiation, KeepsSilentOfWhatIsNotServed) {
    for (const Api& api : unserved_apis) {
        const auto key = static_cast<int16_t>(api.key);
        EXPECT_EQ(find_api(key), nullptr) << api.name;
        EXPECT_EQ(find_known_api(key), &api);
        for (const auto& row : served_api_versions().api_keys) EXPECT_NE(row.api_key, key);
    }
}

TEST(Negotiation, AdvertisesProduceFromZeroButServesItFromThree) {
    const ApiVersionsResponse response = served_api_versions();
    EXPECT_EQ(response.api_keys.front(),
              (ApiVersionsResponse::ApiVersion{.api_key = 0, .min_version = 0, .max_version = 13}));
    EXPECT_FALSE(api_of(ApiKey::produce).versions.has(2));
}

TEST(Negotiation, AnUnknownVersionIsAnsweredInVersionZero) {
    const Encoded answer = encode(unsupported_api_versions(), 0);
    const base::Bytes expected = {
        std::byte{0}, std::byte{35},                              // error
        std::byte{0}, std::byte{0},  std::byte{0}, std::byte{1},  // one row
        std::byte{0}, std::byte{18}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{4}};
    EXPECT_EQ(answer.bytes, expected);
}

TEST(Negotiation, ChecksTheClientsSoftwareName) {
    for (const std::string good : {"a", "apache-kafka-java", "4.2.0", "kafka-python", "1", "A.b-9"})
        EXPECT_TRUE(valid_software_text(good)) << good;
    for (const std::string bad : {"", "-a", "a-", ".a", "a.", "a b", "a_b", "é", "a\n", "-"})
        EXPECT_FALSE(valid_software_text(bad)) << bad;
}

}  // namespace
}  // namespace kafka
