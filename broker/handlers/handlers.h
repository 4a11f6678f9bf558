#pragma once
#include "broker/call.h"

namespace kafka {
#define MOLDAU_API(name)  \
    struct name##Request; \
    struct name##Response;
MOLDAU_API(Produce)
MOLDAU_API(Fetch)
MOLDAU_API(ListOffsets)
MOLDAU_API(Metadata)
MOLDAU_API(OffsetCommit)
MOLDAU_API(OffsetFetch)
MOLDAU_API(FindCoordinator)
MOLDAU_API(JoinGroup)
MOLDAU_API(Heartbeat)
MOLDAU_API(LeaveGroup)
MOLDAU_API(SyncGroup)
MOLDAU_API(DescribeGroups)
MOLDAU_API(ListGroups)
MOLDAU_API(ApiVersions)
MOLDAU_API(CreateTopics)
MOLDAU_API(DeleteTopics)
MOLDAU_API(DeleteRecords)
MOLDAU_API(InitProducerId)
MOLDAU_API(OffsetForLeaderEpoch)
MOLDAU_API(DescribeConfigs)
MOLDAU_API(AlterConfigs)
MOLDAU_API(DescribeLogDirs)
MOLDAU_API(CreatePartitions)
MOLDAU_API(DeleteGroups)
MOLDAU_API(IncrementalAlterConfigs)
MOLDAU_API(OffsetDelete)
MOLDAU_API(DescribeCluster)
MOLDAU_API(ListConfigResources)
MOLDAU_API(DescribeTopicPartitions)
MOLDAU_API(ElectLeaders)
MOLDAU_API(AlterPartitionReassignments)
MOLDAU_API(ListPartitionReassignments)
MOLDAU_API(DescribeQuorum)
MOLDAU_API(UpdateFeatures)
MOLDAU_API(UnregisterBroker)
MOLDAU_API(AddRaftVoter)
MOLDAU_API(RemoveRaftVoter)
#undef MOLDAU_API
}  // namespace kafka

/// One function an API, each in the file of its name. They run on the connection's shard and use
/// the reply there, now or later.
namespace broker::handlers {

#define MOLDAU_HANDLER(function, name) \
    void function(CallPtr, kafka::name##Request, Reply<kafka::name##Response>);
MOLDAU_HANDLER(produce, Produce)
MOLDAU_HANDLER(fetch, Fetch)
MOLDAU_HANDLER(list_offsets, ListOffsets)
MOLDAU_HANDLER(metadata, Metadata)
MOLDAU_HANDLER(offset_commit, OffsetCommit)
MOLDAU_HANDLER(offset_fetch, OffsetFetch)
MOLDAU_HANDLER(find_coordinator, FindCoordinator)
MOLDAU_HANDLER(join_group, JoinGroup)
MOLDAU_HANDLER(heartbeat, Heartbeat)
MOLDAU_HANDLER(leave_group, LeaveGroup)
MOLDAU_HANDLER(sync_group, SyncGroup)
MOLDAU_HANDLER(describe_groups, DescribeGroups)
MOLDAU_HANDLER(list_groups, ListGroups)
MOLDAU_HANDLER(api_versions, ApiVersions)
MOLDAU_HANDLER(create_topics, CreateTopics)
MOLDAU_HANDLER(delete_topics, DeleteTopics)
MOLDAU_HANDLER(delete_records, DeleteRecords)
MOLDAU_HANDLER(init_producer_id, InitProducerId)
MOLDAU_HANDLER(offset_for_leader_epoch, OffsetForLeaderEpoch)
MOLDAU_HANDLER(describe_configs, DescribeConfigs)
MOLDAU_HANDLER(alter_configs, AlterConfigs)
MOLDAU_HANDLER(describe_log_dirs, DescribeLogDirs)
MOLDAU_HANDLER(create_partitions, CreatePartitions)
MOLDAU_HANDLER(delete_groups, DeleteGroups)
MOLDAU_HANDLER(incremental_alter_configs, IncrementalAlterConfigs)
MOLDAU_HANDLER(offset_delete, OffsetDelete)
MOLDAU_HANDLER(describe_cluster, DescribeCluster)
MOLDAU_HANDLER(list_config_resources, ListConfigResources)
MOLDAU_HANDLER(describe_topic_partitions, DescribeTopicPartitions)
MOLDAU_HANDLER(elect_leaders, ElectLeaders)
MOLDAU_HANDLER(alter_partition_reassignments, AlterPartitionReassignments)
MOLDAU_HANDLER(list_partition_reassignments, ListPartitionReassignments)
MOLDAU_HANDLER(describe_quorum, DescribeQuorum)
MOLDAU_HANDLER(update_features, UpdateFeatures)
MOLDAU_HANDLER(unregister_broker, UnregisterBroker)
MOLDAU_HANDLER(add_raft_voter, AddRaftVoter)
MOLDAU_HANDLER(remove_raft_voter, RemoveRaftVoter)
#undef MOLDAU_HANDLER

}  // namespace broker::handlers
