#include "controller/service_decide.h"

#include "controller/brokers.h"
#include "controller/configs.h"
#include "controller/elections.h"
#include "controller/features.h"
#include "controller/partitions.h"
#include "controller/reassignments.h"
#include "controller/topics.h"

namespace controller {

namespace {

using kafka::ErrorCode;

template <class Response>
Decided<Response> decided(Decision<Response> decision) {
    return {std::move(decision.records), std::move(decision.response)};
}

/// Something that rises with each topic: where its placement begins.
uint64_t start_of(Service::Core& core) {
    return static_cast<uint64_t>(core.state().image.partition_count());
}

metadata::Broker broker_of(const kafka::BrokerRegistrationRequest& request) {
    metadata::Broker out;
    out.id = base::BrokerId{request.broker_id};
    out.incarnation = request.incarnation_id;
    out.rack = request.rack;
    out.log_dirs = request.log_dirs;
    for (const auto& l : request.listeners)
        out.endpoints.push_back({.listener = l.name, .host = l.host, .port = l.port});
    for (const auto& f : request.features)
        out.features[f.name] = {f.min_supported_version, f.max_supported_version};
    return out;
}

}  // namespace

Decided<kafka::CreateTopicsResponse> decide(Service::Core& core,
                                            const kafka::CreateTopicsRequest& request) {
    std::vector<base::TopicId> ids(request.topics.size());
    for (auto& id : ids) id = core.draw_uuid();
    return decided(create_topics(core.state(), request, ids, start_of(core)));
}

Decided<kafka::DeleteTopicsResponse> decide(Service::Core& core,
                                            const kafka::DeleteTopicsRequest& request) {
    return decided(delete_topics(core.state(), request));
}

Decided<kafka::CreatePartitionsResponse> decide(Service::Core& core,
                                                const kafka::CreatePartitionsRequest& request) {
    return decided(create_partitions(core.state(), request, start_of(core)));
}

Decided<kafka::AlterConfigsResponse> decide(Service::Core& core,
                                            const kafka::AlterConfigsRequest& request) {
    return decided(alter_configs(core.state(), request));
}

Decided<kafka::IncrementalAlterConfigsResponse> decide(
    Service::Core& core, const kafka::IncrementalAlterConfigsRequest& request) {
    return decided(incremental_alter_configs(core.state(), request));
}

Decided<kafka::AlterPartitionResponse> decide(Service::Core& core,
                                              const kafka::AlterPartitionRequest& request) {
    return decided(alter_partitions(core.state(), request));
}

Decided<kafka::ElectLeadersResponse> decide(Service::Core& core,
                                            const kafka::ElectLeadersRequest& request) {
    return decided(elect_leaders(core.state(), request));
}

Decided<kafka::AlterPartitionReassignmentsResponse> decide(
    Service::Core& core, const kafka::AlterPartitionReassignmentsRequest& request) {
    return decided(alter_reassignments(core.state(), request));
}

Decided<kafka::ListPartitionReassignmentsResponse> decide(
    Service::Core& core, const kafka::ListPartitionReassignmentsRequest& request) {
    return {{}, list_reassignments(core.state(), request)};
}

Decided<kafka::UpdateFeaturesResponse> decide(Service::Core& core,
                                              const kafka::UpdateFeaturesRequest& request) {
    return decided(update_features(core.state(), request));
}

Decided<kafka::BrokerRegistrationResponse> decide(Service::Core& core,
                                                  const kafka::BrokerRegistrationRequest& request) {
    Decided<kafka::BrokerRegistrationResponse> out;
    const auto& image = core.state().image;
    if (request.cluster_id != image.cluster_id()) {
        out.response.error_code = ErrorCode::inconsistent_cluster_id;
        return out;
    }
    const base::BrokerId id{request.broker_id};
    // A member holds its disk's lock, and no other disk gets its id while it is alive: whatever
    // process had the id before is gone.
    const bool another_alive = !core.quorum().raft().configuration().has_id(id.value) &&
                               core.sessions().alive(image, id, core.now());
    auto outcome = register_broker(core.state(),
                                   Registration{broker_of(request), request.previous_broker_epoch},
                                   core.next_index(), another_alive);
    if (!outcome) {
        out.response.error_code = outcome.error().code;
        return out;
    }
    out.records = std::move(outcome->records);
    out.response.broker_epoch = outcome->response;
    core.sessions().heard({id, outcome->response}, 0, core.now());
    return out;
}

Decided<kafka::BrokerHeartbeatResponse> decide(Service::Core& core,
                                               const kafka::BrokerHeartbeatRequest& request) {
    Decided<kafka::BrokerHeartbeatResponse> out;
    out.unconfirmed = true;
    const Sessions::Broker broker{base::BrokerId{request.broker_id}, request.broker_epoch};
    const auto state = core.state();
    auto outcome = heartbeat(state,
                             {.broker = broker.id,
                              .epoch = broker.epoch,
                              .metadata_index = request.current_metadata_offset,
                              .wants_fence = request.want_fence,
                              .wants_shutdown = request.want_shut_down},
                             core.sessions().withdrawal(state.image, broker));
    if (!outcome) {
        out.response.error_code = outcome.error().code;
        return out;
    }
    const HeartbeatAnswer& answer = outcome->response;
    out.records = std::move(outcome->records);
    out.response.is_caught_up = answer.caught_up;
    out.response.is_fenced = answer.fenced;
    out.response.should_shut_down = answer.may_stop;
    core.sessions().heard(broker, request.current_metadata_offset, core.now());
    std::optional<int64_t> withdrawn;
    if (answer.leads_nothing)
        withdrawn = out.records.empty() ? state.image.position().index : core.next_index();
    core.sessions().withdrawn(broker, withdrawn);
    return out;
}

Decided<kafka::UnregisterBrokerResponse> decide(Service::Core& core,
                                                const kafka::UnregisterBrokerRequest& request) {
    Decided<kafka::UnregisterBrokerResponse> out;
    auto outcome = unregister_broker(core.state(), base::BrokerId{request.broker_id});
    out.response.error_message = std::nullopt;
    if (!outcome) {
        out.response.error_code = outcome.error().code;
        out.response.error_message = outcome.error().message;
        return out;
    }
    out.records = std::move(outcome->records);
    // A mere broker gives up its place in the quorum with it, of which there are not many. If it
    // runs on, it applies again. Who votes, or is to, goes by RemoveRaftVoter only.
    const auto& configuration = core.quorum().raft().configuration();
    for (const auto& [member, address] : configuration.learners)
        if (member.id == request.broker_id && !configuration.promised.contains(member))
            out.change = raft::Remove{member};
    return out;
}

Decided<kafka::AllocateProducerIdsResponse> decide(
    Service::Core& core, const kafka::AllocateProducerIdsRequest& request) {
    Decided<kafka::AllocateProducerIdsResponse> out;
    auto outcome = allocate_producer_ids(core.state(), base::BrokerId{request.broker_id},
                                         request.broker_epoch);
    if (!outcome) {
        out.response.error_code = outcome.error().code;
        return out;
    }
    out.records = std::move(outcome->records);
    out.response.producer_id_start = outcome->response.first;
    out.response.producer_id_len = outcome->response.size;
    return out;
}

}  // namespace controller
