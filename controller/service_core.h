#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "controller/controller.h"
#include "controller/journal.h"
#include "controller/service.h"
#include "io/shard.h"

namespace controller {

/// The service's state, on its shard. Held by whatever was posted, so that it lives as long as
/// that.
class Service::Core : public std::enable_shared_from_this<Core> {
  public:
    Core(storage::Store& store, io::Shards& shards, io::Shard& home, Options options)
        : shards_(shards),
          home_(home),
          options_(std::move(options)),
          journal_(store, options_.snapshot_bytes) {}

    /// Recovers, and founds the cluster if there is none. Not on a shard, before anything else.
    base::Status open();

    io::Shard& home() { return home_; }
    const metadata::ImagePtr& committed() const { return controller_.image(); }

    /// What a decision is made from: the state after everything that was decided.
    State state() const { return {*head_, options_.static_configs, options_.id}; }
    /// The index that the next entry gets.
    int64_t next_index() const { return head_->position().index + 1; }
    base::Uuid draw_uuid();

    /// Takes a decision: `answer` is called with OK once the records and all before them are
    /// durable, replayed and published; or else with why they are not.
    void take(Records records, base::Function<void(const base::Status&)> answer);
    void subscribe(io::Shard& shard, Subscriber subscriber);

  private:
    using Answers = std::vector<base::Function<void(const base::Status&)>>;
    struct Subscription {
        io::Shard* shard;
        std::shared_ptr<Subscriber> call;
    };

    void write_waiting();
    void written(const base::Status&, const std::vector<Entry>&, Answers);
    void publish(const std::shared_ptr<const metadata::Delta>&, Answers);
    void fail(const base::Status&, Answers);

    io::Shards& shards_;
    io::Shard& home_;
    Options options_;
    Journal journal_;  // used by one write at a time, on the pool
    int64_t term_ = 0;
    Controller controller_{metadata::Image::empty()};
    metadata::ImagePtr head_ = metadata::Image::empty();

    bool writing_ = false;
    std::vector<Entry> waiting_;  // decided, and to be written next
    Answers waiting_answers_;     // that wait for these, or for the write that is out
    base::Status failed_;
    std::vector<Subscription> subscriptions_;
};

}  // namespace controller
