#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/uuid.h"
#include "metadata/persistent_map.h"

namespace metadata {

constexpr base::BrokerId kNoBroker{-1};

/// Where in the metadata log a state stands: after the entry with this index, written in this term.
/// Indexes count from 1; 0 is the state before the first entry.
struct LogPosition {
    int64_t index = 0;
    int64_t term = 0;

    auto operator<=>(const LogPosition&) const = default;
};

struct Endpoint {
    std::string listener;  // "PLAINTEXT"
    std::string host;
    uint16_t port = 0;
    std::string security_protocol = "PLAINTEXT";

    bool operator==(const Endpoint&) const = default;
};

/// The levels of a feature that a broker can work with.
struct FeatureRange {
    int16_t least = 0;
    int16_t most = 0;

    bool operator==(const FeatureRange&) const = default;
};

struct Broker {
    base::BrokerId id = kNoBroker;
    base::Uuid incarnation;  // drawn anew at each start of the process
    int64_t epoch = -1;      // index of the log entry that registered it
    std::vector<Endpoint> endpoints;
    std::optional<std::string> rack;
    bool fenced = true;  // registered, but neither in an ISR nor a leader, and not shown to clients
    bool in_controlled_shutdown = false;
    std::map<std::string, FeatureRange> features = {};
    /// The ids of its log directories, which another disk in their place has not; empty: unknown.
    std::vector<base::Uuid> log_dirs = {};
    /// It came with none of the log directories that it had, and has not stopped in an orderly way
    /// since: of what was there before it may have nothing.
    bool new_disk = false;

    const Endpoint* endpoint(std::string_view listener) const;
    bool operator==(const Broker&) const = default;
};

/// A partition as the controller has committed it. ISR and ELR (KIP-966) are subsets of replicas
/// and have nothing in common.
struct Partition {
    base::PartitionIndex index = 0;
    std::vector<base::BrokerId> replicas;  // the first one is the preferred leader
    std::vector<base::BrokerId> isr;
    std::vector<base::BrokerId>
        elr;  // eligible leaders outside the ISR: they hold all that is committed
    std::vector<base::BrokerId> last_known_elr;
    std::vector<base::BrokerId> adding_replicas;
    std::vector<base::BrokerId> removing_replicas;
    base::BrokerId leader = kNoBroker;
    base::LeaderEpoch leader_epoch = 0;  // rises with each change of leader
    int32_t partition_epoch = 0;         // rises with each change of this row
    /// An unclean election made the leader: acknowledged records may be lost, and it has not yet
    /// said that its log is in order (KIP-704).
    bool recovering = false;

    bool operator==(const Partition&) const = default;
};

/// Config name → value, as set dynamically; what is not here has its static or default value.
using Configs = std::map<std::string, std::string, std::less<>>;

struct Topic {
    base::TopicId id;
    std::string name;
    std::vector<std::shared_ptr<const Partition>> partitions;  // by index, without gaps
    std::shared_ptr<const Configs> configs;                    // never null

    const Partition* partition(base::PartitionIndex index) const {
        return index >= 0 && static_cast<size_t>(index) < partitions.size()
                   ? partitions[static_cast<size_t>(index)].get()
                   : nullptr;
    }
};

/// The whole state of the cluster after some entry of the metadata log. Immutable and shared by
/// pointer: a reader keeps the one it took for as long as it likes. The next one comes from
/// `Delta{image}` and shares all that did not change. Readable from any thread.
class Image {
  public:
    /// Before the first record: no cluster id, no brokers, no topics.
    static std::shared_ptr<const Image> empty();

    const LogPosition& position() const { return position_; }
    const std::string& cluster_id() const { return cluster_id_; }

    /// All by id, fenced ones too.
    const PersistentMap<base::BrokerId, std::shared_ptr<const Broker>>& brokers() const {
        return brokers_;
    }
    /// Null if it is not registered.
    const Broker* broker(base::BrokerId) const;
    /// Registered, not fenced, not shutting down.
    bool active(base::BrokerId) const;

    const PersistentMap<std::string, std::shared_ptr<const Topic>>& topics() const {
        return topics_by_name_;
    }
    const PersistentMap<base::TopicId, std::shared_ptr<const Topic>>& topics_by_id() const {
        return topics_by_id_;
    }
    /// Null if there is none.
    std::shared_ptr<const Topic> topic(std::string_view name) const;
    std::shared_ptr<const Topic> topic(const base::TopicId&) const;
    const Partition* partition(const base::TopicPartition&) const;

    /// Dynamic configs of a topic or a broker; empty where nothing is set.
    const Configs& topic_configs(std::string_view topic) const;
    const Configs& broker_configs(base::BrokerId) const;
    /// Those that hold for every broker that does not say otherwise.
    const Configs& cluster_configs() const;
    /// By broker id; -1 holds the cluster-wide ones.
    const PersistentMap<base::BrokerId, std::shared_ptr<const Configs>>& all_broker_configs()
        const {
        return broker_configs_;
    }

    /// Producer ids below this one were handed out.
    int64_t next_producer_id() const { return next_producer_id_; }
    /// Feature name → finalized level; "metadata.version" is one of them.
    const std::map<std::string, int16_t>& features() const { return features_; }

    size_t partition_count() const { return partition_count_; }

  private:
    friend class Delta;

    LogPosition position_;
    std::string cluster_id_;
    PersistentMap<base::BrokerId, std::shared_ptr<const Broker>> brokers_;
    PersistentMap<std::string, std::shared_ptr<const Topic>> topics_by_name_;
    PersistentMap<base::TopicId, std::shared_ptr<const Topic>> topics_by_id_;
    PersistentMap<base::BrokerId, std::shared_ptr<const Configs>> broker_configs_;
    int64_t next_producer_id_ = 0;
    std::map<std::string, int16_t> features_;
    size_t partition_count_ = 0;
};

using ImagePtr = std::shared_ptr<const Image>;

}  // namespace metadata
