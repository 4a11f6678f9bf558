#include "broker/settings.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/options.h"
#include "metadata/config.h"

namespace broker {

namespace {

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
    return name.data();
}

groups::Config group_config(const metadata::ConfigView& view) {
    const auto int32 = [&](const char* option) {
        return static_cast<int32_t>(view.broker_int(option));
    };
    groups::Config out;
    out.min_session_timeout_ms = int32("group.min.session.timeout.ms");
    out.max_session_timeout_ms = int32("group.max.session.timeout.ms");
    out.initial_rebalance_delay_ms = int32("group.initial.rebalance.delay.ms");
    out.max_size = int32("group.max.size");
    out.retention_ms = view.broker_int("offsets.retention.minutes") * 60'000;
    out.retention_check_ms = view.broker_int("offsets.retention.check.interval.ms");
    out.metadata_max_bytes = int32("offset.metadata.max.bytes");
    out.commit_timeout_ms = int32("offsets.commit.timeout.ms");
    return out;
}

std::string address_of(const std::string& host, uint16_t port) {
    const bool ipv6 = host.find(':') != std::string::npos;
    return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

ClusterSettings cluster_settings(const metadata::ServerProperties& properties,
                                 const metadata::ConfigView& view) {
    ClusterSettings out;
    const auto roles = view.broker_list("process.roles");
    out.broker = std::ranges::find(roles, "broker") != roles.end();
    out.controller = std::ranges::find(roles, "controller") != roles.end();
    if (const auto& own = properties.controller_listener) {
        out.listen = address_of(own->host.empty() ? "::" : own->host, own->port);
        out.address = address_of(own->advertised_host.empty() ? host_name() : own->advertised_host,
                                 own->advertised_port);
    }
    for (const auto& voter : properties.voters) {
        out.voters.push_back({base::BrokerId{voter.id}, address_of(voter.host, voter.port)});
        if (voter.id == view.broker_int("node.id")) out.address = out.voters.back().address;
    }
    out.heartbeat = std::chrono::milliseconds(view.broker_int("broker.heartbeat.interval.ms"));
    out.session = std::chrono::milliseconds(view.broker_int("broker.session.timeout.ms"));
    out.stall = std::chrono::milliseconds(view.broker_int("broker.disk.stall.timeout.ms"));
    out.fault_file = view.broker_string("local.faults.file");
    return out;
}

}  // namespace

base::Status check_settings(const Settings& settings) {
    if (settings.log_dirs.empty()) return base::invalid("log.dirs names no directory");
    return base::ok();
}

Settings settings_from(const metadata::ServerProperties& properties) {
    Settings out;
    out.static_configs = properties.configs();
    const auto empty = metadata::Image::empty();
    const metadata::ConfigView view(*empty, base::BrokerId{-1}, out.static_configs);
    const auto count = [&](const char* option) {
        return static_cast<size_t>(view.broker_int(option));
    };
    out.id = base::BrokerId{static_cast<int32_t>(view.broker_int("node.id"))};
    if (view.broker_set("cluster.id")) out.cluster_id = view.broker_string("cluster.id");
    if (view.broker_set("broker.rack")) out.rack = view.broker_string("broker.rack");
    out.selects_replicas_by_rack =
        view.broker_string("replica.selector.class").ends_with("RackAwareReplicaSelector");
    out.cluster = cluster_settings(properties, view);
    for (const auto& l : properties.listeners)
        out.listeners.push_back(
            {.name = l.name,
             .host = l.host,
             .port = l.port,
             .advertised_host = l.advertised_host.empty() ? host_name() : l.advertised_host,
             .advertised_port = l.advertised_port});
    out.log_dirs = view.broker_list("log.dirs");
    if (view.broker_set("metadata.log.dir"))
        out.metadata_dir = view.broker_string("metadata.log.dir");
    else if (!out.log_dirs.empty()) out.metadata_dir = out.log_dirs.front();
    out.storage_reserve_bytes = count("storage.reserve.bytes");
    out.scrub.bytes_per_s = view.broker_int("log.scrub.bytes.per.second");
    out.scrub.interval = std::chrono::milliseconds(view.broker_int("log.scrub.interval.ms"));
    out.shards = count("num.network.threads");
    out.blocking_threads = count("num.io.threads");
    out.max_request_bytes = static_cast<uint32_t>(view.broker_int("socket.request.max.bytes"));
    out.request_memory_bytes = count("queued.max.request.bytes");
    out.max_connections = count("max.connections");
    out.max_connections_per_ip = count("max.connections.per.ip");
    out.idle_limit = std::chrono::milliseconds(view.broker_int("connections.max.idle.ms"));
    out.frame_limit = std::chrono::milliseconds(view.broker_int("request.frame.timeout.ms"));
    out.fetch_sessions = count("max.incremental.fetch.session.cache.slots");
    out.fetch_max_bytes = static_cast<uint32_t>(view.broker_int("fetch.max.bytes"));
    out.auto_create_topics = view.broker_bool("auto.create.topics.enable");
    out.offsets_partitions = static_cast<int32_t>(view.broker_int("offsets.topic.num.partitions"));
    out.groups = group_config(view);
    return out;
}

}  // namespace broker
