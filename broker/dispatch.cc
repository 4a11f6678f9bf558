#include "broker/dispatch.h"

#include "broker/handlers/handlers.h"
#include "kafka/messages/add_raft_voter.h"
#include "kafka/messages/alter_configs.h"
#include "kafka/messages/alter_partition_reassignments.h"
#include "kafka/messages/api_versions.h"
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
#include "kafka/negotiation.h"

namespace broker {

namespace {

using Run = void (*)(const kafka::Request&, CallPtr, std::shared_ptr<Answers>);

/// librdkafka 2.16 ends its Metadata requests of version 13 with three bytes too many, which Kafka
/// does not look at. In any other request bytes left over mean that the two sides disagree.
template <class Request>
inline constexpr bool may_have_more = std::is_same_v<Request, kafka::MetadataRequest>;

template <class Request>
base::Result<Request> read_body(base::View body, kafka::Version version) {
    if constexpr (may_have_more<Request>)
        return kafka::decode_front<Request>(body, version, kafka::Budget::of_frame(body.size()));
    else return kafka::decode<Request>(body, version);
}

template <class Request, class Response, void (*Handler)(CallPtr, Request, Reply<Response>)>
void run(const kafka::Request& in, CallPtr call, std::shared_ptr<Answers> answers) {
    auto request = read_body<Request>(in.body, in.header.api_version);
    if (!request.ok()) {
        return answers->close(std::string(in.api->name) + " version " +
                              std::to_string(in.header.api_version) + ": " +
                              base::message(request.status()));
    }
    // Only record batches stay where they were received.
    if constexpr (!std::is_same_v<Request, kafka::ProduceRequest>) call->frame = {};
    Handler(std::move(call), *std::move(request),
            Reply<Response>(std::move(answers), in.header.correlation_id, in.header.api_version));
}

struct Row {
    kafka::ApiKey key;
    Effect effect;
    Run run;
};

#define ROW(key, effect, name)                                               \
    {                                                                        \
        kafka::ApiKey::key, Effect::effect,                                  \
            run<kafka::name##Request, kafka::name##Response, &handlers::key> \
    }
constexpr Row rows[] = {
    ROW(produce, appends, Produce),
    ROW(fetch, reads, Fetch),
    ROW(list_offsets, reads, ListOffsets),
    ROW(metadata, reads, Metadata),
    ROW(offset_commit, changes, OffsetCommit),
    ROW(offset_fetch, reads, OffsetFetch),
    ROW(find_coordinator, reads, FindCoordinator),
    ROW(join_group, changes, JoinGroup),
    ROW(heartbeat, reads, Heartbeat),
    ROW(leave_group, changes, LeaveGroup),
    ROW(sync_group, changes, SyncGroup),
    ROW(describe_groups, reads, DescribeGroups),
    ROW(list_groups, reads, ListGroups),
    ROW(api_versions, reads, ApiVersions),
    ROW(create_topics, changes, CreateTopics),
    ROW(delete_topics, changes, DeleteTopics),
    ROW(delete_records, changes, DeleteRecords),
    ROW(init_producer_id, changes, InitProducerId),
    ROW(offset_for_leader_epoch, reads, OffsetForLeaderEpoch),
    ROW(describe_configs, reads, DescribeConfigs),
    ROW(alter_configs, changes, AlterConfigs),
    ROW(describe_log_dirs, reads, DescribeLogDirs),
    ROW(create_partitions, changes, CreatePartitions),
    ROW(delete_groups, changes, DeleteGroups),
    ROW(incremental_alter_configs, changes, IncrementalAlterConfigs),
    ROW(offset_delete, changes, OffsetDelete),
    ROW(describe_cluster, reads, DescribeCluster),
    ROW(list_config_resources, reads, ListConfigResources),
    ROW(describe_topic_partitions, reads, DescribeTopicPartitions),
    ROW(elect_leaders, changes, ElectLeaders),
    ROW(alter_partition_reassignments, changes, AlterPartitionReassignments),
    ROW(list_partition_reassignments, reads, ListPartitionReassignments),
    ROW(describe_quorum, reads, DescribeQuorum),
    ROW(update_features, changes, UpdateFeatures),
    ROW(unregister_broker, changes, UnregisterBroker),
    ROW(add_raft_voter, changes, AddRaftVoter),
    ROW(remove_raft_voter, changes, RemoveRaftVoter),
};
#undef ROW

constexpr bool has_row(kafka::ApiKey key) {
    for (const Row& row : rows)
        if (row.key == key) return true;
    return false;
}

/// Every API that is advertised has a handler.
static_assert([] {
    for (const auto& api : kafka::apis)
        if (!has_row(api.key)) return false;
    return std::size(rows) == kafka::apis.size();
}());

const Row& row_of(kafka::ApiKey key) {
    for (const Row& row : rows)
        if (row.key == key) return row;
    base::CheckFailure(__FILE__, __LINE__, "the key has a row");
}

}  // namespace

void dispatch(const kafka::Request& request, CallPtr call, std::shared_ptr<Answers> answers) {
    if (!request.version_served) {
        return answers->answer(kafka::encode_response(request.header.correlation_id,
                                                      kafka::unsupported_api_versions(), 0),
                               {});
    }
    row_of(request.api->key).run(request, std::move(call), std::move(answers));
}

Effect effect_of(kafka::ApiKey key) { return row_of(key).effect; }

}  // namespace broker
