#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "base/function.h"
#include "base/ids.h"
#include "base/time.h"
#include "io/shard.h"
#include "kafka/errors.h"
#include "replication/exchange.h"
#include "replication/log_dir.h"
#include "replication/replica/replica.h"
#include "storage/log.h"

namespace replication {

enum class Acks : int16_t { all = -1, none = 0, leader = 1 };

/// One partition on this broker: joins its log with who leads and how far the data is safe, carries
/// out what the replica owes the log and its peers, and holds what waits: produces for the high
/// watermark, fetches for new records. Lives on one shard; every call and every completion runs
/// there. Completions may run inside the call, as the last of what it does.
class Partition {
  public:
    struct Options {
        /// acks=all means "in memory of the in-sync replicas", not "on disk".
        bool write_caching = false;
        /// Goes on where the disk has no more than its reserve left.
        bool uses_reserve = false;
        /// replica.lag.time.max.ms
        base::InstantMs lag_max_ms = 30'000;
    };
    /// Which replica of which partition it is. What it is connected to outlives it.
    struct Identity {
        base::TopicPartition id;
        replica::Replica::Self self;
    };
    using AppendDone = base::Function<void(kafka::Outcome<storage::Appended>)>;

    struct ReadFrom {
        base::Offset offset = 0;
        uint32_t max_bytes = 0;
        bool at_least_one = false;             // the first-batch rule of Fetch
        base::LeaderEpoch current_epoch = -1;  // as the client knows it; -1: not said
        base::LeaderEpoch last_fetched_epoch = -1;
        bool from_follower = false;  // whoever follows may serve it, too (KIP-392)
    };
    struct Read {
        storage::LogRead records;
        base::Offset high_watermark = 0;
        base::Offset last_stable_offset = 0;
        base::Offset log_start = 0;
        std::optional<storage::EpochEnd> diverging;  // set: no records
    };

    /// `dir`: where its log lies; none: it shares with nobody.
    Partition(std::unique_ptr<storage::Log>, io::Shards&, io::Shard&, const Identity&,
              const Options&, Exchange&, Proposals&, std::shared_ptr<LogDir> dir = nullptr);
    ~Partition();

    // ---------------------------------------------------------------------------- for clients
    /// Appends one validated batch; `batch` is used only during the call (offset and epoch are
    /// written into it). `done` runs when `acks` is satisfied, or with 6, 7, 19, 20, 45, 47, 56 …
    void append(base::MutableView batch, Acks, std::chrono::milliseconds timeout, AppendDone done);

    /// What may be read now: below the high watermark. 1, 6, 56, 74, 75.
    kafka::Outcome<Read> read(const ReadFrom&) const;

    /// Calls `wake` once when something at or past `offset` may be read, or when the role or health
    /// changes; at once if so already, or if this replica neither leads nor follows. Returns a key
    /// for unwatch; 0 if it ran at once.
    uint64_t watch(base::Offset offset, base::Function<void()> wake);
    /// The same, but that it leads or follows is waited for, too.
    uint64_t await(base::Offset offset, base::Function<void()> wake);
    void unwatch(uint64_t key);

    /// DeleteRecords: moves the log start to `offset` (-1: the high watermark). 1 if outside.
    kafka::Outcome<base::Offset> delete_records(base::Offset offset);

    // --------------------------------------------------------------------------- the metadata
    /// Follows an image. Whoever loses leadership fails what waits (6).
    void assign(const replica::Assignment&);
    /// This process was registered anew, with that epoch.
    void registered(int64_t broker_epoch);
    void answered(uint64_t proposal, replica::Answer);
    void set_config(const storage::LogConfig&, const Options&);
    /// Whether the controller hears of this broker. If not, another may lead already: a leader that
    /// misses a follower that it needs, too, then serves nobody (6), so that clients look further.
    void set_in_session(bool);

    // ------------------------------------------------------------- its peers on other brokers
    void receive(const replica::Message&);
    /// From the leader; without `batches` it only tells of the high watermark.
    void receive(const replica::Offer&, base::View batches);
    void follower_lost(base::BrokerId);
    void leader_lost();

    // ---------------------------------------------------------------------------- damaged logs
    /// `suspect` is called with the offset where a read came upon damage, within that read.
    void on_suspicion(base::Function<void(base::Offset)> suspect) { suspect_ = std::move(suspect); }
    void suspect(base::Offset) const;
    /// The log knows of damage, or has none any more: whoever is damaged lets others lead, and
    /// follows when it is whole again.
    void look_if_fit();
    /// For a replica that is damaged: whole batches from `from` on, about `max_bytes` of them or
    /// one that is larger. Whatever this one's role is, and be they committed or not: two replicas
    /// that have the same offset of the same epoch have the same there. 1, 2, 56.
    kafka::Outcome<storage::LogRead> held(base::Offset from, uint32_t max_bytes) const;

