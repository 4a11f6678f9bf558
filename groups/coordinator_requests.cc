// What clients ask of it.
#include "groups/coordinator.h"

namespace groups {

using kafka::ErrorCode;

template <class Response>
RequestId Coordinator::expect(Reply<Response> reply) {
    const auto id = ++last_request_;
    waiting_.emplace(id, [reply = std::move(reply)](Answer::Body body) mutable {
        reply(std::get<Response>(std::move(body)));
    });
    return id;
}

void Coordinator::join(const kafka::JoinGroupRequest& request, Caller caller,
                       Reply<kafka::JoinGroupResponse> reply) {
    if (const auto e = serving(); e != ErrorCode::none) {
        kafka::JoinGroupResponse refusal;
        refusal.error_code = e;
        refusal.member_id = request.member_id;
        return reply(std::move(refusal));
    }
    caller.request = expect(std::move(reply));
    carry_out(groups_->join(environment_.now(), request, caller));
}

void Coordinator::sync(const kafka::SyncGroupRequest& request, int16_t version,
                       Reply<kafka::SyncGroupResponse> reply) {
    if (const auto e = serving(); e != ErrorCode::none) {
        kafka::SyncGroupResponse refusal;
        refusal.error_code = e;
        return reply(std::move(refusal));
    }
    const auto to = expect(std::move(reply));
    carry_out(groups_->sync(environment_.now(), request, to, version));
}

void Coordinator::heartbeat(const kafka::HeartbeatRequest& request,
                            Reply<kafka::HeartbeatResponse> reply) {
    if (const auto e = serving(); e != ErrorCode::none) {
        kafka::HeartbeatResponse refusal;
        // While loading nobody's session runs, and a member that heard otherwise would rejoin.
        if (e != ErrorCode::coordinator_load_in_progress) refusal.error_code = e;
        return reply(std::move(refusal));
    }
    const auto to = expect(std::move(reply));
    carry_out(groups_->heartbeat(environment_.now(), request, to));
}

void Coordinator::leave(const kafka::LeaveGroupRequest& request, int16_t version,
                        Reply<kafka::LeaveGroupResponse> reply) {
    if (const auto e = serving(); e != ErrorCode::none) {
        kafka::LeaveGroupResponse refusal;
        refusal.error_code = e;
        return reply(std::move(refusal));
    }
    const auto to = expect(std::move(reply));
    carry_out(groups_->leave(environment_.now(), request, to, version));
}

void Coordinator::commit(const kafka::OffsetCommitRequest& request, int16_t version,
                         Reply<kafka::OffsetCommitResponse> reply) {
    if (const auto e = serving(); e != ErrorCode::none) return reply(refuse(request, e));
    const auto to = expect(std::move(reply));
    carry_out(groups_->commit(environment_.now(), request, to, version));
}

void Coordinator::delete_offsets(const kafka::OffsetDeleteRequest& request,
                                 Reply<kafka::OffsetDeleteResponse> reply) {
    if (const auto e = serving(); e != ErrorCode::none) {
        kafka::OffsetDeleteResponse refusal;
        refusal.error_code = e;
        return reply(std::move(refusal));
    }
    const auto to = expect(std::move(reply));
    carry_out(groups_->delete_offsets(environment_.now(), request, to));
}

void Coordinator::delete_group(const std::string& id, Reply<kafka::DeleteGroupsResponse> reply) {
    if (const auto e = serving(); e != ErrorCode::none) {
        kafka::DeleteGroupsResponse refusal;
        auto& result = refusal.results.emplace_back();
        result.group_id = id;
        result.error_code = e;
        return reply(std::move(refusal));
    }
    const auto to = expect(std::move(reply));
    carry_out(groups_->delete_group(environment_.now(), id, to));
}

kafka::OffsetFetchResponse::OffsetFetchResponseGroup Coordinator::fetch(
    const kafka::OffsetFetchRequest::OffsetFetchRequestGroup& request, bool require_stable) {
    const auto e = serving();
    if (e != ErrorCode::none) return refuse(request, e);
    return groups_->fetch(request, require_stable, [this](const auto& key, const auto& value) {
        return outlived(key, value);
    });
}

kafka::DescribeGroupsResponse::DescribedGroup Coordinator::describe(const std::string& id,
                                                                    int16_t version) {
    const auto e = serving();
    if (e == ErrorCode::none) return groups_->describe(id, version);
    kafka::DescribeGroupsResponse::DescribedGroup refusal;
    refusal.group_id = id;
    refusal.error_code = e;
    return refusal;
}

ErrorCode Coordinator::list(const kafka::ListGroupsRequest& request,
                            std::vector<kafka::ListGroupsResponse::ListedGroup>& to) {
    const auto e = serving();
    if (e == ErrorCode::not_coordinator) return ErrorCode::none;
    if (e != ErrorCode::none) return e;
    auto mine = groups_->list(request);
    std::move(mine.begin(), mine.end(), std::back_inserter(to));
    return ErrorCode::none;
}

void Coordinator::topic_deleted(const std::string& topic, const base::Uuid& id) {
    if (serving() != ErrorCode::none) return;
    carry_out(groups_->drop(environment_.now(), [&](const auto& key, const auto& value) {
        return key.topic == topic && (value.topic_id == id || value.topic_id.is_zero());
    }));
}

}  // namespace groups
