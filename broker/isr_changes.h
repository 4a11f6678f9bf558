#pragma once
#include <map>
#include <vector>

#include "base/ids.h"
#include "broker/controller_link.h"
#include "replication/exchange.h"

namespace replication {
class Partitions;
}

namespace broker {

/// Takes what the leaders on one shard want their ISR to be to the controller (AlterPartition): one
/// request at a time, with all that came meanwhile in the next.
class IsrChanges final : public replication::Proposals {
  public:
    IsrChanges(io::Shard&, ControllerLink&, replication::Partitions&, base::BrokerId self);

    void propose(const base::TopicPartition&, const replica::Proposal&) override;

  private:
    using Proposals = std::map<base::TopicPartition, replica::Proposal>;  // the newest of each
    using Outcome = kafka::Outcome<controller::Service::Answered<kafka::AlterPartitionResponse>>;

    void ask();
    void answered(const Proposals& asked, const Outcome&);

    io::Shard& shard_;
    ControllerLink& controller_;
    replication::Partitions& partitions_;
    const base::BrokerId self_;
    Proposals waiting_;
    bool asking_ = false;
};

/// What the controller's answer for a partition means to its leader.
replica::Answer meaning(kafka::ErrorCode);

}  // namespace broker
