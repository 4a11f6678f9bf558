#include "kafka/codec.h"
#include "kafka/messages/alter_partition_reassignments.h"
#include "kafka/messages/elect_leaders.h"
#include "kafka/messages/list_partition_reassignments.h"

namespace kafka {

MOLDAU_WIRE(ElectLeadersRequest);
MOLDAU_WIRE(ElectLeadersResponse);
MOLDAU_WIRE(AlterPartitionReassignmentsRequest);
MOLDAU_WIRE(AlterPartitionReassignmentsResponse);
MOLDAU_WIRE(ListPartitionReassignmentsRequest);
MOLDAU_WIRE(ListPartitionReassignmentsResponse);

}  // namespace kafka
