#include <algorithm>

#include "base/check.h"
#include "groups/group.h"

namespace groups {

using kafka::ErrorCode;

namespace {

kafka::JoinGroupResponse refusal(std::string member_id, ErrorCode why) {
    kafka::JoinGroupResponse response;
    response.error_code = why;
    response.generation_id = -1;
    response.member_id = std::move(member_id);
    return response;
}

size_t metadata_bytes(const std::vector<Protocol>& protocols) {
    size_t bytes = 0;
    for (const auto& p : protocols) bytes += p.name.size() + p.metadata.size();
    return bytes;
}

}  // namespace

void Group::join(const kafka::JoinGroupRequest& request, const Caller& caller, Turn& turn) {
    auto refuse = [&](ErrorCode why) {
        turn.answer(caller.request, refusal(request.member_id, why));
    };
    if (state_ == State::dead) return refuse(ErrorCode::coordinator_not_available);
    if (!accepts(request.member_id)) {
        if (members_.contains(request.member_id)) remove_and_rebalance(request.member_id, turn);
        pending_members_.erase(request.member_id);
        kafka::JoinGroupResponse response = refusal("", ErrorCode::group_max_size_reached);
        return turn.answer(caller.request, std::move(response));
    }
    if (!supports(request.protocol_type, request.protocols))
        return refuse(ErrorCode::inconsistent_group_protocol);
    if (!within_bounds(request)) return refuse(ErrorCode::group_max_size_reached);
    request.member_id.empty() ? join_new(request, caller, turn) : join_known(request, caller, turn);
}

/// Members of the generation are welcome; others until the group is full.
bool Group::accepts(const std::string& member_id) const {
    const auto max = static_cast<size_t>(config_->max_size);
    const auto it = members_.find(member_id);
    switch (state_) {
        case State::empty:
        case State::dead:
            return true;
        case State::preparing_rebalance: {
            // Those who do not come back make room, so only who is here counts.
            if (it != members_.end() && it->second.awaiting_join != 0) return true;
            const auto here = std::count_if(members_.begin(), members_.end(), [](const auto& m) {
                return m.second.awaiting_join != 0;
            });
            return static_cast<size_t>(here) < max;
        }
        case State::completing_rebalance:
        case State::stable:
            return it != members_.end() || members_.size() < max;
    }
    return false;
}

bool Group::within_bounds(const kafka::JoinGroupRequest& request) const {
    if (request.member_id.empty() && pending_members_.size() >= config_->pending_members_max)
        return false;
    size_t bytes = metadata_bytes(request.protocols);
    for (const auto& [id, member] : members_)
        if (id != request.member_id) bytes += metadata_bytes(member.protocols);
    return bytes <= config_->group_metadata_max_bytes;
}

bool Group::supports(const std::string& type, const std::vector<Protocol>& protocols) const {
    if (type.empty() || protocols.empty()) return false;
    if (members_.empty()) return state_ == State::empty || type == protocol_type_;
    if (type != protocol_type_) return false;
    return std::any_of(protocols.begin(), protocols.end(), [&](const Protocol& p) {
        return std::all_of(members_.begin(), members_.end(), [&](const auto& m) {
            return std::any_of(m.second.protocols.begin(), m.second.protocols.end(),
                               [&](const Protocol& q) { return q.name == p.name; });
        });
    });
}

void Group::join_new(const kafka::JoinGroupRequest& request, const Caller& caller, Turn& turn) {
    std::string id =
        request.group_instance_id.value_or(caller.client_id) + "-" + caller.member_suffix;
    if (request.group_instance_id) {
        const auto it = static_members_.find(*request.group_instance_id);
        if (it == static_members_.end()) return add_and_rebalance(request, caller, id, turn);
        const std::string old_id = it->second;
        return replace_static(old_id, std::move(id), request, caller, turn);
    }
    if (caller.version < 4) return add_and_rebalance(request, caller, id, turn);
    // KIP-394: a client that retries without an id would leave a ghost member behind each time.
    const auto until = turn.now.instant + request.session_timeout_ms;
    pending_members_[id] = until;
    wake_by(until);
    turn.answer(caller.request, refusal(std::move(id), ErrorCode::member_id_required));
}

void Group::join_known(const kafka::JoinGroupRequest& request, const Caller& caller, Turn& turn) {
    auto refuse = [&](ErrorCode why) {
        turn.answer(caller.request, refusal(request.member_id, why));
    };
    if (!request.group_instance_id && pending_members_.contains(request.member_id))
        return add_and_rebalance(request, caller, request.member_id, turn);
    if (auto e = check_member(request.member_id, request.group_instance_id); e != ErrorCode::none)
        return refuse(e);
    join_again(members_.at(request.member_id), request, caller, turn);
}

void Group::join_again(Member& member, const kafka::JoinGroupRequest& request, const Caller& caller,
                       Turn& turn) {
    const bool same = member.protocols == request.protocols;
    const bool leads = leader_ == member.id;
    switch (state_) {
        case State::preparing_rebalance:
            return update_and_rebalance(member, request, caller, turn);
        case State::completing_rebalance:
            // Its first answer may have been lost.
            if (same) return turn.answer(caller.request, current_generation(member, leads));
            return update_and_rebalance(member, request, caller, turn);
        case State::stable:
            // A leader rejoins when what it assigns has changed, which its metadata need not show.
            if (leads || !same) return update_and_rebalance(member, request, caller, turn);
            return turn.answer(caller.request, current_generation(member, false));
        case State::empty:
        case State::dead:
            return turn.answer(caller.request, refusal(member.id, ErrorCode::unknown_member_id));
    }
}

void Group::update(Member& member, const kafka::JoinGroupRequest& request, const Caller& caller,
                   Turn& turn) {
    // A second join of the same member while the first is parked: the client has given that up.
    refuse_join(member, ErrorCode::rebalance_in_progress, turn);
    member.protocols = request.protocols;
    member.rebalance_timeout_ms = request.rebalance_timeout_ms;
    member.session_timeout_ms = request.session_timeout_ms;
    member.awaiting_join = caller.request;
}

void Group::add_and_rebalance(const kafka::JoinGroupRequest& request, const Caller& caller,
                              const std::string& member_id, Turn& turn) {
    if (members_.empty()) protocol_type_ = request.protocol_type;
    add({.id = member_id,
         .instance_id = request.group_instance_id,
         .client_id = caller.client_id,
         .client_host = caller.client_host,
         .is_new = true});
    auto& member = members_.at(member_id);
    update(member, request, caller, turn);
    if (state_ == State::preparing_rebalance && initial_delay_) new_member_added_ = true;
    member.session_deadline = turn.now.instant + config_->new_member_join_timeout_ms;
    wake_by(*member.session_deadline);
    rebalance_or_complete(turn);
}

void Group::update_and_rebalance(Member& member, const kafka::JoinGroupRequest& request,
                                 const Caller& caller, Turn& turn) {
    update(member, request, caller, turn);
    rebalance_or_complete(turn);
}

/// KIP-345: the same instance after a restart. In a stable group whose protocol stays, only the new
/// id is written; everybody keeps what they own.
void Group::replace_static(const std::string& old_id, std::string new_id,
                           const kafka::JoinGroupRequest& request, const Caller& caller,
                           Turn& turn) {
    ReplacementWrite replacement{.generation = generation_,
                                 .new_id = new_id,
                                 .before = members_.at(old_id),
                                 .leader_before = leader_.value_or(""),
                                 .skip_assignment = caller.version >= 9};
    auto& member = rename(old_id, std::move(new_id), turn);
    renew_session(member, turn.now);
    update(member, request, caller, turn);
    switch (state_) {
        case State::stable: {
            if (select_protocol() != protocol_name_) return prepare_rebalance(turn);
            return write(assignments(), std::move(replacement), turn);
        }
        case State::completing_rebalance:
            return prepare_rebalance(turn);
        case State::preparing_rebalance:
            return complete_join_if_all_joined(turn);
        case State::empty:
        case State::dead:
            CHECK(false) << "a group without members has no static member";
    }
}

Member& Group::rename(const std::string& old_id, std::string new_id, Turn& turn) {
    auto node = members_.extract(old_id);
    CHECK(!node.empty());
    Member member = std::move(node.mapped());
    // Whoever is parked under the old id is a duplicate of this instance.
    refuse_join(member, ErrorCode::fenced_instance_id, turn);
    refuse_sync(member, ErrorCode::fenced_instance_id, turn);
    if (leader_ == member.id) leader_ = new_id;
    synced(member.id);
    static_members_[*member.instance_id] = new_id;
    member.id = new_id;
    return members_.emplace(new_id, std::move(member)).first->second;
}

void Group::replacement_written(WriteId id, ReplacementWrite written, ErrorCode error, Turn& turn) {
    if (error != ErrorCode::none) return undo_replacement(id, std::move(written), error, turn);
    const auto it = members_.find(written.new_id);
    // A rebalance that began meanwhile answers the parked join itself.
    if (it == members_.end() || state_ != State::stable || generation_ != written.generation)
        return;
    auto& member = it->second;
    const bool leads = leader_ == member.id;
    auto response = current_generation(member, leads && written.skip_assignment);
    // An older client that saw itself as the leader would compute an assignment and lose it.
    if (!written.skip_assignment) response.leader = written.leader_before;
    response.skip_assignment = leads && written.skip_assignment;
    turn.answer(std::exchange(member.awaiting_join, 0), std::move(response));
}

void Group::undo_replacement(WriteId id, ReplacementWrite written, ErrorCode error, Turn& turn) {
    if (state_ != State::stable || generation_ != written.generation) return;
    if (const auto it = members_.find(written.new_id); it != members_.end()) {
        const RequestId request = std::exchange(it->second.awaiting_join, 0);
        auto& restored = rename(written.new_id, written.before.id, turn);
        written.before.awaiting_join = 0;
        written.before.awaiting_sync = 0;
        restored = std::move(written.before);
        renew_session(restored, turn.now);
        auto response = refusal("", answer_for_failed_write(error));
        response.generation_id = generation_;
        response.protocol_type = protocol_type_;
        response.protocol_name = protocol_name_;
        response.leader = written.leader_before;
        turn.answer(request, std::move(response));
    }
    // A later record of the group holds an id that failed: only a new generation brings the log and
    // the members together again.
    if (newest_write_ != id) prepare_rebalance(turn);
}

kafka::JoinGroupResponse Group::current_generation(const Member& member, bool with_members) const {
    kafka::JoinGroupResponse response;
    response.generation_id = generation_;
    response.protocol_type = protocol_type_;
    response.protocol_name = protocol_name_;
    response.leader = leader_.value_or("");
    response.member_id = member.id;
    if (!with_members) return response;
    for (const auto& [id, m] : members_) {
        const auto p = std::find_if(m.protocols.begin(), m.protocols.end(),
                                    [&](const Protocol& q) { return q.name == protocol_name_; });
        CHECK(p != m.protocols.end());
        kafka::JoinGroupResponse::JoinGroupResponseMember other;
        other.member_id = id;
        other.group_instance_id = m.instance_id;
        other.metadata = p->metadata;
        response.members.push_back(std::move(other));
    }
    return response;
}

}  // namespace groups
