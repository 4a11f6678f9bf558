#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/function.h"
#include "base/ids.h"
#include "io/disk.h"
#include "io/shard.h"
#include "kafka/errors.h"
#include "replication/donors.h"
#include "replication/partition.h"
#include "replication/scrub_options.h"

namespace replication {

class Scrub;

/// The partitions of this broker. Each has a home shard, given by its id, on which it lives; it is
/// found there and nowhere else. Its directory is named by the topic's id, so that no topic name
/// ever becomes a path and a topic made anew never meets old data.
class Partitions {
  public:
    struct Settings {
        storage::LogConfig log;
        Partition::Options options;
    };
    /// What DescribeLogDirs tells of one partition.
    struct Usage {
        base::TopicPartition id;
        size_t log_dir = 0;  // index into log_dirs()
        uint64_t bytes = 0;
        int64_t lag = 0;  // in offsets; see replica::Replica::lag
    };

    /// `reserve_bytes`: of each log directory's disk, see storage.reserve.bytes.
    Partitions(io::Shards&, io::Disk&, storage::Store&, base::BrokerId self,
               std::vector<std::string> log_dirs, uint64_t reserve_bytes = 0);
    ~Partitions();

    const std::vector<std::string>& log_dirs() const { return log_dirs_; }
    base::Result<uint64_t> free_bytes(size_t log_dir) const {
        return disk_.free_bytes(log_dirs_[log_dir]);
    }
    /// A sync failed in it: what lies there can be read, but nothing is appended any
    /// more, and its partitions are led and followed by other brokers where there are any.
    bool fenced(size_t log_dir) const { return shared_[log_dir]->fenced(); }
    /// See LogDir::oldest_sync.
    std::optional<base::InstantMs> oldest_sync(size_t log_dir) const {
        return shared_[log_dir]->oldest_sync();
    }
    base::BrokerId self() const { return self_; }
    io::Shard& home(const base::TopicPartition&) const;
    /// Of a broker with so many shards.
    static size_t shard_of(const base::TopicPartition&, size_t shards);

    /// How the partitions of a shard reach others: by shard, of one that outlives this. Before
    /// anything is opened; without it a broker is alone.
    struct Peers {
        Exchange* exchange = nullptr;
        Proposals* proposals = nullptr;
    };
    void connect(const std::vector<Peers>& by_shard);
    /// This process was registered with that epoch. Until an assignment knows it, none of its
    /// partitions has a role. From any thread.
    void registered(int64_t broker_epoch);

    /// See Partition::set_in_session; of all, also those opened later. From any thread.
    void set_in_session(bool);

    /// Opens or creates the partition's log on the blocking pool, and has it follow the metadata.
    /// `done` runs on the home shard. A log that can't be opened leaves the partition known
    /// but offline: everything asked of it is answered with 56, and nothing on disk is changed.
    void open(const base::TopicPartition&, const Settings&, const replica::Assignment&,
              base::Function<void(const base::Status&)> done);
    /// Closes the partition and deletes its data for good. `done` runs on the home shard.
    void remove(const base::TopicPartition&, base::Function<void(const base::Status&)> done);

    // On the home shard:

    /// 3 if it is not here, 56 if it is offline.
    kafka::Outcome<Partition*> find(const base::TopicPartition&);
    void assign(const base::TopicPartition&, const replica::Assignment&);
    void set_config(const base::TopicPartition&, const Settings&);
    /// What lives on this shard.
    std::vector<Usage> usage(const io::Shard&) const;

    /// Retention, rolls and checkpoints from now on, every `interval`; and far more often what
    /// replicas do by the clock.
    void maintain_every(std::chrono::milliseconds interval);
    /// Verifies what lies on disk from now on, and mends what is damaged: see Scrub. `donors`
    /// outlives the shards' work.
    void scrub(const ScrubOptions&, Donors& donors);
    /// Closes all logs cleanly; blocks. Not from a shard.
    base::Status close();

    /// Removes what an earlier process had begun to delete: what is renamed for it, nothing else.
    /// Blocks.
    base::Status finish_removals();

    /// Deletes the data of partitions that are `stray`, none of which may be open. What can't be
    /// deleted is told in the log and left. Blocks.
    void remove_strays(const std::function<bool(const base::TopicPartition&)>& stray);

    /// Directories of partitions under the log directories whose topic is not in `known`: their
    /// data is kept, untouched, until somebody deletes it. The metadata remembers no deleted
    /// topics, so a deletion that a crash cut short before the directory was renamed looks the same
    /// as metadata that was lost, and only the operator can tell.
    std::vector<std::string> unclaimed(
        const std::function<bool(const base::TopicPartition&)>& known) const;

  private:
    struct Entry {
        std::unique_ptr<Partition> partition;  // null: offline
        std::string why_offline;
        size_t log_dir = 0;
    };
    struct Local {
        absl::flat_hash_map<base::TopicPartition, Entry> entries;
        Peers peers;
        std::unique_ptr<Scrub> scrub;
        int64_t broker_epoch = -1;
        bool in_session = true;
        std::unique_ptr<io::Timer> maintenance;
        std::unique_ptr<io::Timer> tick;

        /// Every one that is not offline.
        template <class Use>
        void each(Use use) {
            for (auto& [id, entry] : entries)
                if (entry.partition) use(*entry.partition);
        }
    };

    Local& local(const base::TopicPartition&);
    /// On each shard, with what is its own.
    template <class Tell>
    void tell_all(Tell);
    storage::Log::Place place(const base::TopicPartition&, size_t log_dir, const std::string& name);
    /// For good; blocks.
    base::Status discard(const base::TopicPartition&, size_t log_dir);
    size_t choose_log_dir(const std::string& name) const;
    struct Opened {
        size_t log_dir = 0;
        base::Result<std::unique_ptr<storage::Log>> log;
    };
    void install(const base::TopicPartition&, Opened, const Partition::Options&,
                 const replica::Assignment&);
    void schedule_maintenance(size_t shard, std::chrono::milliseconds interval);
    void schedule_tick(size_t shard);

    io::Shards& shards_;
    io::Disk& disk_;
    storage::Store& store_;
    const base::BrokerId self_;
    Alone alone_;
    const std::vector<std::string> log_dirs_;
    std::vector<std::shared_ptr<LogDir>> shared_;  // of log_dirs_, in the same order
    std::vector<std::unique_ptr<Local>> locals_;   // by shard
};

}  // namespace replication
