#include "groups/journal.h"

#include "replication/partition.h"

namespace groups {

namespace {

/// As good as no deadline: a write that was given up on might still become durable, so only the
/// loss of leadership ends the wait for it.
constexpr std::chrono::hours no_deadline{24 * 365};

class PartitionJournal final : public Journal {
  public:
    explicit PartitionJournal(replication::Partition& partition) : partition_(partition) {}

    void append(base::MutableView batch, AppendDone done) override {
        partition_.append(batch, replication::Acks::all, no_deadline, std::move(done));
    }
    kafka::Outcome<storage::LogRead> read(base::Offset from, base::LeaderEpoch epoch,
                                          uint32_t max_bytes) const override {
        auto read = partition_.read({.offset = from,
                                     .max_bytes = max_bytes,
                                     .at_least_one = true,
                                     .last_fetched_epoch = epoch,
                                     .from_follower = true});
        if (!read) return read.error();
        if (read->diverging)
            return kafka::Error{kafka::ErrorCode::offset_out_of_range,
                                "the log has parted from what was read"};
        return std::move(read->records);
    }
    uint64_t watch(base::Offset offset, base::Function<void()> wake) override {
        return partition_.await(offset, std::move(wake));
    }
    void unwatch(uint64_t key) override { partition_.unwatch(key); }

    bool leading() const override { return partition_.serving(); }
    base::LeaderEpoch epoch() const override { return partition_.leader_epoch(); }
    base::Offset start() const override { return partition_.log().start(); }
    base::Offset end() const override { return partition_.log().end(); }
    base::Offset high_watermark() const override { return partition_.high_watermark(); }
    io::Shard& shard() override { return partition_.shard(); }

  private:
    replication::Partition& partition_;
};

}  // namespace

std::unique_ptr<Journal> journal_of(replication::Partition& partition) {
    return std::make_unique<PartitionJournal>(partition);
}

}  // namespace groups
