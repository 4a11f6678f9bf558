#pragma once
#include "kafka/messages/add_raft_voter.h"
#include "kafka/messages/allocate_producer_ids.h"
#include "kafka/messages/alter_configs.h"
#include "kafka/messages/alter_partition.h"
#include "kafka/messages/alter_partition_reassignments.h"
#include "kafka/messages/broker_heartbeat.h"
#include "kafka/messages/broker_registration.h"
#include "kafka/messages/create_partitions.h"
#include "kafka/messages/create_topics.h"
#include "kafka/messages/delete_topics.h"
#include "kafka/messages/describe_quorum.h"
#include "kafka/messages/elect_leaders.h"
#include "kafka/messages/incremental_alter_configs.h"
#include "kafka/messages/list_partition_reassignments.h"
#include "kafka/messages/remove_raft_voter.h"
#include "kafka/messages/unregister_broker.h"
#include "kafka/messages/update_features.h"

/// The kinds of request that the active controller answers, whoever they came to.
#define MOLDAU_CONTROLLER_REQUESTS(X) \
    X(AddRaftVoter)                   \
    X(AllocateProducerIds)            \
    X(AlterConfigs)                   \
    X(AlterPartition)                 \
    X(AlterPartitionReassignments)    \
    X(BrokerHeartbeat)                \
    X(BrokerRegistration)             \
    X(CreatePartitions)               \
    X(CreateTopics)                   \
    X(DeleteTopics)                   \
    X(DescribeQuorum)                 \
    X(ElectLeaders)                   \
    X(IncrementalAlterConfigs)        \
    X(ListPartitionReassignments)     \
    X(RemoveRaftVoter)                \
    X(UnregisterBroker)               \
    X(UpdateFeatures)

namespace controller {

template <class Request>
struct ResponseTo;
#define MOLDAU_RESPONSE(Name)                 \
    template <>                               \
    struct ResponseTo<kafka::Name##Request> { \
        using type = kafka::Name##Response;   \
    };
MOLDAU_CONTROLLER_REQUESTS(MOLDAU_RESPONSE)
#undef MOLDAU_RESPONSE

}  // namespace controller
