#include "controller/quorum/wire.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <variant>

#include "base/crc32c.h"
#include "proto/raft.pb.h"

namespace quorum {
namespace {

namespace v1 = moldau::raft::v1;
using absl::StatusCode;
using testing::HasSubstr;

const Link kLink{.cluster = {1, 2}, .from = {3, {4, 5}}, .to = {6, {7, 8}}};

raft::Message message(raft::Term term, decltype(raft::Message::body) body) {
    return {kLink.cluster, kLink.from, kLink.to, term, std::move(body)};
}

std::string serialized(std::vector<raft::Message> messages) {
    v1::Batch batch;
    for (auto& m : messages) add(batch, std::move(m));
    return batch.SerializeAsString();
}

/// What comes out at the other end; its size on the wire was told before.
raft::Message passed(const raft::Message& m) {
    const auto bytes = serialized({m});
    EXPECT_LE(bytes.size(), wire_bytes(m));
    auto out = decode(bytes, kLink);
    EXPECT_TRUE(out.ok()) << out.status();
    EXPECT_EQ(out->size(), 1u);
    EXPECT_EQ(out->front().cluster, m.cluster);
    EXPECT_EQ(out->front().from, m.from);
    EXPECT_EQ(out->front().to, m.to);
    EXPECT_EQ(out->front().term, m.term);
    EXPECT_EQ(serialized({out->front()}), bytes);
    return std::move(out->front());
}

template <class Body>
Body passed(raft::Term term, Body body) {
    return std::get<Body>(passed(message(term, std::move(body))).body);
}

constexpr int64_t kHuge = INT64_MAX - 1;

raft::Configuration configuration() {
    return {.voters = {{{1, {1, 1}}, "one:1"}, {{2, {~0ULL, ~0ULL}}, "[::1]:2"}},
            .learners = {{{3, {1, 1}}, "three:3"}, {{INT32_MAX, {0, 0}}, ""}},
            .promised = {{3, {1, 1}}, {INT32_MAX, {0, 0}}}};
}

TEST(Wire, VoteRequest) {
    for (const bool pre : {false, true})
        for (const bool forced : {false, true}) {
            const auto m = passed(kHuge, raft::VoteRequest{{kHuge, 7}, pre, forced});
            EXPECT_EQ(m.last, (raft::Position{kHuge, 7}));
            EXPECT_EQ(m.pre, pre);
            EXPECT_EQ(m.forced, forced);
        }
    EXPECT_EQ(passed(0, raft::VoteRequest{}).last, raft::Position{});
}

TEST(Wire, VoteReply) {
    for (const bool granted : {false, true})
        for (const bool pre : {false, true}) {
            const auto m = passed(3, raft::VoteReply{granted, pre});
            EXPECT_EQ(m.granted, granted);
            EXPECT_EQ(m.pre, pre);
        }
}

TEST(Wire, Append) {
    const std::string bytes("a\0\xff", 3);
    const std::vector<raft::Entry> entries{
        {4, raft::EntryKind::empty, ""},
        {4, raft::EntryKind::data, bytes},
        {5, raft::EntryKind::data, std::string(100'000, 'x')},
        {5, raft::EntryKind::configuration, configuration().encode()}};
    const auto m = passed(5, raft::Append{{10, 4}, entries, 9});
    EXPECT_EQ(m.prev, (raft::Position{10, 4}));
    EXPECT_EQ(m.entries, entries);
    EXPECT_EQ(m.commit, 9);
    EXPECT_TRUE(passed(1, raft::Append{}).entries.empty());
}

TEST(Wire, AppendReply) {
    const auto m = passed(kHuge, raft::AppendReply{true, kHuge, {kHuge, kHuge}});
    EXPECT_TRUE(m.ok);
    EXPECT_EQ(m.match, kHuge);
    EXPECT_EQ(m.hint, (raft::Position{kHuge, kHuge}));
    EXPECT_FALSE(passed(1, raft::AppendReply{}).ok);
}

TEST(Wire, Heartbeat) {
    const auto m = passed(1, raft::Heartbeat{kHuge, UINT64_MAX});
    EXPECT_EQ(m.commit, kHuge);
    EXPECT_EQ(m.round, UINT64_MAX);
    EXPECT_EQ(passed(1, raft::HeartbeatReply{UINT64_MAX}).round, UINT64_MAX);
}

TEST(Wire, SnapshotChunk) {
    const std::string bytes(1'000'000, 'y');
    const auto m = passed(8, raft::SnapshotChunk{{{9, 8}, configuration()},
                                                 UINT32_MAX,
                                                 true,
                                                 bytes,
                                                 base::crc32c(base::as_bytes(bytes))});
    EXPECT_EQ(m.snapshot, (raft::SnapshotInfo{{9, 8}, configuration()}));
    EXPECT_EQ(m.number, UINT32_MAX);
    EXPECT_TRUE(m.last);
    EXPECT_EQ(m.bytes, bytes);
    EXPECT_EQ(m.crc, base::crc32c(base::as_bytes(bytes)));
}

TEST(Wire, SnapshotReplyAndTimeoutNow) {
    const auto m = passed(1, raft::SnapshotReply{kHuge, UINT32_MAX});
    EXPECT_EQ(m.snapshot, kHuge);
    EXPECT_EQ(m.next, UINT32_MAX);
    passed(1, raft::TimeoutNow{});
}

TEST(Wire, TheLargestConfigurationKeepsWithinItsSize) {
    raft::Configuration c;
    for (int32_t i = 0; i < static_cast<int32_t>(raft::Configuration::kMostMembers); ++i) {
        const raft::Member member{INT32_MAX - i, {~0ULL, ~0ULL}};
        c.learners.emplace(member, std::string(raft::Configuration::kMostAddressBytes, 'h'));
        c.promised.insert(member);
    }
    EXPECT_EQ(passed(1, raft::SnapshotChunk{.snapshot = {{1, 1}, c}}).snapshot.configuration, c);
}

TEST(Wire, ManyMessagesKeepTheirOrder) {
    std::vector<raft::Message> messages;
    for (raft::Term t = 0; t < static_cast<raft::Term>(kMostMessages); ++t)
        messages.push_back(message(t, raft::VoteReply{}));
    const auto out = decode(serialized(messages), kLink);
    ASSERT_TRUE(out.ok()) << out.status();
    for (size_t i = 0; i < kMostMessages; ++i)
        EXPECT_EQ((*out)[i].term, static_cast<raft::Term>(i));
    EXPECT_TRUE(decode("", kLink)->empty());
}

void expect_refused(const v1::Batch& batch, StatusCode code, const std::string& why) {
    const auto out = decode(batch.SerializeAsString(), kLink);
    EXPECT_EQ(out.status().code(), code) << out.status();
    EXPECT_THAT(base::message(out.status()), HasSubstr(why));
}

void expect_invalid(const v1::Message& m, const std::string& why) {
    v1::Batch batch;
    *batch.add_messages() = m;
    expect_refused(batch, StatusCode::kInvalidArgument, why);
}

TEST(Wire, RefusesUnknownKinds) {
    v1::Message m;
    m.set_term(1);
    expect_invalid(m, "an unknown kind");
    m.mutable_append()->mutable_prev();
    for (const int kind : {0, 4, -1}) {
        m.mutable_append()->clear_entries();
        auto& entry = *m.mutable_append()->add_entries();
        entry.set_term(1);
        entry.set_kind(static_cast<v1::EntryKind>(kind));
        expect_invalid(m, "an unknown kind of entry");
    }
}

TEST(Wire, RefusesWhatIsMissing) {
    v1::Message m;
    m.mutable_append();
    expect_invalid(m, "without the position");
    m.mutable_vote_request();
    expect_invalid(m, "log's end");
    m.mutable_snapshot_chunk()->mutable_position()->set_index(1);
    expect_invalid(m, "configuration can't be read");
}

TEST(Wire, RefusesNegativeNumbers) {
    v1::Message m;
    m.set_term(-1);
    m.mutable_vote_reply();
    expect_invalid(m, "negative");
    m.set_term(1);
    m.mutable_heartbeat()->set_commit(-1);
    expect_invalid(m, "negative");
    m.mutable_append_reply()->set_match(-1);
    expect_invalid(m, "negative");
    m.mutable_append_reply()->set_match(1);
    m.mutable_append_reply()->mutable_hint()->set_index(-1);
    expect_invalid(m, "negative");
    m.mutable_append()->mutable_prev()->set_index(-5);
    expect_invalid(m, "negative");
    m.mutable_snapshot_reply()->set_snapshot(-1);
    expect_invalid(m, "negative");
    m.mutable_vote_request()->mutable_last()->set_term(-1);
    expect_invalid(m, "position");
}

TEST(Wire, RefusesTermsThatMakeNoSense) {
    v1::Message m;
    m.set_term(5);
    m.mutable_append()->mutable_prev()->set_term(3);
    auto& entry = *m.mutable_append()->add_entries();
    entry.set_kind(v1::ENTRY_KIND_DATA);
    entry.set_term(2);
    expect_invalid(m, "fall");
    entry.set_term(6);
    expect_invalid(m, "above the message's");
    auto& chunk = *m.mutable_snapshot_chunk();
    chunk.set_configuration(configuration().encode());
    expect_invalid(m, "makes no sense");
}

TEST(Wire, RefusesAConfigurationThatCanNotBeRead) {
    v1::Message m;
    m.set_term(1);
    m.mutable_append()->mutable_prev();
    auto& entry = *m.mutable_append()->add_entries();
    entry.set_kind(v1::ENTRY_KIND_CONFIGURATION);
    entry.set_term(1);
    entry.set_data("x");
    expect_invalid(m, "a configuration that can't be read");
}

TEST(Wire, OneBadMessageSpoilsTheBatch) {
    v1::Batch batch;
    add(batch, message(1, raft::VoteReply{}));
    batch.add_messages();
    expect_refused(batch, StatusCode::kInvalidArgument, "an unknown kind");
}

TEST(Wire, CountsBeforeItAllocates) {
    v1::Batch many;
    for (size_t i = 0; i <= kMostMessages; ++i) many.add_messages();
    expect_refused(many, StatusCode::kResourceExhausted, "more than 256 messages");

    // Two bytes each, in a message that says append twice: protobuf would put them together.
    const size_t half = kMostEntries / 2 + 1;
    std::string entries;
    for (size_t i = 0; i < half; ++i) entries.append("\x12\x00", 2);
    v1::Message m;
    std::string twice;
    for (int i = 0; i < 2; ++i) {
        const size_t n = entries.size();
        twice += '\x22';
        for (size_t left = n; left != 0; left >>= 7)
            twice += static_cast<char>((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
        twice += entries;
    }
    ASSERT_TRUE(m.ParseFromString(twice));
    ASSERT_EQ(m.append().entries_size(), static_cast<int>(2 * half));
    std::string batch = "\x0a";
    for (size_t left = twice.size(); left != 0; left >>= 7)
        batch += static_cast<char>((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    batch += twice;
    EXPECT_EQ(decode(batch, kLink).status().code(), StatusCode::kResourceExhausted);
}

TEST(Wire, RefusesBytesThatAreNoBatch) {
    const auto good = serialized({message(5, raft::Append{{1, 1}, {{5, {}, "data"}}, 1})});
    for (size_t n = 1; n < good.size(); ++n)
        EXPECT_EQ(decode(good.substr(0, n), kLink).status().code(), StatusCode::kInvalidArgument)
            << n;
    EXPECT_FALSE(decode(std::string(64, '\xff'), kLink).ok());
    EXPECT_FALSE(decode(std::string(1000, '\x0b'), kLink).ok()) << "groups in groups";
}

TEST(Hello, ComesThrough) {
    const Hello hello{kProtocolVersion, kLink, "host:9", true};
    EXPECT_EQ(decode_hello(encode(hello)).value(), hello);
}

TEST(Hello, RefusesWhatCanNotBeRight) {
    const auto why = [](const v1::Hello& hello) {
        const auto out = decode_hello(hello.SerializeAsString());
        EXPECT_EQ(out.status().code(), StatusCode::kInvalidArgument);
        return base::message(out.status());
    };
    v1::Hello good;
    ASSERT_TRUE(good.ParseFromString(encode(Hello{1, kLink, ""})));
    auto hello = good;
    hello.clear_cluster();
    EXPECT_THAT(why(hello), HasSubstr("without cluster"));
    hello = good;
    hello.mutable_from()->clear_incarnation();
    EXPECT_THAT(why(hello), HasSubstr("without cluster, sender"));
    hello = good;
    hello.clear_to();
    EXPECT_THAT(why(hello), HasSubstr("receiver"));
    hello = good;
    hello.mutable_to()->set_id(-1);
    EXPECT_THAT(why(hello), HasSubstr("negative"));
    hello = good;
    hello.set_address(std::string(raft::Configuration::kMostAddressBytes + 1, 'a'));
    EXPECT_THAT(why(hello), HasSubstr("too long"));
    EXPECT_EQ(decode_hello("\xff").status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace quorum
