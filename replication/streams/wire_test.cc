#include "replication/streams/wire.h"

#include <gtest/gtest.h>

#include <random>

#include "proto/replication.pb.h"

namespace replication::streams {
namespace {

namespace v1 = moldau::replication::v1;

const base::TopicPartition kA{{7, 8}, 3};
const base::TopicPartition kB{{9, 10}, 0};

std::vector<base::View> whole(const std::string& bytes) { return {base::as_bytes(bytes)}; }

base::Result<LeaderMessage> decode(const std::string& bytes) {
    base::Bytes scratch;
    auto message = decode_leader(whole(bytes), scratch);
    EXPECT_TRUE(scratch.empty()) << "all is in one piece";
    return message;
}

std::string leader_message() {
    const std::string batches(1000, 'r');
    return encode(Welcome{.shards = 4}) +
           encode(Of<replica::AttachReply>{kA, {5, 6, replica::Accepted{10, 2, 8}}}) +
           encode(Of<replica::AttachReply>{kB, {5, 7, replica::Diverged{{-1, -1}}}}) +
           encode(Of<replica::AttachReply>{kB, {5, 8, replica::Restart{99}}}) +
           encode(Of<replica::AttachReply>{kB, {5, 9, replica::NotNow{}}}) +
           encode_header(kA, {5, 6, 10, 9, 2}, batches.size()) + batches +
           encode_header(kB, {5, 7, 11, 9, 2}, 0);
}

FollowerMessage follower_message() {
    FollowerMessage out;
    out.attaches.push_back({kA, {{2}, 11, 5, 6, 100, 90, -1}});
    out.attaches.push_back({kB, {{2}, 11, 5, 7, 100, 90, 4, true}});
    out.acknowledgements.push_back({kB, {{2}, 11, 5, 6, 1'000'000'000'000, 90}});
    return out;
}

void expect_whole(const base::Result<LeaderMessage>& message) {
    ASSERT_TRUE(message.ok()) << message.status();
    EXPECT_EQ(message->welcome, Welcome{.shards = 4});
    ASSERT_EQ(message->replies.size(), 4u);
    EXPECT_EQ(message->replies[0].first, kA);
    EXPECT_EQ(message->replies[0].second,
              (replica::AttachReply{5, 6, replica::Accepted{10, 2, 8}}));
    EXPECT_EQ(message->replies[1].second,
              (replica::AttachReply{5, 7, replica::Diverged{{-1, -1}}}));
    EXPECT_EQ(message->replies[2].second, (replica::AttachReply{5, 8, replica::Restart{99}}));
    EXPECT_EQ(message->replies[3].second, (replica::AttachReply{5, 9, replica::NotNow{}}));
    ASSERT_EQ(message->records.size(), 2u);
    EXPECT_EQ(message->records[0].id, kA);
    EXPECT_EQ(message->records[0].offer, (replica::Offer{5, 6, 10, 9, 2}));
    EXPECT_EQ(base::as_text(message->records[0].batches), std::string(1000, 'r'));
    EXPECT_EQ(message->records[1].offer, (replica::Offer{5, 7, 11, 9, 2}));
    EXPECT_TRUE(message->records[1].batches.empty());
}

TEST(StreamsWireTest, WhatIsFramedByHandIsTheProtocolsMessage) {
    v1::LeaderMessage parsed;
    ASSERT_TRUE(parsed.ParseFromString(leader_message()));
    EXPECT_EQ(parsed.welcome().shards(), 4u);
    EXPECT_EQ(parsed.replies_size(), 4);
    ASSERT_EQ(parsed.records_size(), 2);
    EXPECT_EQ(parsed.records(0).batches(), std::string(1000, 'r'));
    EXPECT_EQ(parsed.records(0).partition().topic_lo(), 8u);
    EXPECT_EQ(parsed.records(0).high_watermark(), 9);
    // As protobuf writes it, it is read too.
    expect_whole(decode(parsed.SerializeAsString()));
}

TEST(StreamsWireTest, ALeadersMessageIsReadInAnyPieces) {
    const auto bytes = leader_message();
    expect_whole(decode(bytes));
    const auto all = base::as_bytes(bytes);
    base::Bytes scratch;
    for (size_t cut = 0; cut <= bytes.size(); ++cut) {
        const std::vector<base::View> pieces{all.first(cut), {}, all.subspan(cut)};
        expect_whole(decode_leader(pieces, scratch));
    }
    std::vector<base::View> single;
    for (size_t i = 0; i < bytes.size(); ++i) single.push_back(all.subspan(i, 1));
    expect_whole(decode_leader(single, scratch));
}

TEST(StreamsWireTest, BatchesInOnePieceAreNotCopied) {
    const auto bytes = leader_message();
    const auto message = decode(bytes);
    ASSERT_TRUE(message.ok());
    const auto* at = reinterpret_cast<const char*>(message->records[0].batches.data());
    EXPECT_TRUE(at > bytes.data() && at < bytes.data() + bytes.size());
}

TEST(StreamsWireTest, AFollowersMessageAndHelloComeBackAsTheyWere) {
    const auto message = follower_message();
    const auto bytes = encode(message);
    const auto again = decode_follower(base::as_bytes(bytes), {2});
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->attaches, message.attaches);
    EXPECT_EQ(again->acknowledgements, message.acknowledgements);
    const Hello hello{.cluster_id = "c", .from = {4}, .shard = 2, .wanted = 1};
    EXPECT_EQ(decode_hello(encode(hello)).value(), hello);
}

TEST(StreamsWireTest, WhatNoCorrectPeerSendsIsRefused) {
    const auto refused = [](const v1::FollowerMessage& m) {
        return decode_follower(base::as_bytes(m.SerializeAsString()), {1}).status();
    };
    v1::FollowerMessage m;
    m.add_attaches();
    EXPECT_EQ(refused(m).code(), absl::StatusCode::kInvalidArgument) << "no partition";
    auto& attach = *m.mutable_attaches(0);
    attach.mutable_partition()->set_topic_lo(1);
    EXPECT_TRUE(refused(m).ok());
    attach.set_end(-1);
    EXPECT_EQ(refused(m).code(), absl::StatusCode::kInvalidArgument);
    attach.set_end(0);
    attach.set_epoch(-1);
    EXPECT_EQ(refused(m).code(), absl::StatusCode::kInvalidArgument);
    attach.set_epoch(0);
    attach.mutable_partition()->set_index(-1);
    EXPECT_EQ(refused(m).code(), absl::StatusCode::kInvalidArgument);

    EXPECT_FALSE(decode(encode(Welcome{.shards = 0})).ok());
    EXPECT_FALSE(decode(encode_header(kA, {5, 6, -1, 9, 2}, 0)).ok());
    EXPECT_FALSE(decode(encode_header(kA, {5, 6, 1, 9, 2}, 10) + "short").ok());
    EXPECT_FALSE(decode(encode_header({}, {5, 6, 1, 9, 2}, 0)).ok());
    EXPECT_FALSE(decode("\xff\xff\xff").ok());
    EXPECT_FALSE(decode_hello("\xff").ok());
    EXPECT_FALSE(decode_hello(encode(Hello{.cluster_id = std::string(1000, 'c')})).ok());
}

TEST(StreamsWireTest, ManyPartsAreRefusedBeforeTheyTakeMemory) {
    v1::FollowerMessage m;
    m.add_acknowledgements()->mutable_partition()->set_topic_lo(1);
    const auto one = m.SerializeAsString();
    std::string many;
    for (size_t i = 0; i <= kMostParts; ++i) many += one;
    EXPECT_EQ(decode_follower(base::as_bytes(many), {1}).status().code(),
              absl::StatusCode::kResourceExhausted);
    const std::string large(kMostFollowerBytes + 1, '\0');
    EXPECT_EQ(decode_follower(base::as_bytes(large), {1}).status().code(),
              absl::StatusCode::kResourceExhausted);
}

/// Whatever comes is refused, or is the same once it is written and read again.
TEST(StreamsWireTest, DamagedMessagesAreRefusedOrMeanSomething) {
    std::minstd_rand random(4711);
    const auto draw = [&](size_t below) {
        return std::uniform_int_distribution<size_t>(0, below - 1)(random);
    };
    for (int round = 0; round < 20'000; ++round) {
        auto leader = leader_message();
        auto follower = encode(follower_message());
        for (auto* bytes : {&leader, &follower}) {
            for (size_t hits = 1 + draw(4); hits > 0; --hits)
                (*bytes)[draw(std::min<size_t>(bytes->size(), 200))] = static_cast<char>(draw(256));
            if (draw(3) == 0) bytes->resize(draw(bytes->size()));
        }
        if (const auto message = decode(leader); message.ok())
            for (const auto& r : message->records) {
                const auto header = encode_header(r.id, r.offer, r.batches.size());
                const auto again = decode(header + std::string(base::as_text(r.batches)));
                ASSERT_TRUE(again.ok()) << again.status();
                EXPECT_EQ(again->records[0].offer, r.offer);
            }
        if (const auto message = decode_follower(base::as_bytes(follower), {2}); message.ok()) {
            const auto written = encode(*message);
            const auto again = decode_follower(base::as_bytes(written), {2});
            ASSERT_TRUE(again.ok()) << again.status();
            EXPECT_EQ(again->attaches, message->attaches);
        }
    }
}

}  // namespace
}  // namespace replication::streams
