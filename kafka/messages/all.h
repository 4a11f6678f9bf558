// All messages at once, for code that goes through every API: tests and fuzzing.
#pragma once
#include "kafka/messages/add_raft_voter.h"
#include "kafka/messages/allocate_producer_ids.h"
#include "kafka/messages/alter_configs.h"
#include "kafka/messages/alter_partition.h"
#include "kafka/messages/alter_partition_reassignments.h"
#include "kafka/messages/api_versions.h"
#include "kafka/messages/broker_heartbeat.h"
#include "kafka/messages/broker_registration.h"
#include "kafka/messages/create_partitions.h"
#include "kafka/messages/create_topics.h"
#include "kafka/messages/delete_groups.h"
#include "kafka/messages/delete_records.h"
#include "kafka/messages/delete_topics.h"
#include "kafka/messages/describe_cluster.h"
#include "kafka/messages/describe_configs.h"
#include "kafka/messages/describe_groups.h"
#include "kafka/messages/describe_log_dirs.h"
#include "kafka/messages/describe_quorum.h"
#include "kafka/messages/describe_topic_partitions.h"
#include "kafka/messages/elect_leaders.h"
#include "kafka/messages/fetch.h"
#include "kafka/messages/find_coordinator.h"
#include "kafka/messages/heartbeat.h"
#include "kafka/messages/incremental_alter_configs.h"
#include "kafka/messages/init_producer_id.h"
#include "kafka/messages/join_group.h"
#include "kafka/messages/leave_group.h"
#include "kafka/messages/list_config_resources.h"
#include "kafka/messages/list_groups.h"
#include "kafka/messages/list_offsets.h"
#include "kafka/messages/list_partition_reassignments.h"
#include "kafka/messages/metadata.h"
#include "kafka/messages/offset_commit.h"
#include "kafka/messages/offset_delete.h"
#include "kafka/messages/offset_fetch.h"
#include "kafka/messages/offset_for_leader_epoch.h"
#include "kafka/messages/produce.h"
#include "kafka/messages/remove_raft_voter.h"
#include "kafka/messages/sync_group.h"
#include "kafka/messages/unregister_broker.h"
#include "kafka/messages/update_features.h"

namespace kafka {

/// Calls f.template operator()<T>() for each message T, in the order of their keys. Both
/// messages of an API stand side by side, the request first.
template <class F>
void for_each_message(F&& f) {
    const auto both = [&]<class Request, class Response>() {
        f.template operator()<Request>();
        f.template operator()<Response>();
    };
    both.template operator()<ProduceRequest, ProduceResponse>();
    both.template operator()<FetchRequest, FetchResponse>();
    both.template operator()<ListOffsetsRequest, ListOffsetsResponse>();
    both.template operator()<MetadataRequest, MetadataResponse>();
    both.template operator()<OffsetCommitRequest, OffsetCommitResponse>();
    both.template operator()<OffsetFetchRequest, OffsetFetchResponse>();
    both.template operator()<FindCoordinatorRequest, FindCoordinatorResponse>();
    both.template operator()<JoinGroupRequest, JoinGroupResponse>();
    both.template operator()<HeartbeatRequest, HeartbeatResponse>();
    both.template operator()<LeaveGroupRequest, LeaveGroupResponse>();
    both.template operator()<SyncGroupRequest, SyncGroupResponse>();
    both.template operator()<DescribeGroupsRequest, DescribeGroupsResponse>();
    both.template operator()<ListGroupsRequest, ListGroupsResponse>();
    both.template operator()<ApiVersionsRequest, ApiVersionsResponse>();
    both.template operator()<CreateTopicsRequest, CreateTopicsResponse>();
    both.template operator()<DeleteTopicsRequest, DeleteTopicsResponse>();
    both.template operator()<DeleteRecordsRequest, DeleteRecordsResponse>();
    both.template operator()<InitProducerIdRequest, InitProducerIdResponse>();
    both.template operator()<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>();
    both.template operator()<DescribeConfigsRequest, DescribeConfigsResponse>();
    both.template operator()<AlterConfigsRequest, AlterConfigsResponse>();
    both.template operator()<DescribeLogDirsRequest, DescribeLogDirsResponse>();
    both.template operator()<CreatePartitionsRequest, CreatePartitionsResponse>();
    both.template operator()<DeleteGroupsRequest, DeleteGroupsResponse>();
    both.template operator()<ElectLeadersRequest, ElectLeadersResponse>();
    both.template operator()<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>();
    both.template
    operator()<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>();
    both.template
    operator()<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>();
    both.template operator()<OffsetDeleteRequest, OffsetDeleteResponse>();
    both.template operator()<DescribeQuorumRequest, DescribeQuorumResponse>();
    both.template operator()<AlterPartitionRequest, AlterPartitionResponse>();
    both.template operator()<UpdateFeaturesRequest, UpdateFeaturesResponse>();
    both.template operator()<DescribeClusterRequest, DescribeClusterResponse>();
    both.template operator()<BrokerRegistrationRequest, BrokerRegistrationResponse>();
    both.template operator()<BrokerHeartbeatRequest, BrokerHeartbeatResponse>();
    both.template operator()<UnregisterBrokerRequest, UnregisterBrokerResponse>();
    both.template operator()<AllocateProducerIdsRequest, AllocateProducerIdsResponse>();
    both.template operator()<ListConfigResourcesRequest, ListConfigResourcesResponse>();
    both.template operator()<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>();
    both.template operator()<AddRaftVoterRequest, AddRaftVoterResponse>();
    both.template operator()<RemoveRaftVoterRequest, RemoveRaftVoterResponse>();
}

}  // namespace kafka