    bool leading() const { return replica_.leading(); }
    /// Whether its high watermark is the partition's, and not perhaps that of a leader that was.
    bool knows_newest() const { return in_session_ || replica_.row().replicas.size() <= 1; }
    /// Leading, and not cut off from those who say so.
    bool serving() const { return leading() && !cut_off(); }
    base::LeaderEpoch leader_epoch() const { return replica_.epoch(); }
    base::Offset high_watermark() const { return replica_.high_watermark(); }
    const replica::Replica& replica() const { return replica_; }
    /// Not OK once a write or sync has failed: everything is refused with 56 from then on.
    base::Status health() const;
    const base::TopicPartition& id() const { return id_; }
    storage::Log& log() { return *log_; }
    const storage::Log& log() const { return *log_; }
    io::Shard& shard() { return shard_; }

    /// Every few hundred milliseconds.
    void tick();
    /// Retention, time rolls, producer expiry, checkpoint. Every few seconds.
    void maintain(base::TimestampMs now);
    /// Fails what waits (6), syncs and closes the log. Nothing may be called after.
    base::Status close();
    /// Fails what waits (6) and lets go of the shard, without syncing: the data is to be deleted.
    /// Nothing may be called after; then it may be destroyed on any thread.
    void abandon();

  private:
    /// A produce with acks=all, in the log but not yet safe.
    struct Waiting {
        storage::Appended appended;
        AppendDone done;
        std::unique_ptr<io::Timer> timer;
    };
    struct Watcher {
        uint64_t key = 0;
        base::Function<void()> wake;
    };
    using Waitings = std::multimap<base::Offset, Waiting>;  // by last offset
    using Watchers = std::multimap<base::Offset, Watcher>;  // by the offset they want to read
    /// What need wait no longer, and with what outcome. It runs last, as it may append and watch
    /// anew.
    struct Ready {
        Waitings safe;
        Waitings failed;
        kafka::Error why{kafka::ErrorCode::none, {}};
        Watchers woken;

        void run();
    };

    /// The log as the replica sees it.
    class View final : public replica::LocalLog {
      public:
        explicit View(const storage::Log& log) : log_(log) {}
        base::Offset start() const override { return log_.start(); }
        base::Offset end() const override { return log_.end(); }
        base::Offset synced() const override { return log_.synced(); }
        base::LeaderEpoch last_epoch() const override { return log_.last_epoch(); }
        replica::EpochEnd end_of_epoch(base::LeaderEpoch epoch) const override {
            const auto end = log_.end_of_epoch(epoch);
            return {end.epoch, end.end};
        }

      private:
        const storage::Log& log_;
    };

    static replica::Options replica_options(const Options&);
    bool has_followers() const { return leading() && replica_.row().replicas.size() > 1; }

    // partition.cc
    bool cut_off() const;
    void turn_away_if_cut_off();
    bool served() const { return serving() || replica_.following(); }
    void wake_if_served_again();
    void carry_out(const replica::Effects&);
    void tell(const replica::Effects&);
    void change_role(Ready&);
    void cut(const replica::Cut&);
    void start_moved();
    /// Takes note of a failure of the log or its store, and fails what waits.
    void note(const base::Status&);
    void checkpoint(base::TimestampMs now);
    void let_go();

    // partition_clients.cc
    kafka::Outcome<storage::Appended> append_to_log(base::MutableView batch, Acks);
    kafka::Error not_in_log(base::Offset) const;
    kafka::Outcome<storage::LogRead> read_log(base::Offset from, base::Offset limit,
                                              uint32_t max_bytes, bool at_least_one) const;
    base::Status take_room(uint64_t bytes);
    void wait(const storage::Appended&, std::chrono::milliseconds timeout, AppendDone done);
    void time_out(Waitings::iterator);
    void free_up_to(base::Offset high_watermark, Ready&);
    void fail_all(kafka::ErrorCode, const std::string& why, Ready&);
    void wake_all(Ready&);

    // partition_sync.cc
    void grew(uint64_t bytes);
    void schedule_sync();
    void start_sync();
    void finish_sync(const storage::Sync&, const base::Status&);

    const base::TopicPartition id_;
    std::unique_ptr<storage::Log> log_;
    const View view_;
    io::Shards& shards_;
    io::Shard& shard_;
    Options options_;
    Exchange& exchange_;
    Proposals& proposals_;
    const std::shared_ptr<LogDir> dir_;
    replica::Replica replica_;
    bool in_session_ = true;
    bool was_served_ = false;
    std::shared_ptr<Partition*> alive_;  // a sync that comes back finds this, or nothing
    base::Status failure_;               // of the store; the log keeps its own
    mutable base::Function<void(base::Offset)> suspect_;

    Waitings waiting_;
    Watchers watchers_;
    absl::flat_hash_map<uint64_t, Watchers::iterator> watcher_of_;
    uint64_t last_key_ = 0;

    bool syncing_ = false;
    uint64_t unsynced_bytes_ = 0;             // appended since the last sync was taken
    std::unique_ptr<io::Timer> flush_timer_;  // armed while write.caching leaves bytes unsynced

    /// What the leader sent could not be appended, for want of room say: asked for again then.
    std::optional<base::InstantMs> take_again_at_;

    struct Checkpoint {
        base::TimestampMs at = -1;
        base::Offset start = -1;
        base::Offset synced = -1;
        base::Offset high_watermark = -1;
    };
    Checkpoint stored_;  // what the store has been told last
};

}  // namespace replication
