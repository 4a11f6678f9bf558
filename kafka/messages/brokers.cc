#include "kafka/codec.h"
#include "kafka/messages/allocate_producer_ids.h"
#include "kafka/messages/alter_partition.h"
#include "kafka/messages/broker_heartbeat.h"
#include "kafka/messages/broker_registration.h"
#include "kafka/messages/unregister_broker.h"

namespace kafka {

MOLDAU_WIRE(BrokerRegistrationRequest);
MOLDAU_WIRE(BrokerRegistrationResponse);
MOLDAU_WIRE(BrokerHeartbeatRequest);
MOLDAU_WIRE(BrokerHeartbeatResponse);
MOLDAU_WIRE(UnregisterBrokerRequest);
MOLDAU_WIRE(UnregisterBrokerResponse);
MOLDAU_WIRE(AllocateProducerIdsRequest);
MOLDAU_WIRE(AllocateProducerIdsResponse);
MOLDAU_WIRE(AlterPartitionRequest);
MOLDAU_WIRE(AlterPartitionResponse);

}  // namespace kafka
