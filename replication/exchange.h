#pragma once
#include "base/ids.h"
#include "replication/replica/message.h"
#include "replication/replica/replica.h"

namespace replication {

/// How the replicas on one shard reach those of the same partitions on other brokers. All calls are
/// made on that shard; none calls back into the partition before it returns.
class Exchange {
  public:
    virtual ~Exchange() = default;

    /// A partition is there now; what has come for it before is delivered later. Its address stays
    /// until closed().
    virtual void opened(const base::TopicPartition&) = 0;
    virtual void closed(const base::TopicPartition&) = 0;

    /// May get lost: then whom it concerns is told that the follower or the leader was lost. An
    /// AttachReply that accepts is where a stream of records begins: from there on this pulls them
    /// out of the partition's log, and puts an Offer before them.
    virtual void send(const base::TopicPartition&, base::BrokerId to, const replica::Message&) = 0;
    /// A leader's log has grown, or its high watermark has moved: whoever follows may be sent more.
    virtual void grown(const base::TopicPartition&) = 0;
    /// No more records of the stream that the last accepting AttachReply began.
    virtual void detach(const base::TopicPartition&, base::BrokerId follower) = 0;
};

/// How the leaders on one shard ask for another ISR. Calls are made on that shard; the answer comes
/// by Partition::answered, later, or never.
class Proposals {
  public:
    virtual ~Proposals() = default;

    virtual void propose(const base::TopicPartition&, const replica::Proposal&) = 0;
};

/// Of who has nobody to reach: the only broker of its cluster.
class Alone final : public Exchange, public Proposals {
  public:
    void opened(const base::TopicPartition&) override {}
    void closed(const base::TopicPartition&) override {}
    void send(const base::TopicPartition&, base::BrokerId, const replica::Message&) override {}
    void grown(const base::TopicPartition&) override {}
    void detach(const base::TopicPartition&, base::BrokerId) override {}
    void propose(const base::TopicPartition&, const replica::Proposal&) override {}
};

}  // namespace replication
