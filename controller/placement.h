#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "kafka/errors.h"
#include "metadata/image.h"

namespace controller {

/// Says where the replicas of new partitions go, the preferred leader first. It counts what the
/// brokers have, and what it has placed itself: one serves all topics of a request.
///
/// Replicas of a partition are on as many racks as there are. The partitions of a topic go round
/// all brokers, as leaders and as replicas; with whom a round begins, and who gets one more than
/// others, is whoever has the fewest as yet. Where that is equal, leaders go in order, and the
/// brokers of the other replicas shift with each round, so that when a broker fails its leaders
/// spread over all others. Brokers that are not active are taken only where the active ones do not
/// suffice, and never as the preferred leader.
class Placement {
  public:
    using Replicas = std::vector<std::vector<base::BrokerId>>;  // of each partition

    explicit Placement(const metadata::Image&);

    /// `start` says with which broker to begin where nothing else does: callers pass something that
    /// rises with each topic. 38 if `replicas` is larger than the number of registered brokers, or
    /// none is active.
    kafka::Outcome<Replicas> place(size_t partitions, size_t replicas, uint64_t start);

  private:
    struct Broker {
        base::BrokerId id;
        size_t rack = 0;  // numbered
        size_t leaders = 0, replicas = 0;
        size_t leaders_here = 0, replicas_here = 0;  // of the topic that is being placed
    };

    std::vector<Broker*> chosen_for(size_t partition, size_t replicas, uint64_t start);
    void add_others(std::vector<base::BrokerId>&, size_t replicas, size_t from) const;

    std::vector<Broker> active_;  // those of a rack apart from each other
    std::vector<Broker> others_;
};

/// The same for a single topic.
kafka::Outcome<Placement::Replicas> place(const metadata::Image&, size_t partitions,
                                          size_t replicas, uint64_t start);

/// Why these can't be the replicas of a partition (39): none, one twice, one that is not
/// registered. Nothing if they can.
std::optional<kafka::Error> refused_assignment(const metadata::Image&,
                                               const std::vector<base::BrokerId>&);

}  // namespace controller
