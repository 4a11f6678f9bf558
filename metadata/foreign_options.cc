#include "metadata/broker_options.h"

namespace metadata {

namespace {

struct ForeignRow {
    std::string_view key;  // with a last '*': all that begin so
    Foreign::Answer answer;
    std::string_view why;
};

constexpr auto kIgnored = Foreign::Answer::ignored;
constexpr auto kRefused = Foreign::Answer::refused;
constexpr std::string_view kNoTls = "TLS and SASL are not served yet; a listener would be open";
constexpr std::string_view kNoAcls =
    "access control is not served yet; everybody would have access";
constexpr std::string_view kNoPlugins = "it names a Java class";
constexpr std::string_view kRaftOwn = "the metadata quorum has its own pace";
constexpr std::string_view kJvm = "only a JVM needs it";
constexpr std::string_view kZooKeeper = "there is no ZooKeeper";
constexpr std::string_view kOtherReplication = "replication is a stream here, not fetches";

// The first row that fits holds.
constexpr ForeignRow kForeign[] = {
    {"ssl.*", kRefused, kNoTls},
    {"sasl.*", kRefused, kNoTls},
    {"listener.name.*", kRefused, kNoTls},
    {"security.providers", kRefused, kNoTls},
    {"security.inter.broker.protocol", kRefused, kNoTls},
    {"connections.max.reauth.ms", kRefused, kNoTls},
    {"connection.failed.authentication.delay.ms", kIgnored, "there is no authentication yet"},
    {"delegation.token.*", kRefused, kNoTls},
    {"principal.builder.class", kRefused, kNoAcls},
    {"authorizer.class.name", kRefused, kNoAcls},
    {"super.users", kRefused, kNoAcls},
    {"allow.everyone.if.no.acl.found", kRefused, kNoAcls},
    {"early.start.listeners", kIgnored, "all listeners open at once"},
    {"alter.config.policy.class.name", kRefused, kNoPlugins},
    {"create.topic.policy.class.name", kRefused, kNoPlugins},
    {"client.quota.callback.class", kRefused, kNoPlugins},
    {"config.providers*", kRefused, kNoPlugins},
    {"remote.log.storage.system.enable", kRefused, "tiered storage is not served"},
    {"remote.*", kIgnored, "tiered storage is not served"},
    {"follower.fetch.last.tiered.offset.enable", kIgnored, "tiered storage is not served"},
    {"rlmm.config.*", kIgnored, "tiered storage is not served"},
    {"rsm.config.*", kIgnored, "tiered storage is not served"},
    {"log.local.*", kIgnored, "tiered storage is not served"},
    {"log.remote.*", kIgnored, "tiered storage is not served"},
    {"group.consumer.*", kIgnored, "only the classic group protocol is served yet"},
    {"group.share.*", kIgnored, "share groups are not served"},
    {"share.*", kIgnored, "share groups are not served"},
    {"group.streams.*", kIgnored, "streams groups are not served"},
    {"errors.deadletterqueue.*", kIgnored, "share groups are not served"},
    {"group.coordinator.*", kIgnored, "groups live on the shards"},
    {"offsets.load.buffer.size", kIgnored, "groups live on the shards"},
    {"offsets.topic.compression.codec", kIgnored, "offsets are kept uncompressed"},
    {"transaction.*", kIgnored, "transactions are not served yet"},
    {"add.partitions.to.txn.*", kIgnored, "transactions are not served yet"},
    {"controller.quorum.*", kIgnored, kRaftOwn},
    {"controller.*", kIgnored, kRaftOwn},
    {"metadata.*", kIgnored, kRaftOwn},
    {"internal.metadata.*", kIgnored, kRaftOwn},
    {"initial.broker.registration.timeout.ms", kIgnored, kRaftOwn},
    {"controlled.shutdown.*", kIgnored, "every stop is a controlled one"},
    {"unclean.leader.election.interval.ms", kIgnored, "elections happen at once"},
    {"replica.*", kIgnored, kOtherReplication},
    {"num.replica.*", kIgnored, kOtherReplication},
    {"replication.quota.*", kIgnored, "replication is not throttled yet"},
    {"quota.*", kIgnored, "quotas are not served yet"},
    {"alter.log.dirs.*", kIgnored, "replicas do not move between directories yet"},
    {"cordoned.log.dirs", kRefused, "replicas do not move between directories yet"},
    {"log.dir.failure.timeout.ms", kIgnored, "a failed directory is fenced at once"},
    {"log.flush.offset.checkpoint.interval.ms", kIgnored, "checkpoints are written as they change"},
    {"log.flush.start.offset.checkpoint.interval.ms", kIgnored,
     "checkpoints are written as they change"},
    {"log.initial.task.delay.ms", kIgnored, "old segments are looked for from the start"},
    {"log.cleaner.*", kIgnored, "the cleaner has its own pace"},
    {"log.message.format.version", kIgnored, "there is one format"},
    {"inter.broker.protocol.version", kIgnored, "versions are negotiated"},
    {"max.connection.creation.rate", kIgnored, "max.connections limits connections"},
    {"max.decompressed.message.bytes", kIgnored, "decompression has a fixed bound"},
    {"producer.id.expiration.check.interval.ms", kIgnored, "producers expire as they age"},
    {"*.purgatory.purge.interval.requests", kIgnored, "requests that wait leave when they end"},
    {"kafka.metrics.*", kIgnored, kJvm},
    {"metric.reporters", kIgnored, kJvm},
    {"metrics.*", kIgnored, kJvm},
    {"auto.include.jmx.reporter", kIgnored, kJvm},
    {"telemetry.max.bytes", kIgnored, "client telemetry is not served"},
    {"socket.connection.setup.timeout.*", kIgnored, "request.timeout.ms limits it"},
    {"server.max.startup.time.ms", kIgnored, "a start that makes progress may take its time"},
    {"unstable.*", kIgnored, "there is nothing unstable to enable"},
    {"reserved.broker.max.id", kIgnored, "ids are never drawn"},
    {"broker.id.generation.enable", kIgnored, "ids are never drawn"},
    {"zookeeper.*", kIgnored, kZooKeeper},
    {"control.plane.listener.name", kIgnored, kZooKeeper},
    {"password.encoder.*", kIgnored, kZooKeeper},
};

bool fits(std::string_view pattern, std::string_view name) {
    if (pattern.starts_with('*')) return name.ends_with(pattern.substr(1));
    if (pattern.ends_with('*')) return name.starts_with(pattern.substr(0, pattern.size() - 1));
    return name == pattern;
}

}  // namespace

Foreign foreign_key(std::string_view name) {
    for (const auto& row : kForeign)
        if (fits(row.key, name)) return {row.answer, std::string(row.why)};
    return {};
}

}  // namespace metadata
