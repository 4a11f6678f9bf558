#include "groups/group.h"

#include <algorithm>

#include "base/check.h"

namespace groups {

using kafka::ErrorCode;

Group::Group(std::string id, const Config& config, const GroupMetadataValue& value, Now now)
    : id_(std::move(id)), config_(&config), state_since_(value.current_state_timestamp) {
    generation_ = value.generation;
    if (!value.protocol_type.empty()) protocol_type_ = value.protocol_type;
    protocol_name_ = value.protocol;
    for (const auto& m : value.members) {
        Member member{.id = m.member_id,
                      .instance_id = m.group_instance_id,
                      .client_id = m.client_id,
                      .client_host = m.client_host,
                      .rebalance_timeout_ms =
                          m.rebalance_timeout < 0 ? m.session_timeout : m.rebalance_timeout,
                      .session_timeout_ms = m.session_timeout,
                      .protocols = {},
                      .assignment = m.assignment};
        member.protocols.push_back({value.protocol.value_or(""), m.subscription});
        add(std::move(member));
        renew_session(members_.at(m.member_id), now);
    }
    leader_ = value.leader && members_.contains(*value.leader) ? value.leader : leader_;
    state_ = members_.empty() ? State::empty : State::stable;
    previous_state_ = State::empty;
    if (members_.empty()) leader_.reset();
    read_subscriptions();
}

std::string_view Group::state_name() const {
    switch (state_) {
        case State::empty:
            return "Empty";
        case State::preparing_rebalance:
            return "PreparingRebalance";
        case State::completing_rebalance:
            return "CompletingRebalance";
        case State::stable:
            return "Stable";
        case State::dead:
            return "Dead";
    }
    return "Dead";
}

ErrorCode Group::check_member(const std::string& member_id,
                              const std::optional<std::string>& instance_id) const {
    if (instance_id) {
        const auto it = static_members_.find(*instance_id);
        if (it == static_members_.end()) return ErrorCode::unknown_member_id;
        if (it->second != member_id) return ErrorCode::fenced_instance_id;
    }
    return members_.contains(member_id) ? ErrorCode::none : ErrorCode::unknown_member_id;
}

void Group::heartbeat(const kafka::HeartbeatRequest& request, RequestId to, Turn& turn) {
    kafka::HeartbeatResponse response;
    response.error_code = [&] {
        if (state_ == State::dead) return ErrorCode::coordinator_not_available;
        if (auto e = check_member(request.member_id, request.group_instance_id);
            e != ErrorCode::none)
            return e;
        if (request.generation_id != generation_) return ErrorCode::illegal_generation;
        if (state_ == State::empty) return ErrorCode::unknown_member_id;
        renew_session(members_.at(request.member_id), turn.now);
        // While completing, a member may heartbeat between its join and its sync.
        return state_ == State::preparing_rebalance ? ErrorCode::rebalance_in_progress
                                                    : ErrorCode::none;
    }();
    turn.answer(to, std::move(response));
}

ErrorCode Group::check_commit(const std::string& member_id,
                              const std::optional<std::string>& instance_id, int32_t generation,
                              Now now) {
    if (state_ == State::dead) return ErrorCode::coordinator_not_available;
    // An admin client, or a consumer that assigns itself its partitions.
    if (generation < 0 && state_ == State::empty) return ErrorCode::none;
    if (generation < 0 && member_id.empty() && !instance_id) return ErrorCode::unknown_member_id;
    if (auto e = check_member(member_id, instance_id); e != ErrorCode::none) return e;
    if (generation != generation_) return ErrorCode::illegal_generation;
    if (state_ == State::completing_rebalance) return ErrorCode::rebalance_in_progress;
    renew_session(members_.at(member_id), now);
    return ErrorCode::none;
}

void Group::leave(const kafka::LeaveGroupRequest& request, RequestId to, int16_t version,
                  Turn& turn) {
    kafka::LeaveGroupResponse response;
    if (state_ == State::dead) {
        response.error_code = ErrorCode::coordinator_not_available;
        return turn.answer(to, std::move(response));
    }
    auto leaving = request.members;
    if (version <= 2) {
        leaving.resize(1);
        leaving[0].member_id = request.member_id;
    }
    const size_t members_before = members_.size();
    for (const auto& member : leaving) {
        kafka::LeaveGroupResponse::MemberResponse one;
        one.member_id = member.member_id;
        one.group_instance_id = member.group_instance_id;
        one.error_code = leave_one(member, turn);
        response.members.push_back(std::move(one));
    }
    if (version <= 2) {
        response.error_code = response.members[0].error_code;
        response.members.clear();
    }
    turn.answer(to, std::move(response));
    members_.size() < members_before ? rebalance_or_complete(turn)
                                     : complete_join_if_all_joined(turn);
}

ErrorCode Group::leave_one(const kafka::LeaveGroupRequest::MemberIdentity& identity, Turn& turn) {
    std::string member_id = identity.member_id;
    if (!identity.group_instance_id && pending_members_.erase(member_id) > 0)
        return ErrorCode::none;
    // An administrator removes a static member by its instance id alone.
    if (identity.group_instance_id && member_id.empty()) {
        const auto it = static_members_.find(*identity.group_instance_id);
        if (it != static_members_.end()) member_id = it->second;
    }
    if (auto e = check_member(member_id, identity.group_instance_id); e != ErrorCode::none)
        return e;
    auto& member = members_.at(member_id);
    refuse_join(member, ErrorCode::unknown_member_id, turn);
    refuse_sync(member, ErrorCode::unknown_member_id, turn);
    remove(member_id);
    return ErrorCode::none;
}

void Group::add(Member member) {
    if (!leader_) leader_ = member.id;
    if (member.instance_id) static_members_[*member.instance_id] = member.id;
    pending_members_.erase(member.id);
    auto id = member.id;
    members_.insert_or_assign(std::move(id), std::move(member));
}

void Group::remove(const std::string& member_id) {
    const std::string id = member_id;  // the caller's may live in what is erased
    const auto it = members_.find(id);
    if (it != members_.end()) {
        CHECK(it->second.awaiting_join == 0 && it->second.awaiting_sync == 0);
        if (it->second.instance_id) static_members_.erase(*it->second.instance_id);
        members_.erase(it);
    }
    if (leader_ == id) {
        leader_.reset();
        if (!members_.empty()) leader_ = members_.begin()->first;
    }
    pending_members_.erase(id);
    synced(id);
}

void Group::remove_and_rebalance(const std::string& member_id, Turn& turn) {
    // A parked client that still lives learns that it must begin anew.
    auto& member = members_.at(member_id);
    refuse_join(member, ErrorCode::unknown_member_id, turn);
    refuse_sync(member, ErrorCode::unknown_member_id, turn);
    remove(member_id);
    rebalance_or_complete(turn);
}

void Group::renew_session(Member& member, Now now) {
    member.session_deadline = now.instant + member.session_timeout_ms;
    wake_by(*member.session_deadline);
}

void Group::refuse_join(Member& member, ErrorCode why, Turn& turn) {
    kafka::JoinGroupResponse response;
    response.member_id = member.id;
    response.error_code = why;
    turn.answer(std::exchange(member.awaiting_join, 0), std::move(response));
}

void Group::refuse_sync(Member& member, ErrorCode why, Turn& turn) {
    kafka::SyncGroupResponse response;
    response.error_code = why;
    turn.answer(std::exchange(member.awaiting_sync, 0), std::move(response));
}

void Group::expire_sessions(Turn& turn) {
    const auto now = turn.now.instant;
    bool pending_gone = false;
    std::erase_if(pending_members_, [&](const auto& p) {
        pending_gone |= p.second <= now;
        return p.second <= now;
    });
    if (pending_gone) complete_join_if_all_joined(turn);

    std::vector<std::string> expired;
    for (auto& [id, member] : members_) {
        if (!member.session_deadline || *member.session_deadline > now) continue;
        // Whoever is parked lives; only the first join of a new member may go on for too long.
        if (!member.is_new && (member.awaiting_join != 0 || member.awaiting_sync != 0)) {
            member.session_deadline.reset();
        } else {
            expired.push_back(id);
        }
    }
    for (const auto& id : expired) {
        const auto it = members_.find(id);
        // The removal of one may complete a rebalance, which gives the others a new deadline.
        if (it == members_.end() || !it->second.session_deadline ||
            *it->second.session_deadline > now)
            continue;
        remove_and_rebalance(id, turn);
    }
}

void Group::tick(Turn& turn) {
    if (turn.now.instant < alarm_ || state_ == State::dead) return;
    if (join_deadline_ && *join_deadline_ <= turn.now.instant) {
        join_deadline_.reset();
        initial_delay_ ? initial_delay_over(turn) : complete_join(turn);
    }
    if (sync_deadline_ && *sync_deadline_ <= turn.now.instant) {
        sync_deadline_.reset();
        drop_unsynced(turn);
    }
    expire_sessions(turn);
    reset_alarm();
}

void Group::reset_alarm() {
    alarm_ = never;
    if (join_deadline_) wake_by(*join_deadline_);
    if (sync_deadline_) wake_by(*sync_deadline_);
    for (const auto& [id, deadline] : pending_members_) wake_by(deadline);
    for (const auto& [id, member] : members_)
        if (member.session_deadline) wake_by(*member.session_deadline);
}

void Group::resume(Turn& turn) {
    for (auto& [id, member] : members_) renew_session(member, turn.now);
    reset_alarm();
    if (members_.size() > static_cast<size_t>(config_->max_size)) prepare_rebalance(turn);
}

void Group::write(const std::map<std::string, base::Bytes>& assignments, Promise promise,
                  Turn& turn) {
    newest_write_ = turn.write({to_record(id_, metadata(assignments))});
    writes_.emplace(newest_write_, std::move(promise));
}

void Group::persisted(WriteId id, ErrorCode error, Turn& turn) {
    auto node = writes_.extract(id);
    if (node.empty() || state_ == State::dead) return;
    if (auto* assignment = std::get_if<AssignmentWrite>(&node.mapped())) {
        assignment_written(std::move(*assignment), error, turn);
    } else if (auto* replacement = std::get_if<ReplacementWrite>(&node.mapped())) {
        replacement_written(id, std::move(*replacement), error, turn);
    }
    // An empty generation that is not in the log harms nobody: after a failover the one before it
    // comes back, and its members time out.
}

void Group::end(ErrorCode why, Turn& turn) {
    for (auto& [id, member] : members_) {
        refuse_join(member, why, turn);
        refuse_sync(member, why, turn);
    }
    transition(State::dead, turn);
    alarm_ = never;
}

ErrorCode answer_for_failed_write(ErrorCode error) {
    switch (error) {
        case ErrorCode::unknown_topic_or_partition:
        case ErrorCode::not_enough_replicas:
        case ErrorCode::not_enough_replicas_after_append:
        case ErrorCode::request_timed_out:
            return ErrorCode::coordinator_not_available;
        case ErrorCode::not_leader_or_follower:
        case ErrorCode::kafka_storage_error:
            return ErrorCode::not_coordinator;
        case ErrorCode::message_too_large:
        case ErrorCode::record_list_too_large:
        case ErrorCode::invalid_fetch_size:
            return ErrorCode::unknown_server_error;
        default:
            return error;
    }
}

}  // namespace groups
