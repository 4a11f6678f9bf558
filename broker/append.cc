#include "broker/append.h"

#include <algorithm>
#include <utility>

#include "io/shard.h"
#include "kafka/records/batch.h"
#include "replication/partitions.h"

namespace broker {

namespace {

using kafka::ErrorCode;

bool is_transactional(base::View batch) {
    return batch.size() >= kafka::batch_header_size && kafka::BatchView(batch).transactional();
}

/// One batch on its way to the partition's shard and back.
class Appending : public std::enable_shared_from_this<Appending> {
  public:
    Appending(Services& services, Local& local, base::MutableView batch,
              std::shared_ptr<const void> keep, base::Function<void(AppendOutcome)> done)
        : services_(services),
          local_(local),
          batch_(batch),
          keep_(std::move(keep)),
          done_(std::move(done)) {}

    void run(const AppendRequest& request) {
        const auto found =
            resolve(*local_.image, request.topic, request.partition, services_.settings.id);
        out_.leader = found.leader;
        out_.leader_epoch = found.leader_epoch;
        if (found.error != ErrorCode::none) return refuse(found.error, {});
        if (request.acks < -1 || request.acks > 1)
            return refuse(ErrorCode::invalid_required_acks, "acks must be -1, 0 or 1");
        if (internal_topic(found.topic->name))
            return refuse(ErrorCode::invalid_topic_exception, "the topic is the cluster's own");
        if (batch_.data() == nullptr) return refuse(ErrorCode::invalid_record, "no record batch");
        if (request.transactional || is_transactional(batch_))
            return refuse(ErrorCode::invalid_txn_state, "transactions are not served");
        auto rules = local_.topic_rules.of(
            {*local_.image, services_.settings.id, services_.settings.static_configs},
            *found.topic);
        rules.zstd_allowed = request.zstd_allowed;
        auto checked = kafka::validate_batch(batch_, rules, io::wall_clock());
        if (!checked.ok()) {
            out_.records = std::move(checked.error().records);
            return refuse(checked.error().code, checked.error().message);
        }
        if (checked->rebuilt) {
            rebuilt_ = std::move(*checked->rebuilt);
            batch_ = rebuilt_;
        }
        id_ = found.id;
        services_.partitions.home(id_).run(
            [self = shared_from_this(), acks = static_cast<replication::Acks>(request.acks),
             timeout = std::max(request.timeout, std::chrono::milliseconds(0))] {
                self->append(acks, timeout);
            });
    }

  private:
    /// On the partition's shard.
    void append(replication::Acks acks, std::chrono::milliseconds timeout) {
        const auto found = services_.partitions.find(id_);
        if (!found.ok()) return finish(found.error(), true, -1);
        auto* partition = *found;
        inside_ = true;
        partition->append(
            batch_, acks, timeout,
            [self = shared_from_this(), partition](const kafka::Outcome<storage::Appended>& done) {
                // What is refused is so at once; what fails later was appended, and nobody knows
                // what a disk that fails has kept.
                const bool refused = self->inside_ && !done.ok() &&
                                     done.error().code != ErrorCode::kafka_storage_error;
                const auto start = done.ok() ? partition->log().start() : -1;
                self->finish(done, refused, start);
            });
        inside_ = false;
    }

    void finish(const kafka::Outcome<storage::Appended>& done, bool refused, base::Offset start) {
        local_.shard.run([self = shared_from_this(), done, refused, start] {
            if (!done.ok()) {
                self->out_.not_appended = refused;
                return self->refuse(done.error().code, done.error().message);
            }
            self->out_.not_appended = false;
            self->out_.appended = *done;
            self->out_.log_start = start;
            self->done_(std::move(self->out_));
        });
    }

    void refuse(ErrorCode code, std::string why) {
        out_.error = {code, std::move(why)};
        if (code == ErrorCode::not_leader_or_follower) name_leader();
        done_(std::move(out_));
    }

    /// Leadership is lost by metadata, which is ahead of the image where it was resolved.
    void name_leader() {
        const auto* partition = local_.newest->partition(id_);
        if (partition == nullptr || partition->leader_epoch <= out_.leader_epoch) return;
        out_.leader = partition->leader;
        out_.leader_epoch = partition->leader_epoch;
    }

    Services& services_;
    Local& local_;
    base::MutableView batch_;
    base::Bytes rebuilt_;  // with the topic's own codec
    const std::shared_ptr<const void> keep_;
    base::Function<void(AppendOutcome)> done_;
    base::TopicPartition id_;
    AppendOutcome out_;
    bool inside_ = false;  // of the call of Partition::append; on its shard
};

}  // namespace

void append(Services& services, Local& local, const AppendRequest& request, base::MutableView batch,
            std::shared_ptr<const void> keep, base::Function<void(AppendOutcome)> done) {
    std::make_shared<Appending>(services, local, batch, std::move(keep), std::move(done))
        ->run(request);
}

}  // namespace broker
