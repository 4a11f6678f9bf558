#include "kafka/codec.h"
#include "kafka/messages/create_partitions.h"
#include "kafka/messages/create_topics.h"
#include "kafka/messages/delete_topics.h"

namespace kafka {

MOLDAU_WIRE(CreateTopicsRequest);
MOLDAU_WIRE(CreateTopicsResponse);
MOLDAU_WIRE(DeleteTopicsRequest);
MOLDAU_WIRE(DeleteTopicsResponse);
MOLDAU_WIRE(CreatePartitionsRequest);
MOLDAU_WIRE(CreatePartitionsResponse);

}  // namespace kafka
