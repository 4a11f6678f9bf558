#include "controller/raft/raft.h"

#include <algorithm>

#include "base/check.h"

namespace raft {

Raft::Raft(Options options, Stored stored, const Storage& storage, uint64_t seed)
    : options_(std::move(options)),
      storage_(storage),
      random_(seed),
      state_(stored.state),
      log_(storage, stored.snapshot, options_.most_log_bytes_in_memory),
      committed_(std::max(stored.applied, stored.snapshot.position.index)),
      pending_(stored.state, stored.last) {
    restart_election_timer();
    if (auto opened = open(stored); !opened.ok()) halt(opened);
    // Nobody else could be leading: it need not wait.
    if (failure_.ok() && configuration().voters.size() == 1 && self_votes()) campaign(true, false);
}

base::Status Raft::open(const Stored& stored) {
    if (committed_ > stored.last || stored.last < stored.snapshot.position.index)
        return base::data_loss("the log ends before the state that was applied from it");
    RETURN_IF_ERROR(log_.load(stored.last, committed_));
    if (state_.term < log_.last_position().term)
        return base::data_loss("the log is ahead of the term");
    return base::ok();
}

void Raft::tick() {
    if (!failure_.ok()) return;
    ++now_;
    ++elapsed_;
    if (auto* leader = std::get_if<Leader>(&role_)) return tick_leader(*leader);
    if (elapsed_ < timeout_) return;
    if (may_campaign()) return campaign(true, false);
    // Whoever may not campaign forgets a leader that is silent as well: it may have been removed,
    // which nobody tells it.
    if (auto* follower = std::get_if<Follower>(&role_)) follower->leader.reset();
}

int64_t Raft::ticks_until_due() const {
    if (leads()) return options_.heartbeat_ticks - elapsed_ % options_.heartbeat_ticks;
    return std::max<int64_t>(timeout_ - elapsed_, 1);
}

void Raft::step(Message m) {
    if (!failure_.ok() || m.cluster != options_.cluster || m.to != options_.self) return;
    if (m.from == options_.self || !check(m).ok()) return;
    if (!admits(m)) return;
    std::visit([&](const auto& body) { on(m, body); }, m.body);
}

/// Takes over a newer term, and tells whether the message is to be worked on.
bool Raft::admits(const Message& m) {
    const auto* request = std::get_if<VoteRequest>(&m.body);
    const auto* reply = std::get_if<VoteReply>(&m.body);
    // A member that was cut off and comes back must not unseat a live leader.
    if (request && m.term > state_.term && !request->forced && heard_leader()) return false;
    // A pre-vote's term is one that nobody has begun.
    const bool supposed = (request && request->pre) || (reply && reply->pre && reply->granted);
    if (m.term > state_.term && !supposed) {
        const bool leads = std::holds_alternative<Append>(m.body) ||
                           std::holds_alternative<Heartbeat>(m.body) ||
                           std::holds_alternative<SnapshotChunk>(m.body);
        become_follower(m.term, leads ? std::optional(m.from) : std::nullopt);
    }
    if (m.term >= state_.term) return true;
    answer_stale(m);
    return false;
}

/// The sender must learn the term, or a member that has seen a newer one could never rejoin, and
/// one with the longest log and an old term could never win.
void Raft::answer_stale(const Message& m) {
    if (const auto* request = std::get_if<VoteRequest>(&m.body)) {
        send(m.from, VoteReply{false, request->pre});
    } else if (std::holds_alternative<Append>(m.body) ||
               std::holds_alternative<Heartbeat>(m.body) ||
               std::holds_alternative<SnapshotChunk>(m.body)) {
        send(m.from, AppendReply{});
    }
}

void Raft::become_follower(Term term, std::optional<Member> leader) {
    if (auto* l = std::get_if<Leader>(&role_)) l->reads.refuse_all(read_results_);
    if (term > state_.term) {
        state_ = {term, std::nullopt};
        pending_.drop_promises();
    }
    role_ = Follower{std::move(leader)};
    restart_election_timer();
}

void Raft::written() {
    if (!failure_.ok()) return;
    pending_.written();
    log_.evict(std::min(committed_, pending_.durable()));
    if (auto* leader = std::get_if<Leader>(&role_)) {
        advance(*leader);
    } else if (std::holds_alternative<Candidate>(role_)) {
        count_votes();
    }
}

void Raft::halt(base::Status why) {
    CHECK(!why.ok());
    if (!failure_.ok()) return;
    // The role stays as it is, as callers may be in the midst of it; nothing leaves any more.
    failure_ = std::move(why);
    if (auto* leader = std::get_if<Leader>(&role_)) leader->reads.refuse_all(read_results_);
}

void Raft::compact(Index index) {
    // A snapshot from the leader may have overtaken it.
    if (!failure_.ok() || index <= log_.snapshot().index) return;
    CHECK(index <= std::min(committed_, pending_.durable()))
        << "a snapshot at " << index << " holds what is not committed";
    pending_.compact(log_.compact(index));
}

std::vector<Message> Raft::take_messages() {
    auto out = std::exchange(messages_, {});
    if (!failure_.ok()) return {};
    for (auto& m : pending_.promises_kept(state_, log_)) out.push_back(std::move(m));
    return out;
}

std::optional<Write> Raft::take_write() {
    if (!failure_.ok()) return std::nullopt;
    auto write = pending_.take(state_, log_);
    if (write) write_since_ = now_;
    return write;
}

std::vector<Entry> Raft::to_apply(Index applied, size_t most_bytes) {
    const auto end = std::min(committed_, pending_.durable()) + 1;
    if (!failure_.ok() || pending_.installing() || applied + 1 >= end) return {};
    auto entries = log_.entries(applied + 1, end, SIZE_MAX, most_bytes);
    if (entries.ok()) return *std::move(entries);
    halt(entries.status());
    return {};
}

std::optional<Member> Raft::leader() const {
    if (leads()) return options_.self;
    const auto* follower = std::get_if<Follower>(&role_);
    return follower && failure_.ok() ? follower->leader : std::nullopt;
}

std::vector<Raft::Peer> Raft::peers() const {
    std::vector<Peer> out;
    if (const auto* leader = std::get_if<Leader>(&role_))
        for (const auto& [member, progress] : leader->peers)
            out.push_back({member, progress.match, now_ - progress.heard_at});
    return out;
}

bool Raft::hears(const Member& m) const {
    const auto* leader = std::get_if<Leader>(&role_);
    return leader && heard_recently(*leader, m);
}

std::optional<Index> Raft::snapshot_in_use() const {
    std::optional<Index> oldest;
    const auto* leader = std::get_if<Leader>(&role_);
    if (!leader) return oldest;
    for (const auto& [member, progress] : leader->peers) {
        const auto* sending = std::get_if<SendSnapshot>(&progress.state);
        if (!sending) continue;
        const auto index = sending->snapshot.position.index;
        oldest = std::min(oldest.value_or(index), index);
    }
    return oldest;
}

void Raft::commit_to(Index index) {
    if (index <= committed_) return;
    CHECK(index <= log_.last()) << "committed beyond the log";
    committed_ = index;
    log_.evict(std::min(committed_, pending_.durable()));
}

bool Raft::stalled() const {
    return options_.stalled_write_ticks > 0 && pending_.out() &&
           now_ - write_since_ >= options_.stalled_write_ticks;
}

Message Raft::message(const Member& to, Term term, Body body) const {
    return {options_.cluster, options_.self, to, term, std::move(body)};
}

void Raft::send(const Member& to, Body body) {
    messages_.push_back(message(to, state_.term, std::move(body)));
}

void Raft::promise(const Member& to, Body body) {
    pending_.promise(message(to, state_.term, std::move(body)));
}

}  // namespace raft
