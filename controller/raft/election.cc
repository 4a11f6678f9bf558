#include "base/check.h"
#include "controller/raft/quorum.h"
#include "controller/raft/raft.h"

namespace raft {

void Raft::restart_election_timer() {
    elapsed_ = 0;
    // Drawn anew each time, so that two that campaigned against each other soon don't.
    timeout_ = options_.election_ticks + random_.below(options_.election_ticks);
}

/// One that was removed campaigns on until that is committed: the others may need the entries that
/// only it has, the removal among them (Raft thesis §4.2.2).
bool Raft::may_campaign() const {
    return log_.may_vote(options_.self, committed_) && !pending_.installing() && !stalled();
}

void Raft::campaign(bool pre, bool forced) {
    if (!pre) {
        state_ = {state_.term + 1, options_.self};
        pending_.drop_promises();
    }
    role_ = Candidate{pre, forced, {}};
    restart_election_timer();
    const VoteRequest request{log_.last_position(), pre, forced};
    for (const auto& [member, address] : configuration().voters) {
        if (member == options_.self) continue;
        // The request says what this log holds, and a vote for it binds others: both the log and
        // the term must outlive a crash before it leaves.
        if (pre) messages_.push_back(message(member, state_.term + 1, request));
        else promise(member, request);
    }
    count_votes();
}

void Raft::gone(const Member& leader) {
    const auto* follower = std::get_if<Follower>(&role_);
    if (!failure_.ok() || !follower || follower->leader != leader) return;
    role_ = Follower{};
    elapsed_ = 0;
    // One after the other, so that they don't campaign against each other; and the first only when
    // the others may have noticed too.
    constexpr int64_t apart = 3;
    timeout_ = 1;
    for (const auto& [member, address] : configuration().voters)
        if (member < options_.self && member != leader) timeout_ += apart;
}

void Raft::count_votes() {
    auto& candidate = std::get<Candidate>(role_);
    const auto voted = [&](const Member& m, bool way) {
        if (m == options_.self) return way && (candidate.pre || pending_.durable_state() == state_);
        const auto vote = candidate.votes.find(m);
        return vote != candidate.votes.end() && vote->second == way;
    };
    if (majority_of(configuration(), [&](const Member& m) { return voted(m, true); })) {
        if (candidate.pre) return campaign(false, candidate.forced);
        return become_leader();
    }
    if (majority_of(configuration(), [&](const Member& m) { return voted(m, false); }))
        become_follower(state_.term, std::nullopt);
}

void Raft::become_leader() {
    Leader fresh;
    fresh.uncommitted_bytes = log_.bytes(committed_ + 1, log_.last() + 1);
    auto& leader = role_.emplace<Leader>(std::move(fresh));
    elapsed_ = 0;
    configuration_appended(leader);
    append_own(leader, EntryKind::empty, {});
    broadcast_append(leader);
}

/// Whether a leader is there, or was less than the shortest election timeout ago.
bool Raft::heard_leader() const {
    if (leads()) return true;
    const auto* follower = std::get_if<Follower>(&role_);
    return follower && follower->leader && elapsed_ < options_.election_ticks;
}

void Raft::on(const Message& m, const VoteRequest& request) {
    const auto mine = log_.last_position();
    const bool fresh = request.last.term > mine.term ||
                       (request.last.term == mine.term && request.last.index >= mine.index);
    if (request.pre) {
        const bool granted = fresh && m.term > state_.term;
        // Granted for the term that was asked about; refused with this member's own.
        messages_.push_back(
            message(m.from, granted ? m.term : state_.term, VoteReply{granted, true}));
        return;
    }
    const bool free = !state_.vote || *state_.vote == m.from;
    if (!fresh || !free) return send(m.from, VoteReply{false, false});
    state_.vote = m.from;
    elapsed_ = 0;
    promise(m.from, VoteReply{true, false});
}

void Raft::on(const Message& m, const VoteReply& reply) {
    auto* candidate = std::get_if<Candidate>(&role_);
    if (!candidate || candidate->pre != reply.pre) return;
    const bool asked = reply.pre && reply.granted ? m.term == state_.term + 1 : true;
    if (!asked) return;
    candidate->votes[m.from] = reply.granted;
    count_votes();
}

void Raft::on(const Message& m, const TimeoutNow&) {
    const auto* follower = std::get_if<Follower>(&role_);
    if (follower && follower->leader == m.from && may_campaign()) campaign(false, true);
}

}  // namespace raft
