#pragma once
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/bytes.h"
#include "base/function.h"
#include "io/shard.h"
#include "replication/partitions.h"
#include "replication/streams/chunks.h"
#include "replication/streams/throttle.h"
#include "replication/streams/wire.h"

namespace replication::streams {

struct FeedOptions {
    /// As much goes in one message; more only if one batch alone is larger.
    size_t message_bytes = 1 << 20;
    /// A partition whose turn it is gets as much, if there are many.
    size_t least_turn_bytes = 64 << 10;
    /// Who is further behind than this is read for on the pool, as that may wait for the disk.
    uint32_t near_bytes = 8 << 20;
    /// A high watermark that no records carry waits for so long.
    std::chrono::milliseconds watermark_pause{3};
};

/// The partition, if it is here and can be used; on its home shard.
inline Partition* open_partition(Partitions& partitions, const base::TopicPartition& id) {
    const auto found = partitions.find(id);
    return found.ok() ? *found : nullptr;
}

class Feed;

/// What all the feeds of a shard share. Outlives them.
struct FeedWorld {
    io::Shards& shards;
    io::Shard& home;
    Partitions& partitions;
    Chunks chunks{32 << 20};
    Throttle throttle = Throttle();  // of followers that are not in sync
    absl::flat_hash_map<base::TopicPartition, std::vector<Feed*>> feeds = {};  // of each partition
};

/// What a leader has to tell one follower of the partitions on one shard: answers, and the records
/// of every partition that it has accepted it for, each in turn. On the home shard only.
class Feed {
  public:
    /// `on_ready` is called when take() may have something again; within other calls, too.
    Feed(FeedWorld&, base::BrokerId to, const FeedOptions&, base::Function<void()> on_ready);
    ~Feed();
    Feed(const Feed&) = delete;
    Feed& operator=(const Feed&) = delete;

    /// Goes before all records; if it accepts, those of the partition follow from there on.
    void reply(const base::TopicPartition&, const replica::AttachReply&);
    /// There may be more to tell of it.
    void grown(const base::TopicPartition&);
    void drop(const base::TopicPartition&);
    bool feeds(const base::TopicPartition& id) const { return entries_.contains(id); }
    /// All that it feeds.
    std::vector<base::TopicPartition> fed() const;
    /// Goes on with what the throttle held back.
    void throttle_changed();

    /// The next message, whose pieces follow each other; none: nothing to tell now.
    std::vector<base::Slice> take();
    /// Whether take() may have something.
    bool more() const { return !queue_.empty() || !replies_.empty(); }

  private:
    struct Entry {
        base::TopicPartition id;
        base::LeaderEpoch epoch = -1;
        uint64_t session = 0;
        base::Offset next = 0;  // to be sent
        base::Offset told = 0;  // high watermark
        enum { unknown, near, far } distance = unknown;
        bool queued = false;
        bool catching_up = false;  // the pool has to read for it, and has not yet
        bool waits = false;        // for its turn there
        bool watermark_due = false;
        std::optional<Chunk> fetched;
    };
    struct Message {
        std::string header;  // of what comes next
        std::vector<base::Slice> pieces;
        size_t bytes = 0;

        void add_header(const std::string& text) { header += text; }
        void add(base::Slice);
        void close_header();
    };

    void queue(Entry&);
    void forget(const base::TopicPartition&);
    Partition* member(const Entry&) const;
    void add(Entry&, size_t most_bytes, Message&);
    base::Result<std::optional<Chunk>> next_chunk(Entry&, const Partition&, size_t most_bytes);
    base::Result<std::optional<Chunk>> read_tail(Entry&, const Partition&, size_t most_bytes);
    base::Status measure(Entry&, const storage::Log&);
    void keep(const Entry&, const Chunk&);
    void fail(const Entry&, const base::Status&);
    void tell_watermarks();

    // feed_catch_up.cc
    void catch_up(Entry&);
    std::optional<Chunk> take_fetched(Entry&);
    void end_fetch();
    void fetch_soon();
    void fetch_next();
    bool start_fetch(Entry&, const Partition&);
    void fetched(const base::TopicPartition&, uint64_t session, base::Result<Chunk>);

    FeedWorld& world_;
    const base::BrokerId to_;
    const FeedOptions options_;
    base::Function<void()> on_ready_;
    std::string replies_;
    absl::flat_hash_map<base::TopicPartition, std::unique_ptr<Entry>> entries_;
    std::deque<base::TopicPartition> queue_;  // what was dropped may still be in it
    std::vector<base::TopicPartition> watermarks_;
    std::unique_ptr<io::Timer> watermark_timer_;
    std::deque<base::TopicPartition> behind_;  // wait for the pool
    bool fetching_ = false;                    // one at a time, until what was read is taken
    std::unique_ptr<io::Timer> throttle_timer_;
    std::shared_ptr<Feed*> alive_;  // what comes back from the pool finds this, or nothing
};

}  // namespace replication::streams
