#pragma once
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/function.h"
#include "base/ids.h"
#include "broker/settings.h"
#include "io/shard.h"
#include "metadata/delta.h"
#include "metadata/image.h"

namespace replication {
class Partitions;
}
namespace groups {
class Coordinators;
}

namespace broker {

struct Local;

/// Brings what the controller has committed into effect on this broker, one image at a time: opens
/// the logs of new partitions, tells configs to those that are there, shows the image to every
/// shard, and only then deletes what is gone, or went to other brokers. So a topic that a client is
/// told of can be used. Lives on one shard.
class MetadataFollower {
  public:
    MetadataFollower(const Settings&, io::Shards&, io::Shard& home, replication::Partitions&,
                     groups::Coordinators&, std::vector<std::unique_ptr<Local>>& locals);

    /// What the controller tells its subscribers; on the home shard.
    void take(metadata::ImagePtr, std::shared_ptr<const metadata::Delta>);

    /// This process was registered, with that epoch: from the image that knows it on, its replicas
    /// have a part in what goes on, and those that went to other brokers are deleted. Before the
    /// first image, and each time that it is registered anew. On the home shard.
    void registered(int64_t broker_epoch);

    /// Deletes what is left here of partitions that went to other brokers while this one was away,
    /// by the image that is in effect now: that must be no older than this broker's registration.
    void remove_strays(base::Function<void()> done);

    /// Takes nothing more; `done` runs on the home shard once all that was taken is in effect.
    void stop(base::Function<void()> done);

    /// Runs `done` on `on` once the metadata log is in effect up to that entry, or `patience` is
    /// over: what leads there may come late, or never. From any shard.
    void when_at(int64_t index, io::Shard& on, base::Function<void()> done,
                 std::optional<std::chrono::milliseconds> patience = std::nullopt);
    /// Runs on the home shard with the index of the last entry whenever more is in effect.
    void on_progress(base::Function<void(int64_t index)> told) { told_ = std::move(told); }

    /// Runs on the home shard with the image before and each that has come into effect.
    void on_change(base::Function<void(const metadata::Image&, const metadata::Image&)> told) {
        told_change_ = std::move(told);
    }

  private:
    struct Change {
        metadata::ImagePtr image;
        std::shared_ptr<const metadata::Delta> delta;
    };

    struct Waiting {
        io::Shard& on;
        base::Function<void()> done;
        std::unique_ptr<io::Timer> timer;
    };

    void next();
    void discard_strays();
    bool here(const metadata::Partition&) const;
    /// Whether the image is of the time since this process was registered.
    bool knows_this_process(const metadata::Image&) const;
    void reassign(const metadata::Image&, const std::vector<base::TopicPartition>&);
    void reassign_all();
    /// Whether a partition that comes back is still being deleted.
    bool must_wait(const Change&) const;
    void open_partitions();
    void show();
    void settle();
    void reconfigure(const metadata::Image&, const metadata::Topic&);
    void serve_groups(const metadata::Topic&, const std::set<base::PartitionIndex>& changed);
    void remove_moved(const metadata::Image&);
    void remove(const metadata::Topic&, base::PartitionIndex);
    void removed(const base::TopicPartition&);

    const Settings& settings_;
    io::Shards& shards_;
    io::Shard& home_;
    replication::Partitions& partitions_;
    groups::Coordinators& groups_;
    std::vector<std::unique_ptr<Local>>& locals_;
    absl::flat_hash_set<base::TopicPartition> here_;  // opened, or being opened
    /// By an image these went to other brokers. They are deleted once one says so that knows this
    /// process: an older one may tell of the past of a replica that has come back since.
    absl::flat_hash_set<base::TopicPartition> moved_;
    absl::flat_hash_set<base::TopicPartition> leaving_;  // being deleted
    bool held_up_ = false;                               // by what is being deleted
    std::deque<Change> changes_;               // the first one is being brought into effect
    metadata::ImagePtr image_;                 // in effect; null: none yet
    int64_t index_ = -1;                       // in effect up to here
    std::multimap<int64_t, Waiting> waiting_;  // by index
    int64_t broker_epoch_ = -1;
    bool registered_anew_ = false;
    base::Function<void()> strays_removed_;
    base::Function<void(int64_t)> told_;
    base::Function<void(const metadata::Image&, const metadata::Image&)> told_change_;
    bool busy_ = false;
    bool stopping_ = false;
    base::Function<void()> stopped_;
};

}  // namespace broker
