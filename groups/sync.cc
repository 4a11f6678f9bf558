#include <algorithm>

#include "groups/group.h"

namespace groups {

using kafka::ErrorCode;

ErrorCode Group::check_sync(const kafka::SyncGroupRequest& request) const {
    if (state_ == State::dead) return ErrorCode::coordinator_not_available;
    if (auto e = check_member(request.member_id, request.group_instance_id); e != ErrorCode::none)
        return e;
    if (request.generation_id != generation_) return ErrorCode::illegal_generation;
    const bool consistent = (!request.protocol_type || request.protocol_type == protocol_type_) &&
                            (!request.protocol_name || request.protocol_name == protocol_name_);
    if (!consistent) return ErrorCode::inconsistent_group_protocol;
    if (state_ == State::empty) return ErrorCode::unknown_member_id;
    if (state_ == State::preparing_rebalance) return ErrorCode::rebalance_in_progress;
    return ErrorCode::none;
}

void Group::sync(const kafka::SyncGroupRequest& request, RequestId to, Turn& turn) {
    if (auto e = check_sync(request); e != ErrorCode::none) {
        kafka::SyncGroupResponse response;
        response.error_code = e;
        return turn.answer(to, std::move(response));
    }
    auto& member = members_.at(request.member_id);
    synced(member.id);
    if (state_ == State::stable) {
        renew_session(member, turn.now);
        kafka::SyncGroupResponse response;
        response.protocol_type = protocol_type_;
        response.protocol_name = protocol_name_;
        response.assignment = member.assignment;
        return turn.answer(to, std::move(response));
    }
    // The same member again: the client has given its first sync up.
    refuse_sync(member, ErrorCode::rebalance_in_progress, turn);
    member.awaiting_sync = to;
    // What the leader said first is on its way to the log; a repetition must not overtake it.
    if (leader_ == member.id && !assignment_on_its_way()) write_assignment(request, turn);
}

void Group::synced(const std::string& member_id) {
    pending_syncs_.erase(member_id);
    if (pending_syncs_.empty()) sync_deadline_.reset();
}

bool Group::assignment_on_its_way() const {
    return std::any_of(writes_.begin(), writes_.end(), [&](const auto& w) {
        const auto* assignment = std::get_if<AssignmentWrite>(&w.second);
        return assignment != nullptr && assignment->generation == generation_;
    });
}

void Group::write_assignment(const kafka::SyncGroupRequest& request, Turn& turn) {
    AssignmentWrite promise{.generation = generation_, .assignments = {}};
    for (const auto& a : request.assignments)
        if (members_.contains(a.member_id)) promise.assignments[a.member_id] = a.assignment;
    for (const auto& [id, member] : members_) promise.assignments.try_emplace(id);
    const auto assignments = promise.assignments;
    write(assignments, std::move(promise), turn);
}

void Group::assignment_written(AssignmentWrite written, ErrorCode error, Turn& turn) {
    // Members may have come or gone while the record was on its way: then another generation comes.
    if (state_ != State::completing_rebalance || generation_ != written.generation) return;
    if (error != ErrorCode::none) {
        answer_syncs(answer_for_failed_write(error), turn);
        return prepare_rebalance(turn);
    }
    for (auto& [id, member] : members_) member.assignment = written.assignments[id];
    transition(State::stable, turn);
    answer_syncs(ErrorCode::none, turn);
}

/// Answers all parked syncs. Sessions begin anew: while parked, a member sent no heartbeat.
void Group::answer_syncs(ErrorCode error, Turn& turn) {
    for (auto& [id, member] : members_) {
        if (error != ErrorCode::none) member.assignment.clear();
        if (member.awaiting_sync != 0) {
            kafka::SyncGroupResponse response;
            response.error_code = error;
            if (error == ErrorCode::none) {
                response.protocol_type = protocol_type_;
                response.protocol_name = protocol_name_;
                response.assignment = member.assignment;
            }
            turn.answer(std::exchange(member.awaiting_sync, 0), std::move(response));
        }
        renew_session(member, turn.now);
    }
}

}  // namespace groups
