#include "kafka/messages/list_config_resources.h"

#include <algorithm>

#include "broker/handlers/config_resources.h"
#include "broker/handlers/handlers.h"

namespace broker::handlers {

void list_config_resources(CallPtr call, kafka::ListConfigResourcesRequest request,
                           Reply<kafka::ListConfigResourcesResponse> reply) {
    kafka::ListConfigResourcesResponse response;
    auto types = request.resource_types;
    // Version 0 was there for client metrics alone, of which there are none.
    if (call->version == 0) types = {resource::client_metrics};
    if (types.empty()) types = {resource::topic, resource::broker};
    const auto wants = [&](int8_t type) {
        return std::find(types.begin(), types.end(), type) != types.end();
    };
    const auto known = [](int8_t type) {
        return type == resource::topic || type == resource::broker ||
               type == resource::broker_logger || type == resource::client_metrics ||
               type == resource::group;
    };
    if (!std::all_of(types.begin(), types.end(), known)) {
        response.error_code = kafka::ErrorCode::unsupported_version;
        return reply(response);
    }
    const auto& image = *call->local.image;
    if (wants(resource::topic))
        for (const auto& [name, topic] : image.topics())
            response.config_resources.push_back({name, resource::topic});
    for (const int8_t type : {resource::broker, resource::broker_logger}) {
        if (!wants(type)) continue;
        for (const auto& [id, broker] : image.brokers())
            response.config_resources.push_back({std::to_string(id.value), type});
    }
    reply(response);
}

}  // namespace broker::handlers
