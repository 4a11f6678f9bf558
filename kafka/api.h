#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

#include "base/check.h"

namespace kafka {

using Version = int16_t;

/// A closed range of versions.
struct Versions {
    Version from = 0;
    Version to = std::numeric_limits<Version>::max();

    constexpr bool has(Version v) const { return from <= v && v <= to; }
    bool operator==(const Versions&) const = default;
};
inline constexpr Versions no_version{1, 0};

/// Numbers of the protocol. https://kafka.apache.org/protocol#protocol_api_keys
enum class ApiKey : int16_t {
    produce = 0,
    fetch = 1,
    list_offsets = 2,
    metadata = 3,
    offset_commit = 8,
    offset_fetch = 9,
    find_coordinator = 10,
    join_group = 11,
    heartbeat = 12,
    leave_group = 13,
    sync_group = 14,
    describe_groups = 15,
    list_groups = 16,
    api_versions = 18,
    create_topics = 19,
    delete_topics = 20,
    delete_records = 21,
    init_producer_id = 22,
    offset_for_leader_epoch = 23,
    describe_configs = 32,
    alter_configs = 33,
    describe_log_dirs = 35,
    create_partitions = 37,
    delete_groups = 42,
    elect_leaders = 43,
    incremental_alter_configs = 44,
    alter_partition_reassignments = 45,
    list_partition_reassignments = 46,
    offset_delete = 47,
    describe_quorum = 55,
    alter_partition = 56,
    update_features = 57,
    describe_cluster = 60,
    broker_registration = 62,
    broker_heartbeat = 63,
    unregister_broker = 64,
    allocate_producer_ids = 67,
    list_config_resources = 74,
    describe_topic_partitions = 75,
    add_raft_voter = 80,
    remove_raft_voter = 81,
};

/// From its first flexible version on (KIP-482) a message has varint lengths and tagged fields, and
/// its request header version 2 and response header version 1.
inline constexpr Version never_flexible = std::numeric_limits<Version>::max();

struct Api {
    ApiKey key;
    std::string_view name;  // Kafka's: "OffsetForLeaderEpoch"
    Versions versions;      // served in full
    Version flexible;       // the first flexible version

    /// What ApiVersions tells. librdkafka turns compression off unless Produce begins at 0, though
    /// no client sends a version before 3 any more (KIP-896, KAFKA-18659).
    constexpr Versions advertised() const {
        return key == ApiKey::produce ? Versions{0, versions.to} : versions;
    }
};

/// Every API that is served: ApiVersions, the dispatcher and the documentation read this list.
inline constexpr auto apis = std::to_array<Api>({
    {ApiKey::produce, "Produce", {3, 13}, 9},
    {ApiKey::fetch, "Fetch", {4, 18}, 12},
    {ApiKey::list_offsets, "ListOffsets", {1, 11}, 6},
    {ApiKey::metadata, "Metadata", {0, 13}, 9},
    {ApiKey::offset_commit, "OffsetCommit", {2, 10}, 8},
    {ApiKey::offset_fetch, "OffsetFetch", {1, 10}, 6},
    {ApiKey::find_coordinator, "FindCoordinator", {0, 6}, 3},
    {ApiKey::join_group, "JoinGroup", {0, 9}, 6},
    {ApiKey::heartbeat, "Heartbeat", {0, 4}, 4},
    {ApiKey::leave_group, "LeaveGroup", {0, 5}, 4},
    {ApiKey::sync_group, "SyncGroup", {0, 5}, 4},
    {ApiKey::describe_groups, "DescribeGroups", {0, 6}, 5},
    {ApiKey::list_groups, "ListGroups", {0, 5}, 3},
    {ApiKey::api_versions, "ApiVersions", {0, 4}, 3},
    {ApiKey::create_topics, "CreateTopics", {2, 7}, 5},
    {ApiKey::delete_topics, "DeleteTopics", {1, 6}, 4},
    {ApiKey::delete_records, "DeleteRecords", {0, 2}, 2},
    {ApiKey::init_producer_id, "InitProducerId", {0, 5}, 2},
    {ApiKey::offset_for_leader_epoch, "OffsetForLeaderEpoch", {2, 4}, 4},
    {ApiKey::describe_configs, "DescribeConfigs", {1, 4}, 4},
    {ApiKey::alter_configs, "AlterConfigs", {0, 2}, 2},
    {ApiKey::describe_log_dirs, "DescribeLogDirs", {1, 4}, 2},
    {ApiKey::create_partitions, "CreatePartitions", {0, 3}, 2},
    {ApiKey::delete_groups, "DeleteGroups", {0, 2}, 2},
    {ApiKey::elect_leaders, "ElectLeaders", {0, 2}, 2},
    {ApiKey::incremental_alter_configs, "IncrementalAlterConfigs", {0, 1}, 1},
    {ApiKey::alter_partition_reassignments, "AlterPartitionReassignments", {0, 1}, 0},
    {ApiKey::list_partition_reassignments, "ListPartitionReassignments", {0, 0}, 0},
    {ApiKey::offset_delete, "OffsetDelete", {0, 0}, never_flexible},
    {ApiKey::describe_quorum, "DescribeQuorum", {0, 2}, 0},
    {ApiKey::update_features, "UpdateFeatures", {0, 2}, 0},
    {ApiKey::describe_cluster, "DescribeCluster", {0, 2}, 0},
    {ApiKey::unregister_broker, "UnregisterBroker", {0, 0}, 0},
    {ApiKey::list_config_resources, "ListConfigResources", {0, 1}, 0},
    {ApiKey::describe_topic_partitions, "DescribeTopicPartitions", {0, 0}, 0},
    {ApiKey::add_raft_voter, "AddRaftVoter", {0, 1}, 0},
    {ApiKey::remove_raft_voter, "RemoveRaftVoter", {0, 0}, 0},
});

/// What can be read and written, but is not served: ApiVersions doesn't tell of it, and a request
/// is refused as if its key were unknown. Its versions are all that Kafka knows.
inline constexpr auto unserved_apis = std::to_array<Api>({
    {ApiKey::alter_partition, "AlterPartition", {2, 3}, 0},
    {ApiKey::broker_registration, "BrokerRegistration", {0, 4}, 0},
    {ApiKey::broker_heartbeat, "BrokerHeartbeat", {0, 2}, 0},
    {ApiKey::allocate_producer_ids, "AllocateProducerIds", {0, 0}, 0},
});

/// Where a key's row is; the number of rows if there is none. An index, because GCC 12 takes the
/// comparison of a pointer with null for no constant under -fsanitize=undefined.
template <size_t N>
constexpr size_t row_of(const std::array<Api, N>& rows, int16_t key) {
    size_t row = 0;
    while (row < N && static_cast<int16_t>(rows[row].key) != key) ++row;
    return row;
}

/// The row of a key as it came from the wire, or nothing if it is not served.
constexpr const Api* find_api(int16_t key) {
    const size_t row = row_of(apis, key);
    return row < apis.size() ? &apis[row] : nullptr;
}
/// The same, of an API that may be unserved too.
constexpr const Api* find_known_api(int16_t key) {
    const size_t row = row_of(unserved_apis, key);
    return row < unserved_apis.size() ? &unserved_apis[row] : find_api(key);
}
/// The row of an API that is known, served or not.
constexpr const Api& api_of(ApiKey key) {
    const auto code = static_cast<int16_t>(key);
    if (const size_t row = row_of(apis, code); row < apis.size()) return apis[row];
    const size_t row = row_of(unserved_apis, code);
    CHECK(row < unserved_apis.size());
    return unserved_apis[row];
}

}  // namespace kafka
