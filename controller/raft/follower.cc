#include <algorithm>

#include "base/check.h"
#include "base/crc32c.h"
#include "controller/raft/raft.h"

namespace raft {

/// A message of this term's leader has come.
void Raft::follow(const Member& leader) {
    CHECK(!leads()) << "two leaders in term " << state_.term;
    auto* follower = std::get_if<Follower>(&role_);
    if (!follower || follower->leader != leader) role_ = Follower{leader};
    elapsed_ = 0;
    // It was taken for gone, and is not.
    if (timeout_ < options_.election_ticks) restart_election_timer();
}

void Raft::on(const Message& m, const Append& append) {
    follow(m.from);
    const Index end = append.prev.index + static_cast<Index>(append.entries.size());
    // What is committed is the leader's, and may be compacted already.
    if (end <= committed_) return promise(m.from, AppendReply{true, committed_, {}});
    const Index known = std::max<Index>(committed_ - append.prev.index, 0);
    if (known == 0 && log_.term_at(append.prev.index) != append.prev.term) {
        const auto hint = log_.newest_of_term(append.prev.index - 1, append.prev.term);
        return send(m.from, AppendReply{false, append.prev.index, hint});
    }
    append_new(append.prev.index, append.entries, static_cast<size_t>(known));
    commit_to(std::min(append.commit, end));
    promise(m.from, AppendReply{true, end, {}});
}

/// Appends those of the entries that are new, from the first on where the logs part. `entries` come
/// after `prev`; the first `from` of them are known to be here.
void Raft::append_new(Index prev, const std::vector<Entry>& entries, size_t from) {
    Index at = prev + 1 + static_cast<Index>(from);
    // A second message with the same entries must not remove those that came after them.
    for (; from < entries.size() && log_.term_at(at) == entries[from].term; ++from) ++at;
    if (from == entries.size()) return;
    CHECK(at > committed_) << "the leader's log is another one below what is committed";
    if (at <= log_.last()) log_.truncate(at);
    pending_.changed_from(at);
    for (; from < entries.size(); ++from) log_.append(entries[from]);
}

void Raft::on(const Message& m, const Heartbeat& heartbeat) {
    follow(m.from);
    // The leader tells only of what this member has acknowledged to it.
    commit_to(std::min(heartbeat.commit, log_.last()));
    send(m.from, HeartbeatReply{heartbeat.round});
}

void Raft::on(const Message& m, const SnapshotChunk& chunk) {
    follow(m.from);
    if (pending_.installing()) return;  // its reply follows
    const auto& at = chunk.snapshot.position;
    if (at.index <= committed_) return promise(m.from, AppendReply{true, committed_, {}});
    if (log_.term_at(at.index) == at.term) {  // it holds what the snapshot holds
        commit_to(at.index);
        return promise(m.from, AppendReply{true, at.index, {}});
    }
    const bool same = receiving_ && receiving_->from == m.from && receiving_->term == m.term &&
                      receiving_->snapshot == chunk.snapshot;
    if (!same && chunk.number == 0) receiving_ = Receiving{m.from, m.term, chunk.snapshot, 0};
    else if (!same || chunk.number > receiving_->next) return refuse_snapshot(m, chunk);
    if (chunk.number == receiving_->next) {
        if (base::crc32c(base::as_bytes(chunk.bytes)) != chunk.crc)
            return refuse_snapshot(m, chunk);
        pending_.receive({chunk.snapshot, chunk.number, chunk.bytes});
        ++receiving_->next;
        if (chunk.last) {
            install(chunk.snapshot);
            return promise(m.from, AppendReply{true, at.index, {}});
        }
    }
    promise(m.from, SnapshotReply{at.index, receiving_->next});
}

/// A part is missing or damaged: nothing that was received is trusted any more.
void Raft::refuse_snapshot(const Message& m, const SnapshotChunk& chunk) {
    receiving_.reset();
    pending_.discard_received();
    promise(m.from, SnapshotReply{chunk.snapshot.position.index, 0});
}

void Raft::install(const SnapshotInfo& snapshot) {
    receiving_.reset();
    pending_.install(snapshot);
    log_.reset(snapshot);
    commit_to(snapshot.position.index);
}

}  // namespace raft
