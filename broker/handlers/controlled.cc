// The APIs that change metadata: the controller decides, and the answer leaves once this broker
// acts by what was decided.
#include "broker/handlers/controlled.h"

#include "broker/handlers/handlers.h"

namespace broker::handlers {

#define CONTROLLED(handler, Name)                                                                  \
    void handler(CallPtr call, kafka::Name##Request request, Reply<kafka::Name##Response> reply) { \
        ask_controller(call, std::move(request),                                                   \
                       [reply = std::move(reply)](kafka::Name##Response response) mutable {        \
                           reply(response);                                                        \
                       });                                                                         \
    }
CONTROLLED(create_topics, CreateTopics)
CONTROLLED(delete_topics, DeleteTopics)
CONTROLLED(create_partitions, CreatePartitions)
CONTROLLED(alter_configs, AlterConfigs)
CONTROLLED(incremental_alter_configs, IncrementalAlterConfigs)
#undef CONTROLLED

}  // namespace broker::handlers
