#pragma once
#include <memory>
#include <string>

#include "base/function.h"
#include "base/ids.h"
#include "base/status.h"
#include "controller/producer_ids.h"
#include "kafka/errors.h"
#include "kafka/messages/alter_configs.h"
#include "kafka/messages/create_partitions.h"
#include "kafka/messages/create_topics.h"
#include "kafka/messages/delete_topics.h"
#include "kafka/messages/incremental_alter_configs.h"
#include "metadata/delta.h"
#include "metadata/image.h"

namespace io {
class Shard;
class Shards;
}  // namespace io
namespace storage {
class Store;
}

namespace controller {

/// The controller as a part of the process: takes requests, decides, makes the records durable in
/// the journal, replays them, tells the subscribers, and only then answers.
///
/// Requests are decided at once on top of everything decided before; while one write is out, the
/// entries decided meanwhile wait and go out together in the next. Lives on one shard; every method
/// but open() may be called from any thread. After a failed write nothing is known to be durable:
/// the service answers everything with 56 from then on, and must be opened anew. Must outlive the
/// shards' threads (destroy it after Shards::stop()).
class Service {
  public:
    struct Options {
        base::BrokerId id{0};
        std::string cluster_id;            // for the first start; empty: drawn
        metadata::Configs static_configs;  // of this broker
        /// A snapshot is taken when the records since the last one are larger than it, and than
        /// this.
        size_t snapshot_bytes = 1 << 20;
        /// Runs once, on the service's shard, when the journal failed.
        base::Function<void(const base::Status&)> on_failure;
        /// 64 random bits, for ids; not set: the system's. Called on the service's shard, and in
        /// open().
        base::Function<uint64_t()> draw;
    };
    template <class Response>
    using Reply = base::Function<void(Response)>;
    /// `delta.base()` is the image that this subscriber had before; the first call, with what was
    /// recovered, starts from the empty one.
    using Subscriber = base::Function<void(const metadata::ImagePtr& image,
                                           const std::shared_ptr<const metadata::Delta>& delta)>;

    /// Recovers the state, and founds the cluster at the first start. Blocks: not on a shard.
    /// kDataLoss if the journal makes no sense; kFailedPrecondition if it is another cluster's or
    /// another node's.
    static base::Result<std::unique_ptr<Service>> open(storage::Store&, io::Shards&,
                                                       io::Shard& home, Options);
    ~Service();

    /// Calls `subscriber` on `shard`, from now on for every change, in order. An answer to a
    /// request leaves after all subscribers have seen what it did.
    void subscribe(io::Shard& shard, Subscriber subscriber);

    /// `reply` runs on `on`.
    void submit(kafka::CreateTopicsRequest, io::Shard& on, Reply<kafka::CreateTopicsResponse>);
    void submit(kafka::DeleteTopicsRequest, io::Shard& on, Reply<kafka::DeleteTopicsResponse>);
    void submit(kafka::CreatePartitionsRequest, io::Shard& on,
                Reply<kafka::CreatePartitionsResponse>);
    void submit(kafka::AlterConfigsRequest, io::Shard& on, Reply<kafka::AlterConfigsResponse>);
    void submit(kafka::IncrementalAlterConfigsRequest, io::Shard& on,
                Reply<kafka::IncrementalAlterConfigsResponse>);

    /// This process has started as this broker: registers it, fenced. Answers with its epoch.
    void register_broker(metadata::Broker, io::Shard& on, Reply<kafka::Outcome<int64_t>>);
    /// The broker serves from now on: takes it into service, and elects it where it may lead.
    void unfence_broker(base::BrokerId, int64_t epoch, io::Shard& on, Reply<kafka::Error>);
    void allocate_producer_ids(base::BrokerId, int64_t epoch, io::Shard& on,
                               Reply<kafka::Outcome<ProducerIdBlock>>);

    /// What was recovered or founded by open(): the state that the first calls of subscribers show.
    const metadata::ImagePtr& opened() const { return opened_; }

  private:
    class Core;
    Service(std::shared_ptr<Core>, metadata::ImagePtr opened);

    std::shared_ptr<Core> core_;
    metadata::ImagePtr opened_;
};

}  // namespace controller
