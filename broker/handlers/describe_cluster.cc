#include "kafka/messages/describe_cluster.h"

#include "broker/cluster_view.h"
#include "broker/handlers/handlers.h"

namespace broker::handlers {

void describe_cluster(CallPtr call, kafka::DescribeClusterRequest request,
                      Reply<kafka::DescribeClusterResponse> reply) {
    constexpr int8_t brokers = 1, controllers = 2;
    const metadata::Image& image = *call->local.image;
    kafka::DescribeClusterResponse response;
    response.endpoint_type = request.endpoint_type;
    if (request.endpoint_type != brokers) {
        const bool known = request.endpoint_type == controllers;
        response.error_code = known ? kafka::ErrorCode::mismatched_endpoint_type
                                    : kafka::ErrorCode::unsupported_endpoint_type;
        response.error_message = "this endpoint speaks for brokers";
        return reply(response);
    }
    response.cluster_id = image.cluster_id();
    response.controller_id = shown_controller(*call);
    if (request.include_cluster_authorized_operations)
        response.cluster_authorized_operations = cluster_operations;
    for (const auto& [id, broker] : image.brokers()) {
        const auto* endpoint = broker->endpoint(call->listener);
        if (endpoint == nullptr || (broker->fenced && !request.include_fenced_brokers)) continue;
        response.brokers.push_back(
            {id.value, endpoint->host, endpoint->port, broker->rack, broker->fenced});
    }
    reply(response);
}

}  // namespace broker::handlers
