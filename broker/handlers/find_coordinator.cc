#include "kafka/messages/find_coordinator.h"

#include "broker/cluster_view.h"
#include "broker/handlers/handlers.h"
#include "broker/lost_leaders.h"
#include "broker/resolve.h"
#include "broker/topics_on_demand.h"
#include "groups/coordinators.h"

namespace broker::handlers {

namespace {

using kafka::ErrorCode;
using Request = kafka::FindCoordinatorRequest;
using Response = kafka::FindCoordinatorResponse;

enum KeyType : int8_t { group = 0, transaction = 1, share_group = 2 };

Response::Coordinator failed(const std::string& key, ErrorCode code, const char* why) {
    return {.key = key,
            .node_id = -1,
            .host = "",
            .port = -1,
            .error_code = code,
            .error_message = why};
}

Response::Coordinator locate(const Call& call, const std::string& key) {
    const metadata::Image& image = *call.local.image;
    const auto topic = image.topic(offsets_topic);
    const auto* partition =
        topic ? topic->partition(call.services.groups.partition_of(key)) : nullptr;
    if (partition != nullptr && may_have_lost(call, *partition)) {
        if (call.leaders_told) call.leaders_told->know_nothing();
        return failed(key, ErrorCode::coordinator_not_available,
                      "this broker is cut off from the controller");
    }
    const auto* broker = partition != nullptr ? image.broker(partition->leader) : nullptr;
    const auto* endpoint = broker != nullptr ? broker->endpoint(call.listener) : nullptr;
    if (endpoint == nullptr)
        return failed(key, ErrorCode::coordinator_not_available,
                      "no broker leads the group's partition");
    return {
        .key = key, .node_id = broker->id.value, .host = endpoint->host, .port = endpoint->port};
}

Response respond(const Call& call, const std::vector<Response::Coordinator>& found) {
    Response response;
    if (call.version >= 4) {
        response.coordinators = found;
        return response;
    }
    const auto& one = found.front();
    response.error_code = one.error_code;
    response.error_message = one.error_message;
    response.node_id = one.node_id;
    response.host = one.host;
    response.port = one.port;
    return response;
}

}  // namespace

void find_coordinator(CallPtr call, Request request, Reply<Response> reply) {
    const auto keys = call->version >= 4 ? request.coordinator_keys : std::vector{request.key};
    if (request.key_type != group) {
        const bool known = request.key_type == transaction || request.key_type == share_group;
        std::vector<Response::Coordinator> refused;
        for (const auto& key : keys)
            refused.push_back(failed(
                key, known ? ErrorCode::unsupported_version : ErrorCode::invalid_request,
                known ? "this broker coordinates consumer groups only" : "unknown type of key"));
        return reply(respond(*call, refused));
    }
    auto answer = [call, keys, reply = std::move(reply)]() mutable {
        std::vector<Response::Coordinator> found;
        for (const auto& key : keys) found.push_back(locate(*call, key));
        reply(respond(*call, found));
    };
    if (call->local.image->topic(offsets_topic)) return answer();
    create_on_demand(call, {std::string(offsets_topic)},
                     [answer = std::move(answer)](const auto&) mutable { answer(); });
}

}  // namespace broker::handlers
