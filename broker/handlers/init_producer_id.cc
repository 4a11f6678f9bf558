#include "kafka/messages/init_producer_id.h"

#include "broker/handlers/handlers.h"
#include "broker/producer_ids.h"

namespace broker::handlers {

void init_producer_id(CallPtr call, kafka::InitProducerIdRequest request,
                      Reply<kafka::InitProducerIdResponse> reply) {
    using kafka::ErrorCode;
    const auto refuse = [&](ErrorCode code) {
        kafka::InitProducerIdResponse refused;
        refused.error_code = code;
        refused.producer_epoch = -1;
        reply(refused);
    };
    if (request.transactional_id)
        return refuse(request.transactional_id->empty() ? ErrorCode::invalid_request
                                                        : ErrorCode::unsupported_version);
    call->services.producer_ids.next(
        call->local.shard,
        [call, reply = std::move(reply)](kafka::Outcome<base::ProducerId> id) mutable {
            kafka::InitProducerIdResponse response;
            if (id.ok()) response.producer_id = id->value;
            else response.error_code = id.error().code;
            response.producer_epoch = id.ok() ? 0 : -1;
            reply(response);
        });
}

}  // namespace broker::handlers
