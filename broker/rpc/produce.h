#pragma once
#include <memory>
#include <optional>

#include "base/function.h"
#include "broker/append.h"
#include "broker/rpc/asks.h"
#include "broker/rpc/message.h"
#include "broker/rpc/operation.h"
#include "io/shard.h"

namespace broker::rpc {

/// A Produce. It is placed first, and goes to that partition then; run() is both.
class Produce final : public Operation, public std::enable_shared_from_this<Produce> {
  public:
    /// `ask` points into `memory`.
    Produce(Host&, Client, ProduceAsk ask, std::shared_ptr<Message> memory);

    void run(Done done) override;
    void cancel() override;

    /// Finds topic and partition, makes the topic if need be, and the batch. `placed` runs with
    /// true if it is to go() then, and with false if `done` was called, or will not be.
    void place(Done done, base::Function<void(bool)> placed);
    const base::TopicPartition& at() const { return at_; }
    /// Whether this broker leads the partition, as far as it knows.
    bool here() const;
    /// `may_repeat`: tries again where that is safe.
    void go(bool may_repeat);
    /// Whether it failed once and is tried again.
    bool repeats() const { return pauses_.used(); }

  private:
    void look_for_topic();
    void create_topic();
    void choose(const metadata::Topic&);
    base::PartitionIndex in_turn(const metadata::Topic&);
    void attempt();
    void append();
    void forward(base::BrokerId leader);
    void forwarded(const base::Status&, const grpc::ByteBuffer& reply);
    void ended(AppendOutcome);
    bool worth_repeating(const AppendOutcome&) const;
    void fail(kafka::ErrorCode, const std::string& why);
    void answer(const AppendOutcome&);
    void finish(Answer);
    std::chrono::milliseconds left() const;

    Host& host_;
    const Client client_;
    ProduceAsk ask_;
    std::shared_ptr<Message> memory_;
    const base::InstantMs deadline_;
    Done done_;
    base::Function<void(bool)> placed_;
    base::TopicPartition at_;
    std::shared_ptr<const void> owner_;  // of the batch
    bool idempotent_ = false;
    bool created_ = false;
    bool may_repeat_ = true;
    Pauses pauses_;
    std::unique_ptr<io::Timer> timer_;
};

}  // namespace broker::rpc
