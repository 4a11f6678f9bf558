#include "kafka/header.h"

#include <gtest/gtest.h>

#include "base/endian.h"
#include "kafka/messages/alter_partition.h"
#include "kafka/messages/api_versions.h"
#include "kafka/messages/fetch.h"
#include "kafka/messages/heartbeat.h"
#include "kafka/messages/metadata.h"
#include "kafka/messages/produce.h"

namespace kafka {
namespace {

base::View body_of(const Encoded& frame) {
    return base::View(frame.bytes).subspan(frame_size_bytes);
}

std::string error_of(base::View frame) {
    const auto request = read_request(frame);
    return request.ok() ? "ok" : base::message(request.status());
}

TEST(Header, RequestsOfBothHeaderVersionsRoundTrip) {
    HeartbeatRequest heartbeat;
    heartbeat.group_id = "g";
    for (Version v = 0; v <= 4; ++v) {
        const Encoded frame = encode_request(42, "client-é", heartbeat, v);
        EXPECT_EQ(base::load_be<int32_t>(frame.bytes.data()), std::ssize(frame.bytes) - 4);
        const auto request = read_request(body_of(frame));
        ASSERT_TRUE(request.ok()) << request.status();
        EXPECT_EQ(request->header, (RequestHeader{12, v, 42, "client-é"}));
        EXPECT_EQ(request->api->name, "Heartbeat");
        EXPECT_TRUE(request->version_served);
        const auto body = decode<HeartbeatRequest>(request->body, v);
        ASSERT_TRUE(body.ok()) << body.status();
        EXPECT_EQ(*body, heartbeat);
    }
}

TEST(Header, EveryTruncatedHeaderIsRefused) {
    const Encoded frame = encode_request(1, "client", HeartbeatRequest{}, 4);
    const size_t header = 2 + 2 + 4 + 2 + 6 + 1;
    for (size_t n = 0; n < header; ++n)
        EXPECT_NE(error_of(body_of(frame).first(n)).find("truncated"), std::string::npos) << n;
    EXPECT_EQ(error_of(body_of(frame).first(header)), "ok");
}

TEST(Header, TheClientIdMayBeNull) {
    const base::Bytes frame = {std::byte{0},   std::byte{12}, std::byte{0}, std::byte{0},
                               std::byte{0},   std::byte{0},  std::byte{0}, std::byte{7},
                               std::byte{255}, std::byte{255}};
    const auto request = read_request(frame);
    ASSERT_TRUE(request.ok());
    EXPECT_EQ(request->header.client_id, std::nullopt);
    EXPECT_TRUE(request->body.empty());
}

TEST(Header, RefusesAClientIdThatIsNoText) {
    Encoded frame = encode_request(1, "cl", HeartbeatRequest{}, 0);
    frame.bytes[4 + 10] = std::byte{0xff};
    EXPECT_EQ(error_of(body_of(frame)), "header.client_id: not UTF-8");
    base::store_be(frame.bytes.data() + 4 + 8, int16_t{-2});
    EXPECT_EQ(error_of(body_of(frame)), "header.client_id: negative length");
    base::store_be(frame.bytes.data() + 4 + 8, int16_t{32767});
    EXPECT_EQ(error_of(body_of(frame)), "header.client_id: truncated");
}

TEST(Header, SkipsTaggedFieldsWithinTheFrame) {
    Encoded frame = encode_request(1, "c", HeartbeatRequest{}, 4);
    const size_t tags = 4 + 8 + 2 + 1;
    frame.bytes[tags] = std::byte{1};
    const auto value = base::as_bytes(std::string_view("\x05\x03xyz", 5));
    frame.bytes.insert(frame.bytes.begin() + tags + 1, value.begin(), value.end());
    const auto request = read_request(body_of(frame));
    ASSERT_TRUE(request.ok()) << request.status();
    EXPECT_TRUE(decode<HeartbeatRequest>(request->body, 4).ok());

    frame.bytes[tags] = std::byte{2};  // claims one more than there is
    EXPECT_NE(error_of(body_of(frame).first(tags + 2)), "ok");
    Encoded flood = encode_request(1, "c", HeartbeatRequest{}, 4);
    flood.bytes[tags] = std::byte{0xff};
    flood.bytes.insert(flood.bytes.begin() + tags + 1, {std::byte{0xff}, std::byte{0x7f}});
    EXPECT_EQ(error_of(body_of(flood)), "header: too many tagged fields");
}

TEST(Header, RefusesUnknownKeysAndVersions) {
    Encoded frame = encode_request(1, "c", HeartbeatRequest{}, 0);
    const auto with = [&](int16_t key, int16_t version) {
        base::store_be(frame.bytes.data() + 4, key);
        base::store_be(frame.bytes.data() + 6, version);
        return error_of(body_of(frame));
    };
    EXPECT_EQ(with(12, 0), "ok");
    EXPECT_EQ(with(12, 5), "Heartbeat version 5 is not supported");
    EXPECT_EQ(with(12, -1), "Heartbeat version -1 is not supported");
    EXPECT_EQ(with(4, 0), "unknown API key 4");
    EXPECT_EQ(with(-1, 0), "unknown API key -1");
    EXPECT_EQ(with(32767, 0), "unknown API key 32767");
    for (int16_t v = 0; v <= 2; ++v)
        EXPECT_EQ(with(0, v), "Produce version " + std::to_string(v) + " is not supported");
}

TEST(Header, RefusesWhatIsKnownButNotServed) {
    const Encoded frame = encode_request(5, "c", AlterPartitionRequest{}, 3);
    EXPECT_EQ(error_of(body_of(frame)), "unknown API key 56");
    const auto request = read_request(body_of(frame), find_known_api);
    ASSERT_TRUE(request.ok()) << request.status();
    EXPECT_EQ(request->api->name, "AlterPartition");
    EXPECT_TRUE(decode<AlterPartitionRequest>(request->body, 3).ok());
}

TEST(Header, ApiVersionsOfAnyVersionCanBeAnswered) {
    for (const int16_t version : {5, 99, 32767, -1}) {
        Encoded frame = encode_request(9, "new", ApiVersionsRequest{}, 4);
        base::store_be(frame.bytes.data() + 6, version);
        const auto request = read_request(body_of(frame));
        ASSERT_TRUE(request.ok()) << request.status();
        EXPECT_FALSE(request->version_served);
        EXPECT_EQ(request->header.correlation_id, 9);
    }
}

TEST(Header, ResponsesOfFlexibleVersionsHaveTags) {
    HeartbeatResponse response{.error_code = ErrorCode::rebalance_in_progress};
    for (Version v = 0; v <= 4; ++v) {
        const Encoded frame = encode_response(77, response, v);
        EXPECT_EQ(base::load_be<int32_t>(frame.bytes.data()), std::ssize(frame.bytes) - 4);
        base::View rest = body_of(frame);
        EXPECT_EQ(rest.size(), encode(response, v).size() + (v == 4 ? 5 : 4));
        const auto id = read_response_header(rest, HeartbeatResponse::api, v);
        ASSERT_TRUE(id.ok()) << id.status();
        EXPECT_EQ(*id, 77);
        EXPECT_EQ(*decode<HeartbeatResponse>(rest, v), response);
        base::View cut = body_of(frame).first(v == 4 ? 4 : 3);
        EXPECT_FALSE(read_response_header(cut, HeartbeatResponse::api, v).ok());
    }
}

TEST(Header, ApiVersionsIsAnsweredWithoutTags) {
    for (Version v = 0; v <= 4; ++v)
        EXPECT_EQ(response_header_version(ApiVersionsResponse::api, v), 0);
    EXPECT_EQ(request_header_version(ApiVersionsRequest::api, 2), 1);
    EXPECT_EQ(request_header_version(ApiVersionsRequest::api, 3), 2);
    EXPECT_EQ(encode_response(1, ApiVersionsResponse{}, 3).size(),
              8 + encode(ApiVersionsResponse{}, 3).size());
}

TEST(Header, TheFrameSizeCountsSplices) {
    FetchResponse response;
    auto& topic = response.responses.emplace_back();
    topic.topic = "t";
    for (const uint32_t size : {1000u, 0u, 50u})
        topic.partitions.emplace_back().records = Records::splice(size);
    const Encoded frame = encode_response(1, response, 12);
    ASSERT_EQ(frame.splices.size(), 3u);
    EXPECT_EQ(frame.size(), frame.bytes.size() + 1050);
    EXPECT_EQ(base::load_be<int32_t>(frame.bytes.data()), static_cast<int32_t>(frame.size() - 4));
}

}  // namespace
}  // namespace kafka
