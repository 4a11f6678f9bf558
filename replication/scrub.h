#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "base/time.h"
#include "io/shard.h"
#include "replication/donors.h"
#include "replication/scrub_options.h"
#include "storage/scrub.h"

namespace replication {

class Partition;
class Partitions;

/// Looks after what lies on disk for long, on one shard: reads the closed segments of all
/// partitions through, one after the other and slowly, and what a read of somebody else's came upon
/// at once. A damaged segment is fetched again from another replica and put in the old one's place;
/// meanwhile the replica does without leading, if another can (Replica::set_fit).
/// docs/replication.md tells what that promises. The disk is read and written on the pool, a piece
/// at a time.
class Scrub {
  public:
    Scrub(io::Shards&, io::Shard& home, Partitions&);
    ~Scrub();

    // On the home shard:

    void start(const ScrubOptions&, Donors&);
    /// Nothing is read or fetched any more but what the pool has begun.
    void stop();
    /// A read at that offset has failed, or what it gave made no sense.
    void suspect(const base::TopicPartition&, base::Offset);
    /// Its log knows of a damaged segment.
    void damaged(const base::TopicPartition&);

  private:
    /// A segment that is being read through.
    struct Reading {
        base::TopicPartition id;
        std::unique_ptr<storage::SegmentCheck> check;
        bool urgent = false;
        uint64_t passed = 0;  // bytes, before the piece that is being read
        base::InstantMs began = 0;
    };
    /// A segment that is being fetched again.
    struct Mend {
        base::TopicPartition id;
        std::unique_ptr<storage::SegmentCopy> copy;
        std::vector<base::BrokerId> donors;  // the last is asked
    };

    Partition* open(const base::TopicPartition&) const;
    void begin_pass();
    void pass_on();
    void check_suspects();
    void read(std::shared_ptr<Reading>);
    void read_on(const std::shared_ptr<Reading>&, const base::Result<bool>& more);
    void checked(const Reading&, const base::Status&);

    void mend_due();
    bool begin_mend(const base::TopicPartition&);
    void ask(std::shared_ptr<Mend>);
    void received(const std::shared_ptr<Mend>&, base::Result<base::Bytes>);
    void taken(const std::shared_ptr<Mend>&, base::Offset before, const base::Status&);
    void give_up_donor(const std::shared_ptr<Mend>&, const base::Status&);
    void finish(const std::shared_ptr<Mend>&);
    void mend_later(const base::TopicPartition&);

    io::Shards& shards_;
    io::Shard& home_;
    Partitions& partitions_;
    Donors* donors_ = nullptr;  // none: not started
    ScrubOptions options_;

    base::InstantMs pass_began_ = 0;
    std::vector<base::TopicPartition> left_;  // of the pass; the last is next
    base::Offset from_ = 0;                   // in that one
    std::unique_ptr<io::Timer> pass_timer_;

    std::deque<std::pair<base::TopicPartition, base::Offset>> suspects_;
    bool reading_suspect_ = false;

    std::map<base::TopicPartition, base::InstantMs> broken_;  // and when to try to mend it
    bool mending_ = false;
    std::unique_ptr<io::Timer> mend_timer_;
    std::shared_ptr<Scrub*> alive_;  // what comes back from elsewhere finds this, or nothing
};

}  // namespace replication
