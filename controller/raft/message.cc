#include "controller/raft/message.h"

namespace raft {

namespace {

bool valid(const Position& p) { return p.index >= 0 && p.term >= 0; }

base::Status check(const Append& a, Term term) {
    if (!valid(a.prev) || a.commit < 0) return base::invalid("a negative index or term");
    Term last = a.prev.term;
    for (const auto& e : a.entries) {
        if (e.term < last || e.term < 1) return base::invalid("the entries' terms fall");
        last = e.term;
        if (e.kind > EntryKind::configuration) return base::invalid("an unknown kind of entry");
        if (e.kind == EntryKind::configuration && !Configuration::decode(e.data))
            return base::invalid("a configuration that can't be read");
    }
    if (last > term) return base::invalid("an entry's term is above the message's");
    if (a.prev.index > INT64_MAX - static_cast<int64_t>(a.entries.size()))
        return base::invalid("an index is too large");
    return base::ok();
}

base::Status check(const SnapshotChunk& c, Term term) {
    const auto& at = c.snapshot.position;
    if (at.index < 1 || at.term < 1 || at.term > term)
        return base::invalid("a snapshot's position makes no sense");
    return base::ok();
}

}  // namespace

base::Status check(const Message& m) {
    if (m.term < 0 || m.from.id < 0 || m.to.id < 0) return base::invalid("a negative id or term");
    if (const auto* append = std::get_if<Append>(&m.body)) return check(*append, m.term);
    if (const auto* chunk = std::get_if<SnapshotChunk>(&m.body)) return check(*chunk, m.term);
    if (const auto* vote = std::get_if<VoteRequest>(&m.body))
        return valid(vote->last) && vote->last.term <= m.term ? base::ok()
                                                              : base::invalid("a wrong position");
    if (const auto* reply = std::get_if<AppendReply>(&m.body))
        return reply->match >= 0 && valid(reply->hint) ? base::ok()
                                                       : base::invalid("a negative index or term");
    if (const auto* beat = std::get_if<Heartbeat>(&m.body))
        return beat->commit >= 0 ? base::ok() : base::invalid("a negative index");
    return base::ok();
}

}  // namespace raft
