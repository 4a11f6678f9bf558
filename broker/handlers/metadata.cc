#include "kafka/messages/metadata.h"

#include <set>
#include <utility>

#include "broker/cluster_view.h"
#include "broker/handlers/handlers.h"
#include "broker/resolve.h"
#include "broker/topics_on_demand.h"
#include "controller/names.h"

namespace broker::handlers {

namespace {

using kafka::ErrorCode;
using Request = kafka::MetadataRequest;
using Response = kafka::MetadataResponse;
using Failures = std::map<std::string, kafka::Error>;

bool wants_all(const Request& request, kafka::Version version) {
    return !request.topics || (version == 0 && request.topics->empty());
}

Response::MetadataResponseTopic describe(const Call& call, const metadata::Topic& topic,
                                         bool with_operations) {
    const metadata::Image& image = *call.local.image;
    Response::MetadataResponseTopic out;
    out.name = topic.name;
    out.topic_id = topic.id;
    out.is_internal = internal_topic(topic.name);
    if (with_operations) out.topic_authorized_operations = topic_operations;
    for (const auto& p : topic.partitions) {
        auto& shown = out.partitions.emplace_back(
            shown_partition<Response::MetadataResponsePartition>(image, *p));
        if (!may_have_lost(call, *p)) continue;
        shown.leader_id = metadata::kNoBroker.value;
        shown.error_code = ErrorCode::leader_not_available;
    }
    return out;
}

Response::MetadataResponseTopic missing(const Request::MetadataRequestTopic& asked,
                                        const Failures& failures) {
    Response::MetadataResponseTopic out;
    out.name = asked.name;
    out.topic_id = asked.topic_id;
    if (!asked.name) {
        out.error_code = ErrorCode::unknown_topic_id;
    } else if (const auto failure = failures.find(*asked.name); failure != failures.end()) {
        out.error_code = failure->second.code;
    } else {
        out.error_code = controller::refused_name(*asked.name)
                             ? ErrorCode::invalid_topic_exception
                             : ErrorCode::unknown_topic_or_partition;
    }
    return out;
}

Response answer(const Call& call, const Request& request, const Failures& failures) {
    const metadata::Image& image = *call.local.image;
    Response response;
    for (const auto* broker : reachable_brokers(image, call.listener)) {
        const auto* endpoint = broker->endpoint(call.listener);
        response.brokers.push_back(
            {broker->id.value, endpoint->host, endpoint->port, broker->rack});
    }
    response.cluster_id = image.cluster_id();
    response.controller_id = shown_controller(call);
    if (request.include_cluster_authorized_operations)
        response.cluster_authorized_operations = cluster_operations;
    const bool operations = request.include_topic_authorized_operations;
    if (wants_all(request, call.version)) {
        for (const auto& [name, topic] : image.topics())
            response.topics.push_back(describe(call, *topic, operations));
        return response;
    }
    std::set<std::pair<std::string, base::Uuid>> told;
    for (const auto& asked : *request.topics) {
        // Each once, or a small request could ask for a huge answer.
        if (!told.emplace(asked.name.value_or(""), asked.topic_id).second) continue;
        const auto topic = asked.name ? image.topic(*asked.name) : image.topic(asked.topic_id);
        response.topics.push_back(topic ? describe(call, *topic, operations)
                                        : missing(asked, failures));
    }
    return response;
}

/// The answer, of which the connection keeps in mind whom it sends the client to.
Response tell(const Call& call, const Request& request, const Failures& failures) {
    auto response = answer(call, request, failures);
    if (!call.leaders_told) return response;
    std::set<int32_t> leaders;
    for (const auto& topic : response.topics)
        for (const auto& p : topic.partitions) leaders.insert(p.leader_id);
    const auto now = io::monotonic_clock();
    if (!response.topics.empty()) call.leaders_told->answered(now);
    for (const auto id : leaders) call.leaders_told->told(base::BrokerId{id}, now);
    if (!call.local.in_session && leaders.contains(metadata::kNoBroker.value))
        call.leaders_told->know_nothing();
    return response;
}

/// Topics by name that don't exist and may be made.
std::set<std::string> to_create(const Call& call, const Request& request) {
    std::set<std::string> names;
    if (wants_all(request, call.version) || !call.services.settings.auto_create_topics)
        return names;
    if (call.version >= 4 && !request.allow_auto_topic_creation) return names;
    for (const auto& asked : *request.topics)
        if (asked.name && !call.local.image->topic(*asked.name) &&
            !controller::refused_name(*asked.name))
            names.insert(*asked.name);
    return names;
}

}  // namespace

void metadata(CallPtr call, Request request, Reply<Response> reply) {
    const auto missing_names = to_create(*call, request);
    if (missing_names.empty()) return reply(tell(*call, request, {}));
    create_on_demand(
        call, missing_names,
        [call, request = std::move(request), reply = std::move(reply)](
            const Failures& failures) mutable { reply(tell(*call, request, failures)); });
}

}  // namespace broker::handlers
