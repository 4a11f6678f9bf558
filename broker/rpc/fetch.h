#pragma once
#include <memory>
#include <vector>

#include "broker/call.h"
#include "broker/rpc/asks.h"
#include "broker/rpc/operation.h"
#include "broker/rpc/replies.h"
#include "io/shard.h"
#include "kafka/messages/fetch.h"

namespace broker::rpc {

/// A Fetch from one partition.
class Fetch final : public Operation, public std::enable_shared_from_this<Fetch> {
  public:
    /// `patience`: for how long beyond max_wait it is tried again while nobody leads.
    Fetch(Host&, Client, FetchAsk, std::chrono::milliseconds patience);

    void run(Done done) override;
    void cancel() override;

  private:
    class Found;

    void attempt();
    void give();
    void look_up_offset();
    void read();
    void found(const kafka::FetchResponse&, std::vector<std::vector<storage::FileSlice>> files);
    void render(const FetchHead&, std::vector<storage::FileSlice> files);
    void rendered(FetchBytes, MemoryHold);
    void forward(base::BrokerId leader);
    void forwarded(const base::Status&, const grpc::ByteBuffer& reply);
    /// Tries again later, or tells of it if the time is over.
    void trouble(const FetchHead&);
    void fail(kafka::ErrorCode, const std::string& why);
    void finish(Answer);
    std::chrono::milliseconds wait_left() const;

    Host& host_;
    const Client client_;
    FetchAsk ask_;
    const base::InstantMs began_;
    const std::chrono::milliseconds patience_;
    Done done_;
    base::TopicPartition at_;
    Pauses pauses_;
    std::unique_ptr<io::Timer> timer_;
};

}  // namespace broker::rpc
