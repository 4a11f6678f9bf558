#pragma once
#include "replication/donors.h"

namespace broker::rpc {

class Forwarder;

/// Asks other brokers by the Fetch of proto/broker.proto.
class Donors final : public replication::Donors {
  public:
    explicit Donors(Forwarder& forwarder) : forwarder_(forwarder) {}

    void fetch(io::Shard& on, const base::TopicPartition&, base::BrokerId from, base::Offset offset,
               uint32_t max_bytes, Done done) override;

  private:
    Forwarder& forwarder_;
};

}  // namespace broker::rpc
