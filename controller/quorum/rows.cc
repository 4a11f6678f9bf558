#include "controller/quorum/rows.h"

#include "base/check.h"
#include "controller/quorum/sealed.h"

namespace quorum::rows {

namespace {

void put_member(std::string& out, const raft::Member& m) {
    put(out, m.id);
    put(out, m.incarnation.hi);
    put(out, m.incarnation.lo);
}

raft::Member take_member(Reader& in) {
    raft::Member m;
    m.id = in.take<int32_t>();
    m.incarnation.hi = in.take<uint64_t>();
    m.incarnation.lo = in.take<uint64_t>();
    return m;
}

base::Status wrong_checksum(const std::string& what) {
    return damaged(what + " has a wrong checksum");
}

base::Status unreadable(const std::string& what) { return damaged(what + " can't be read"); }

std::string name_of(raft::Index index) { return "entry " + std::to_string(index); }

}  // namespace

std::string Member::encode() const {
    std::string body;
    put_member(body, self);
    return seal(kMember, body.append(cluster_id));
}

base::Result<Member> Member::decode(std::string_view row) {
    static const std::string what = "whose it is (row m/member)";
    const auto body = unseal(kMember, row);
    if (!body) return wrong_checksum(what);
    Reader in(*body);
    Member out;
    out.self = take_member(in);
    if (!in.complete() || out.self.id < 0) return unreadable(what);
    out.cluster_id = in.rest();
    return out;
}

base::Status Member::check(int32_t id, const std::string& cluster) const {
    if (self.id != id)
        return base::precondition("the metadata directory is of node " + std::to_string(self.id) +
                                  ", but this is node " + std::to_string(id) +
                                  ": check node.id and metadata.log.dir");
    if (!cluster_id.empty() && !cluster.empty() && cluster_id != cluster)
        return base::precondition("the metadata directory is of cluster " + cluster_id +
                                  ", but this node's directories or its configuration say " +
                                  cluster + ": check cluster.id and metadata.log.dir");
    return base::ok();
}

std::string State::encode() const {
    std::string body;
    put(body, hard.term);
    put<uint8_t>(body, hard.vote.has_value());
    put_member(body, hard.vote.value_or(raft::Member{}));
    put(body, last.index);
    put(body, last.term);
    return seal(kState, body);
}

base::Result<State> State::decode(std::string_view row) {
    static const std::string what = "its term and vote (row m/state)";
    const auto body = unseal(kState, row);
    if (!body) return wrong_checksum(what);
    Reader in(*body);
    State out;
    out.hard.term = in.take<raft::Term>();
    const auto voted = in.take<uint8_t>();
    const auto vote = take_member(in);
    if (voted == 1) out.hard.vote = vote;
    out.last.index = in.take<raft::Index>();
    out.last.term = in.take<raft::Term>();
    if (!in.exhausted() || voted > 1 || out.hard.term < 0 || out.last.index < 0 ||
        out.last.term < 0 || out.last.term > out.hard.term)
        return unreadable(what);
    return out;
}

std::string Snapshot::encode() const {
    std::string body;
    put(body, info.position.index);
    put(body, info.position.term);
    put(body, chunks);
    put(body, kFormat);
    put(body, generation);
    const auto configuration = info.configuration.encode();
    CHECK(raft::Configuration::decode(configuration)) << "a configuration above its bounds";
    return seal(kSnapshot, body.append(configuration));
}

base::Result<Snapshot> Snapshot::decode(std::string_view row) {
    static const std::string what = "where its snapshot is (row m/snapshot)";
    const auto body = unseal(kSnapshot, row);
    if (!body) return wrong_checksum(what);
    Reader in(*body);
    Snapshot out;
    out.info.position.index = in.take<raft::Index>();
    out.info.position.term = in.take<raft::Term>();
    out.chunks = in.take<uint32_t>();
    const auto format = in.take<uint32_t>();
    if (in.complete() && format != kFormat)
        return base::precondition("the metadata log has format " + std::to_string(format) +
                                  ", this version reads " + std::to_string(kFormat) +
                                  ": start the version that wrote it, or a newer one");
    out.generation = in.take<uint64_t>();
    auto configuration = raft::Configuration::decode(in.rest());
    if (!in.complete() || !configuration || out.info.position.index < 0 ||
        out.info.position.term < 0)
        return unreadable(what);
    out.info.configuration = *std::move(configuration);
    return out;
}

std::string entry_key(raft::Index index) {
    std::string key(kEntries);
    put(key, index);
    return key;
}

std::optional<raft::Index> index_of(std::string_view key) {
    if (!key.starts_with(kEntries)) return std::nullopt;
    Reader in(key.substr(kEntries.size()));
    const auto index = in.take<raft::Index>();
    if (!in.exhausted() || index <= 0) return std::nullopt;
    return index;
}

std::string encode(raft::Index index, const raft::Entry& entry) {
    std::string body;
    body.reserve(entry.data.size() + 9);
    put(body, entry.term);
    put(body, static_cast<uint8_t>(entry.kind));
    return seal(entry_key(index), body.append(entry.data));
}

base::Result<raft::Entry> decode_entry(raft::Index index, std::string_view row) {
    const auto body = unseal(entry_key(index), row);
    if (!body) return wrong_checksum(name_of(index));
    Reader in(*body);
    raft::Entry out;
    out.term = in.take<raft::Term>();
    const auto kind = in.take<uint8_t>();
    if (!in.complete() || out.term < 0 ||
        kind > static_cast<uint8_t>(raft::EntryKind::configuration))
        return unreadable(name_of(index));
    out.kind = static_cast<raft::EntryKind>(kind);
    out.data = in.rest();
    return out;
}

std::string chunk_key(uint64_t generation, uint32_t number) {
    std::string key(kChunks);
    put(key, generation);
    put(key, number);
    return key;
}

std::optional<uint64_t> generation_of(std::string_view key) {
    if (!key.starts_with(kChunks)) return std::nullopt;
    Reader in(key.substr(kChunks.size()));
    const auto generation = in.take<uint64_t>();
    in.take<uint32_t>();
    if (!in.exhausted()) return std::nullopt;
    return generation;
}

std::string encode_chunk(uint64_t generation, uint32_t number, std::string_view bytes) {
    return seal(chunk_key(generation, number), bytes);
}

base::Result<std::string> decode_chunk(uint64_t generation, uint32_t number, std::string_view row) {
    const auto body = unseal(chunk_key(generation, number), row);
    if (!body) return wrong_checksum("part " + std::to_string(number) + " of its snapshot");
    return std::string(*body);
}

}  // namespace quorum::rows
