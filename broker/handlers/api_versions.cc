#include "kafka/messages/api_versions.h"

#include "broker/handlers/handlers.h"
#include "kafka/negotiation.h"

namespace broker::handlers {

void api_versions(CallPtr call, kafka::ApiVersionsRequest request,
                  Reply<kafka::ApiVersionsResponse> reply) {
    if (call->version >= 3 && (!kafka::valid_software_text(request.client_software_name) ||
                               !kafka::valid_software_text(request.client_software_version))) {
        kafka::ApiVersionsResponse refused;
        refused.error_code = kafka::ErrorCode::invalid_request;
        return reply(refused);
    }
    auto response = kafka::served_api_versions();
    const auto& image = *call->local.image;
    response.finalized_features_epoch = image.position().index;
    for (const auto& [name, level] : image.features()) {
        // Java clients before 3.9 take no range that begins at 0 (KAFKA-17011).
        if (level < 1) continue;
        response.supported_features.push_back({name, 1, level});
        response.finalized_features.push_back({name, level, level});
    }
    reply(response);
}

}  // namespace broker::handlers
