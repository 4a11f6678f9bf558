#include "controller/quorum/wire.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <climits>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"
#include "controller/wire/ids.h"
#include "proto/raft.pb.h"

namespace quorum {

namespace {

namespace v1 = moldau::raft::v1;

// Tags, lengths and numbers of one message beside its payload; a member of a configuration, and
// that it is promised a vote.
constexpr size_t kMessageOverhead = 128;
constexpr size_t kMemberOverhead = 32;

// ------------------------------------------------------------------------------------------ ids

using wire::put;
using wire::taken;

void put(v1::Position& out, const raft::Position& position) {
    out.set_index(position.index);
    out.set_term(position.term);
}

raft::Position taken(const v1::Position& p) { return {p.index(), p.term()}; }

// --------------------------------------------------------------------------------- message → wire

v1::EntryKind kind(raft::EntryKind kind) {
    switch (kind) {
        case raft::EntryKind::empty:
            return v1::ENTRY_KIND_EMPTY;
        case raft::EntryKind::data:
            return v1::ENTRY_KIND_DATA;
        case raft::EntryKind::configuration:
            return v1::ENTRY_KIND_CONFIGURATION;
    }
    CHECK(false) << "entry of kind " << static_cast<int>(kind);
    return v1::ENTRY_KIND_UNSPECIFIED;
}

void put(v1::Message& out, raft::VoteRequest&& m) {
    auto& body = *out.mutable_vote_request();
    put(*body.mutable_last(), m.last);
    body.set_pre(m.pre);
    body.set_forced(m.forced);
}

void put(v1::Message& out, raft::VoteReply&& m) {
    auto& body = *out.mutable_vote_reply();
    body.set_granted(m.granted);
    body.set_pre(m.pre);
}

void put(v1::Message& out, raft::Append&& m) {
    auto& body = *out.mutable_append();
    put(*body.mutable_prev(), m.prev);
    body.set_commit(m.commit);
    body.mutable_entries()->Reserve(static_cast<int>(m.entries.size()));
    for (auto& e : m.entries) {
        auto& entry = *body.add_entries();
        entry.set_term(e.term);
        entry.set_kind(kind(e.kind));
        entry.set_data(std::move(e.data));
    }
}

void put(v1::Message& out, raft::AppendReply&& m) {
    auto& body = *out.mutable_append_reply();
    body.set_ok(m.ok);
    body.set_match(m.match);
    put(*body.mutable_hint(), m.hint);
}

void put(v1::Message& out, raft::Heartbeat&& m) {
    auto& body = *out.mutable_heartbeat();
    body.set_commit(m.commit);
    body.set_round(m.round);
}

void put(v1::Message& out, raft::HeartbeatReply&& m) {
    out.mutable_heartbeat_reply()->set_round(m.round);
}

void put(v1::Message& out, raft::SnapshotChunk&& m) {
    auto& body = *out.mutable_snapshot_chunk();
    put(*body.mutable_position(), m.snapshot.position);
    body.set_configuration(m.snapshot.configuration.encode());
    body.set_number(m.number);
    body.set_last(m.last);
    body.set_data(std::move(m.bytes));
    body.set_crc(m.crc);
}

void put(v1::Message& out, raft::SnapshotReply&& m) {
    auto& body = *out.mutable_snapshot_reply();
    body.set_snapshot(m.snapshot);
    body.set_next(m.next);
}

void put(v1::Message& out, raft::TimeoutNow&&) { out.mutable_timeout_now(); }

// --------------------------------------------------------------------------------- wire → message

using Body = decltype(raft::Message::body);

std::optional<raft::EntryKind> kind(v1::EntryKind kind) {
    switch (kind) {
        case v1::ENTRY_KIND_EMPTY:
            return raft::EntryKind::empty;
        case v1::ENTRY_KIND_DATA:
            return raft::EntryKind::data;
        case v1::ENTRY_KIND_CONFIGURATION:
            return raft::EntryKind::configuration;
        default:
            return std::nullopt;
    }
}

base::Result<Body> append(v1::Append& m) {
    if (!m.has_prev()) return base::invalid("an append without the position before it");
    raft::Append out{.prev = taken(m.prev()), .commit = m.commit()};
    out.entries.reserve(static_cast<size_t>(m.entries_size()));
    for (auto& e : *m.mutable_entries()) {
        const auto known = kind(e.kind());
        if (!known) return base::invalid("an unknown kind of entry");
        out.entries.push_back({e.term(), *known, std::move(*e.mutable_data())});
    }
    return Body(std::move(out));
}

base::Result<Body> chunk(v1::SnapshotChunk& m) {
    auto configuration = raft::Configuration::decode(m.configuration());
    if (!configuration) return base::invalid("a snapshot's configuration can't be read");
    return Body(raft::SnapshotChunk{.snapshot = {taken(m.position()), *std::move(configuration)},
                                    .number = m.number(),
                                    .last = m.last(),
                                    .bytes = std::move(*m.mutable_data()),
                                    .crc = m.crc()});
}

base::Result<Body> body(v1::Message& m) {
    switch (m.body_case()) {
        case v1::Message::kVoteRequest: {
            const auto& v = m.vote_request();
            if (!v.has_last()) return base::invalid("a candidate that doesn't tell its log's end");
            return Body(raft::VoteRequest{taken(v.last()), v.pre(), v.forced()});
        }
        case v1::Message::kVoteReply:
            return Body(raft::VoteReply{m.vote_reply().granted(), m.vote_reply().pre()});
        case v1::Message::kAppend:
            return append(*m.mutable_append());
        case v1::Message::kAppendReply: {
            const auto& r = m.append_reply();
            return Body(raft::AppendReply{r.ok(), r.match(), taken(r.hint())});
        }
        case v1::Message::kHeartbeat:
            return Body(raft::Heartbeat{m.heartbeat().commit(), m.heartbeat().round()});
        case v1::Message::kHeartbeatReply:
            return Body(raft::HeartbeatReply{m.heartbeat_reply().round()});
        case v1::Message::kSnapshotChunk:
            return chunk(*m.mutable_snapshot_chunk());
        case v1::Message::kSnapshotReply: {
            const auto& r = m.snapshot_reply();
            if (r.snapshot() < 0) return base::invalid("a negative index");
            return Body(raft::SnapshotReply{r.snapshot(), r.next()});
        }
        case v1::Message::kTimeoutNow:
            return Body(raft::TimeoutNow{});
        case v1::Message::BODY_NOT_SET:
            break;
    }
    return base::invalid("a message of an unknown kind");
}

// ---------------------------------------------------------------------------------------- counts

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

/// Calls `inside` with the bytes of each field `number` that holds bytes. What can't be read is the
/// parser's to refuse.
template <class F>
void each(std::string_view bytes, int number, F inside) {
    const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
    CodedInputStream in(data, static_cast<int>(bytes.size()));
    const auto wanted = WireFormatLite::MakeTag(number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
    while (const uint32_t tag = in.ReadTag()) {
        uint32_t size = 0;
        if (tag != wanted) {
            if (!WireFormatLite::SkipField(&in, tag)) return;
        } else if (in.ReadVarint32(&size)) {
            const auto at = static_cast<size_t>(in.CurrentPosition());
            if (size > bytes.size() - at) return;
            inside(bytes.substr(at, size));
            in.Skip(static_cast<int>(size));
        } else {
            return;
        }
    }
}

/// An element takes a multiple of its bytes once it is parsed, so elements are counted before.
base::Status check_counts(std::string_view batch) {
    size_t messages = 0;
    size_t entries = 0;
    each(batch, v1::Batch::kMessagesFieldNumber, [&](std::string_view message) {
        if (++messages > kMostMessages) return;
        each(message, v1::Message::kAppendFieldNumber, [&](std::string_view append) {
            each(append, v1::Append::kEntriesFieldNumber, [&](std::string_view) { ++entries; });
        });
    });
    if (messages > kMostMessages)
        return base::exhausted("more than " + std::to_string(kMostMessages) +
                               " messages in a batch");
    if (entries > kMostEntries)
        return base::exhausted("more than " + std::to_string(kMostEntries) + " entries in a batch");
    return base::ok();
}

}  // namespace

std::string encode(const Hello& hello) {
    v1::Hello out;
    out.set_version(hello.version);
    put(*out.mutable_cluster(), hello.link.cluster);
    put(*out.mutable_from(), hello.link.from);
    put(*out.mutable_to(), hello.link.to);
    out.set_address(hello.address);
    out.set_controller(hello.controller);
    return out.SerializeAsString();
}

base::Result<Hello> decode_hello(std::string_view bytes) {
    v1::Hello in;
    if (bytes.size() > INT_MAX || !in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
        return base::invalid("a hello that can't be read");
    if (!in.has_cluster() || !in.from().has_incarnation() || !in.to().has_incarnation())
        return base::invalid("a hello without cluster, sender or receiver");
    if (in.from().id() < 0 || in.to().id() < 0) return base::invalid("a negative id");
    if (in.address().size() > raft::Configuration::kMostAddressBytes)
        return base::invalid("an address that is too long");
    return Hello{in.version(),
                 {taken(in.cluster()), taken(in.from()), taken(in.to())},
                 std::move(*in.mutable_address()),
                 in.controller()};
}

size_t wire_bytes(const raft::Message& m) {
    size_t bytes = kMessageOverhead;
    if (const auto* append = std::get_if<raft::Append>(&m.body)) {
        for (const auto& e : append->entries) bytes += e.bytes();
    } else if (const auto* chunk = std::get_if<raft::SnapshotChunk>(&m.body)) {
        bytes += chunk->bytes.size();
        const auto& c = chunk->snapshot.configuration;
        for (const auto* members : {&c.voters, &c.learners})
            for (const auto& [member, address] : *members)
                bytes += kMemberOverhead + address.size();
    }
    return bytes;
}

void add(v1::Batch& batch, raft::Message&& m) {
    auto& out = *batch.add_messages();
    out.set_term(m.term);
    std::visit([&out](auto& body) { put(out, std::move(body)); }, m.body);
}

base::Result<std::vector<raft::Message>> decode(std::string_view batch, const Link& link) {
    v1::Batch in;
    if (batch.size() > INT_MAX) return base::exhausted("a batch that is too large");
    RETURN_IF_ERROR(check_counts(batch));
    if (!in.ParseFromArray(batch.data(), static_cast<int>(batch.size())))
        return base::invalid("a batch that can't be read");
    std::vector<raft::Message> out;
    out.reserve(static_cast<size_t>(in.messages_size()));
    for (auto& m : *in.mutable_messages()) {
        ASSIGN_OR_RETURN(Body payload, body(m));
        out.push_back({link.cluster, link.from, link.to, m.term(), std::move(payload)});
        RETURN_IF_ERROR(raft::check(out.back()));
    }
    return out;
}

}  // namespace quorum
