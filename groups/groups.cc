#include "groups/groups.h"

#include <algorithm>

namespace groups {

using kafka::ErrorCode;

void Groups::replay(AnyRecord record, Now now) {
    if (auto* offset = std::get_if<OffsetRecord>(&record)) {
        const auto group = offset->key.group;
        offsets_.replay(offset->key, std::move(offset->value));
        // Whoever follows the log for long must not keep the names of all that ever was.
        if (const auto* known = find(group); known != nullptr && only_a_name(*known) &&
                                             !known->protocol_type() && !offsets_.any_of(group))
            return erase(group);
        keep_group_of_offsets(group, now);
    } else if (auto* group = std::get_if<GroupRecord>(&record)) {
        erase(group->key.group);
        if (!group->value) return keep_group_of_offsets(group->key.group, now);
        Group restored(group->key.group, *config_, *group->value, now);
        const auto it = groups_.emplace(group->key.group, Entry{std::move(restored)}).first;
        set_alarm(it->first, it->second, it->second.group.alarm());
    }
}

Effects Groups::loaded(Now now) {
    Turn turn(now, last_write_);
    std::vector<std::string> ids;
    for (const auto& [id, entry] : groups_) ids.push_back(id);
    for (const auto& id : ids) {
        groups_.at(id).group.resume(turn);
        settle(id, turn);
    }
    return std::move(turn.effects);
}

Group& Groups::add(const std::string& id, Now now) {
    const auto it = groups_.find(id);
    if (it != groups_.end()) return it->second.group;
    // A deleted group whose tombstone is on its way: should that fail, its generation must not come
    // after a lower one in the log.
    int32_t generation = 0;
    for (const auto& [write, waiting] : waiting_)
        if (waiting.removed && waiting.group == id)
            generation = std::max(generation, waiting.removed->generation());
    return groups_.emplace(id, Entry{Group(id, *config_, now.wall, generation)})
        .first->second.group;
}

const Group* Groups::find(const std::string& id) const {
    const auto it = groups_.find(id);
    return it == groups_.end() ? nullptr : &it->second.group;
}

void Groups::set_alarm(const std::string& id, Entry& entry, base::InstantMs alarm) {
    if (entry.alarm == alarm) return;
    if (entry.alarm != Group::never) alarms_.erase({entry.alarm, id});
    if (alarm != Group::never) alarms_.emplace(alarm, id);
    entry.alarm = alarm;
}

void Groups::erase(const std::string& id) {
    const auto it = groups_.find(id);
    if (it == groups_.end()) return;
    set_alarm(id, it->second, Group::never);
    groups_.erase(it);
}

std::optional<Group> Groups::take(const std::string& id) {
    const auto it = groups_.find(id);
    if (it == groups_.end()) return std::nullopt;
    std::optional<Group> group = std::move(it->second.group);
    set_alarm(id, it->second, Group::never);
    groups_.erase(it);
    return group;
}

void Groups::settle(const std::string& id, Turn& turn) {
    for (const auto& write : turn.effects.writes)
        if (!waiting_.contains(write.id)) owners_.try_emplace(write.id, id);
    const auto it = groups_.find(id);
    if (it == groups_.end()) return;
    const auto& group = it->second.group;
    if (only_a_name(group) && !offsets_.any_of(id)) return erase(id);
    set_alarm(id, it->second, group.alarm());
}

bool Groups::only_a_name(const Group& group) {
    return group.state() == Group::State::empty && group.generation() == 0 &&
           group.pending_members() == 0 && !group.writing();
}

void Groups::keep_group_of_offsets(const std::string& id, Now now) {
    if (!groups_.contains(id) && offsets_.any_of(id)) add(id, now);
}

Effects Groups::join(Now now, const kafka::JoinGroupRequest& request, const Caller& caller) {
    Turn turn(now, last_write_);
    auto refuse = [&](ErrorCode why) {
        kafka::JoinGroupResponse response;
        response.member_id = request.member_id;
        response.error_code = why;
        turn.answer(caller.request, std::move(response));
        return std::move(turn.effects);
    };
    if (request.group_id.empty()) return refuse(ErrorCode::invalid_group_id);
    if (request.session_timeout_ms < config_->min_session_timeout_ms ||
        request.session_timeout_ms > config_->max_session_timeout_ms)
        return refuse(ErrorCode::invalid_session_timeout);
    if (!request.member_id.empty() && !groups_.contains(request.group_id))
        return refuse(ErrorCode::unknown_member_id);
    add(request.group_id, now).join(request, caller, turn);
    settle(request.group_id, turn);
    return std::move(turn.effects);
}

Effects Groups::sync(Now now, const kafka::SyncGroupRequest& request, RequestId to,
                     int16_t version) {
    Turn turn(now, last_write_);
    auto refuse = [&](ErrorCode why) {
        kafka::SyncGroupResponse response;
        response.error_code = why;
        turn.answer(to, std::move(response));
        return std::move(turn.effects);
    };
    if (request.group_id.empty()) return refuse(ErrorCode::invalid_group_id);
    // KIP-559: from version 5 on the client says what it believes the group agreed on.
    if (version >= 5 && (!request.protocol_type || !request.protocol_name))
        return refuse(ErrorCode::inconsistent_group_protocol);
    const auto it = groups_.find(request.group_id);
    if (it == groups_.end()) return refuse(ErrorCode::unknown_member_id);
    it->second.group.sync(request, to, turn);
    settle(request.group_id, turn);
    return std::move(turn.effects);
}

Effects Groups::heartbeat(Now now, const kafka::HeartbeatRequest& request, RequestId to) {
    Turn turn(now, last_write_);
    const auto it = groups_.find(request.group_id);
    if (request.group_id.empty() || it == groups_.end()) {
        kafka::HeartbeatResponse response;
        response.error_code =
            request.group_id.empty() ? ErrorCode::invalid_group_id : ErrorCode::unknown_member_id;
        turn.answer(to, std::move(response));
        return std::move(turn.effects);
    }
    it->second.group.heartbeat(request, to, turn);
    settle(request.group_id, turn);
    return std::move(turn.effects);
}

Effects Groups::leave(Now now, const kafka::LeaveGroupRequest& request, RequestId to,
                      int16_t version) {
    Turn turn(now, last_write_);
    const auto it = groups_.find(request.group_id);
    if (it != groups_.end() && !request.group_id.empty()) {
        it->second.group.leave(request, to, version, turn);
        settle(request.group_id, turn);
        return std::move(turn.effects);
    }
    kafka::LeaveGroupResponse response;
    if (request.group_id.empty()) {
        response.error_code = ErrorCode::invalid_group_id;
    } else if (version <= 2) {
        response.error_code = ErrorCode::unknown_member_id;
    } else {
        for (const auto& m : request.members) {
            kafka::LeaveGroupResponse::MemberResponse one;
            one.member_id = m.member_id;
            one.group_instance_id = m.group_instance_id;
            one.error_code = ErrorCode::unknown_member_id;
            response.members.push_back(std::move(one));
        }
    }
    turn.answer(to, std::move(response));
    return std::move(turn.effects);
}

Effects Groups::persisted(Now now, WriteId id, ErrorCode error) {
    Turn turn(now, last_write_);
    offsets_.finish(id, error == ErrorCode::none);
    if (auto owner = owners_.extract(id); !owner.empty()) {
        const auto it = groups_.find(owner.mapped());
        if (it != groups_.end()) it->second.group.persisted(id, error, turn);
        settle(owner.mapped(), turn);
    }
    auto node = waiting_.extract(id);
    if (node.empty()) return std::move(turn.effects);
    auto& waiting = node.mapped();
    if (error != ErrorCode::none) {
        if (waiting.removed && !groups_.contains(waiting.group))
            groups_.emplace(waiting.group, Entry{*std::move(waiting.removed)});
        refuse_all(waiting.response, answer_for_failed_write(error));
    }
    keep_group_of_offsets(waiting.group, now);
    turn.answer(waiting.request, std::move(waiting.response));
    settle(waiting.group, turn);
    return std::move(turn.effects);
}

Effects Groups::tick(Now now) {
    Turn turn(now, last_write_);
    while (alarm() <= now.instant) {
        const std::string id = alarms_.begin()->second;
        auto& entry = groups_.at(id);
        entry.group.tick(turn);
        settle(id, turn);
    }
    return std::move(turn.effects);
}

Effects Groups::end(Now now, ErrorCode why) {
    Turn turn(now, last_write_);
    for (auto& [id, entry] : groups_) entry.group.end(why, turn);
    for (auto& [id, waiting] : waiting_) {
        refuse_all(waiting.response, why);
        turn.answer(waiting.request, std::move(waiting.response));
    }
    groups_.clear();
    waiting_.clear();
    owners_.clear();
    alarms_.clear();
    turn.effects.writes.clear();
    return std::move(turn.effects);
}

kafka::DescribeGroupsResponse::DescribedGroup Groups::describe(const std::string& id,
                                                               int16_t version) const {
    const auto* group = find(id);
    if (group != nullptr) return group->describe();
    kafka::DescribeGroupsResponse::DescribedGroup missing;
    missing.group_id = id;
    missing.group_state = "Dead";
    if (version >= 6) {
        missing.error_code = ErrorCode::group_id_not_found;
        missing.error_message = "Group " + id + " not found.";
    }
    return missing;
}

std::vector<kafka::ListGroupsResponse::ListedGroup> Groups::list(
    const kafka::ListGroupsRequest& request) const {
    auto same = [](std::string_view a, std::string_view b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                          [](char x, char y) { return std::tolower(x) == std::tolower(y); });
    };
    auto wanted = [&](const std::vector<std::string>& filter, std::string_view value) {
        return filter.empty() || std::any_of(filter.begin(), filter.end(),
                                             [&](const std::string& f) { return same(f, value); });
    };
    std::vector<kafka::ListGroupsResponse::ListedGroup> listed;
    if (!wanted(request.types_filter, "classic")) return listed;
    for (const auto& [id, entry] : groups_) {
        if (!wanted(request.states_filter, entry.group.state_name())) continue;
        kafka::ListGroupsResponse::ListedGroup one;
        one.group_id = id;
        one.protocol_type = entry.group.protocol_type().value_or("");
        one.group_state = entry.group.state_name();
        one.group_type = "classic";
        listed.push_back(std::move(one));
    }
    return listed;
}

}  // namespace groups
