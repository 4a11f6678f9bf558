#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "groups/config.h"
#include "metadata/image.h"
#include "metadata/server_properties.h"
#include "replication/scrub_options.h"

namespace broker {

/// One address to listen on, and the one that clients are told.
struct ListenerSettings {
    std::string name = "PLAINTEXT";
    std::string host;  // to bind; empty: all interfaces
    uint16_t port = 9092;
    std::string advertised_host = "localhost";
    uint16_t advertised_port = 9092;
};

/// One controller of the cluster.
struct VoterSettings {
    base::BrokerId id;
    std::string address;  // HOST:PORT, an IPv6 host in brackets
};

/// How this node takes part in the cluster.
struct ClusterSettings {
    bool broker = true;                 // process.roles; one of the two at least
    bool controller = true;             // process.roles
    std::vector<VoterSettings> voters;  // controller.quorum.voters; empty: a cluster of this alone
    /// HOST:PORT of the controller listener to bind; [::] for all interfaces. Empty: there is none,
    /// in a cluster of one that nobody joins.
    std::string listen;
    /// HOST:PORT where others reach it: its entry in the voters, or else the advertised controller
    /// listener. Empty where `listen` is and there are no voters.
    std::string address;
    std::chrono::milliseconds heartbeat{500};  // broker.heartbeat.interval.ms
    std::chrono::milliseconds session{3000};   // broker.session.timeout.ms
    std::chrono::milliseconds stall{3000};     // broker.disk.stall.timeout.ms
    std::string fault_file;                    // local.faults.file
};

/// The static configuration of one broker, as plain values. Made from server.properties by
/// settings_from(); each field names its option.
struct Settings {
    base::BrokerId id{0};                   // node.id
    std::string cluster_id;                 // empty: drawn at the first start
    std::optional<std::string> rack;        // broker.rack
    bool selects_replicas_by_rack = false;  // replica.selector.class
    ClusterSettings cluster;
    std::vector<ListenerSettings> listeners;   // for clients; none where it is no broker
    std::vector<std::string> log_dirs;         // log.dirs
    std::string metadata_dir;                  // metadata.log.dir; the first log dir by default
    uint64_t storage_reserve_bytes = 0;        // storage.reserve.bytes
    replication::ScrubOptions scrub;           // log.scrub.bytes.per.second, log.scrub.interval.ms
    size_t shards = 0;                         // num.network.threads; 0: one for each core
    size_t blocking_threads = 4;               // num.io.threads
    uint32_t max_request_bytes = 100u << 20;   // socket.request.max.bytes
    size_t request_memory_bytes = 512u << 20;  // queued.max.request.bytes
    size_t max_connections = 10'000;           // max.connections
    size_t max_connections_per_ip = 10'000;    // max.connections.per.ip
    std::chrono::milliseconds idle_limit{600'000};  // connections.max.idle.ms
    std::chrono::milliseconds frame_limit{30'000};  // request.frame.timeout.ms
    size_t fetch_sessions = 1000;  // max.incremental.fetch.session.cache.slots, for each shard
    uint32_t fetch_max_bytes = 55u << 20;  // fetch.max.bytes
    bool auto_create_topics = true;        // auto.create.topics.enable
    int32_t offsets_partitions = 50;       // offsets.topic.num.partitions
    groups::Config groups;
    metadata::Configs static_configs;  // all that was set in file, environment and command line
};

/// kInvalidArgument if this version can't run a node as it is told to.
base::Status check_settings(const Settings&);

/// The settings of a checked configuration.
Settings settings_from(const metadata::ServerProperties&);

}  // namespace broker
