#include "kafka/codec.h"
#include "kafka/messages/delete_groups.h"
#include "kafka/messages/describe_groups.h"
#include "kafka/messages/heartbeat.h"
#include "kafka/messages/join_group.h"
#include "kafka/messages/leave_group.h"
#include "kafka/messages/list_groups.h"
#include "kafka/messages/sync_group.h"

namespace kafka {

MOLDAU_WIRE(JoinGroupRequest);
MOLDAU_WIRE(JoinGroupResponse);
MOLDAU_WIRE(SyncGroupRequest);
MOLDAU_WIRE(SyncGroupResponse);
MOLDAU_WIRE(HeartbeatRequest);
MOLDAU_WIRE(HeartbeatResponse);
MOLDAU_WIRE(LeaveGroupRequest);
MOLDAU_WIRE(LeaveGroupResponse);
MOLDAU_WIRE(DescribeGroupsRequest);
MOLDAU_WIRE(DescribeGroupsResponse);
MOLDAU_WIRE(ListGroupsRequest);
MOLDAU_WIRE(ListGroupsResponse);
MOLDAU_WIRE(DeleteGroupsRequest);
MOLDAU_WIRE(DeleteGroupsResponse);

}  // namespace kafka
