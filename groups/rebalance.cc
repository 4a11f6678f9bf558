#include <algorithm>

#include "base/check.h"
#include "groups/group.h"

namespace groups {

using kafka::ErrorCode;

void Group::transition(State to, Turn& turn) {
    previous_state_ = state_;
    state_ = to;
    state_since_ = turn.now.wall;
}

int32_t Group::rebalance_timeout_ms() const {
    int32_t longest = 0;
    for (const auto& [id, member] : members_)
        longest = std::max(longest, member.rebalance_timeout_ms);
    return longest;
}

bool Group::all_joined() const {
    return pending_members_.empty() &&
           std::all_of(members_.begin(), members_.end(),
                       [](const auto& m) { return m.second.awaiting_join != 0; });
}

void Group::rebalance_or_complete(Turn& turn) {
    switch (state_) {
        case State::empty:
        case State::completing_rebalance:
        case State::stable:
            return prepare_rebalance(turn);
        case State::preparing_rebalance:
            return complete_join_if_all_joined(turn);
        case State::dead:
            return;
    }
}

void Group::prepare_rebalance(Turn& turn) {
    if (state_ == State::completing_rebalance) answer_syncs(ErrorCode::rebalance_in_progress, turn);
    sync_deadline_.reset();
    const bool first = state_ == State::empty;
    transition(State::preparing_rebalance, turn);
    if (first) {
        // The members of a new group rarely come at once; waiting a little saves rebalances.
        initial_delay_ = true;
        new_member_added_ = false;
        initial_step_ms_ = config_->initial_rebalance_delay_ms;
        initial_remaining_ms_ = std::max(rebalance_timeout_ms() - initial_step_ms_, 0);
        join_deadline_ = turn.now.instant + initial_step_ms_;
        return wake_by(*join_deadline_);
    }
    initial_delay_ = false;
    if (all_joined()) return complete_join(turn);
    join_deadline_ = turn.now.instant + rebalance_timeout_ms();
    wake_by(*join_deadline_);
}

void Group::initial_delay_over(Turn& turn) {
    if (!new_member_added_ || initial_remaining_ms_ == 0) return complete_join(turn);
    new_member_added_ = false;
    const int32_t next = std::min(config_->initial_rebalance_delay_ms, initial_remaining_ms_);
    initial_remaining_ms_ = std::max(initial_remaining_ms_ - initial_step_ms_, 0);
    initial_step_ms_ = next;
    join_deadline_ = turn.now.instant + next;
    wake_by(*join_deadline_);
}

void Group::complete_join_if_all_joined(Turn& turn) {
    if (state_ != State::preparing_rebalance || !all_joined()) return;
    // A new group sits out its delay, unless everybody left again.
    if (initial_delay_ && !members_.empty()) return;
    complete_join(turn);
}

bool Group::elect_joined_leader() {
    if (!leader_) return false;
    if (members_.at(*leader_).awaiting_join != 0) return true;
    for (const auto& [id, member] : members_) {
        if (member.awaiting_join == 0) continue;
        leader_ = id;
        return true;
    }
    return false;
}

void Group::complete_join(Turn& turn) {
    join_deadline_.reset();
    initial_delay_ = false;
    std::vector<std::string> late;
    for (const auto& [id, member] : members_)
        if (member.awaiting_join == 0 && !member.instance_id) late.push_back(id);
    for (const auto& id : late) remove(id);

    if (!elect_joined_leader() && !members_.empty()) {
        // Static members only, and none came back: they keep their place until their session ends.
        join_deadline_ = turn.now.instant + std::max(rebalance_timeout_ms(), 1);
        return wake_by(*join_deadline_);
    }
    next_generation(turn);
}

void Group::next_generation(Turn& turn) {
    generation_ = generation_ == std::numeric_limits<int32_t>::max() ? 0 : generation_ + 1;
    pending_syncs_.clear();
    if (members_.empty()) {
        protocol_name_.reset();
        transition(State::empty, turn);
        read_subscriptions();
        write({}, EmptyWrite{}, turn);
        return;
    }
    protocol_name_ = select_protocol();
    transition(State::completing_rebalance, turn);
    read_subscriptions();
    for (auto& [id, member] : members_) {
        turn.answer(std::exchange(member.awaiting_join, 0),
                    current_generation(member, leader_ == id));
        renew_session(member, turn.now);
        member.is_new = false;
        pending_syncs_.insert(id);
    }
    sync_deadline_ = turn.now.instant + rebalance_timeout_ms();
    wake_by(*sync_deadline_);
}

/// Members that took their place in the generation but never came for their assignment.
void Group::drop_unsynced(Turn& turn) {
    if (state_ != State::completing_rebalance && state_ != State::stable) return;
    if (pending_syncs_.empty()) return;
    const auto silent = pending_syncs_;
    for (const auto& id : silent) remove(id);
    prepare_rebalance(turn);
}

/// Each member votes for the first of its protocols that all support; most votes win, and of equals
/// the first by name, so that every replay agrees.
std::string Group::select_protocol() const {
    auto supported_by_all = [&](const std::string& name) {
        return std::all_of(members_.begin(), members_.end(), [&](const auto& m) {
            return std::any_of(m.second.protocols.begin(), m.second.protocols.end(),
                               [&](const Protocol& p) { return p.name == name; });
        });
    };
    std::map<std::string, size_t> votes;
    for (const auto& p : members_.begin()->second.protocols)
        if (supported_by_all(p.name)) votes[p.name] = 0;
    CHECK(!votes.empty());
    for (const auto& [id, member] : members_)
        for (const auto& p : member.protocols)
            if (const auto it = votes.find(p.name); it != votes.end()) {
                ++it->second;
                break;
            }
    return std::max_element(votes.begin(), votes.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->first;
}

void Group::read_subscriptions() {
    subscribed_topics_.emplace();
    if (!of_consumers() || members_.empty() || !protocol_name_) return;
    for (const auto& [id, member] : members_)
        for (const auto& p : member.protocols) {
            if (p.name != protocol_name_) continue;
            auto topics = subscribed_topics(p.metadata);
            if (!topics) return subscribed_topics_.reset();
            subscribed_topics_->insert(topics->begin(), topics->end());
        }
}

bool Group::subscribed_to(const std::string& topic) const {
    if (!of_consumers()) return false;
    return !subscribed_topics_ || subscribed_topics_->contains(topic);
}

}  // namespace groups
