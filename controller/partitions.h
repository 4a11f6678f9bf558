#pragma once
#include "controller/decision.h"
#include "kafka/messages/alter_partition.h"

namespace controller {

/// Leaders change the in-sync replicas of their partitions (KIP-497, KIP-841, KIP-903, KIP-966).
/// For the whole request: 77, 102 if the broker epoch is not that of who asks. For a partition, the
/// first that holds of
///   100  there is no topic of this id;
///   3    the topic has no such partition;
///   41   leader or partition epoch are higher than ours: an older controller answers;
///   74   the leader epoch is lower;
///   42   who asks does not lead it;
///   95   the partition epoch is lower: only a change of the newest row is taken;
///   42   the ISR is not a subset of the replicas, or has somebody twice; it lacks the leader, but
///        is not otherwise the ISR as it is; it recovers with more than itself in the ISR, or from
///        nothing;
///   107  somebody in the new ISR is not registered, fenced, shutting down, or was registered under
///        another epoch than the leader saw;
///   83   the leader is not in the new ISR, and nobody can take its place: of that ISR or the ELR,
///        alive;
///   108  the change was taken, and made another one the leader: the end of a reassignment has, or
///        the leader resigned.
/// A leader resigns by an ISR that it is not in: its disk has failed, or what is on it. It is in
/// the ELR no more, either.
/// With 0 the row as it is afterwards. Its partition epoch rises always: whoever proposes the ISR
/// that there is wants older proposals, which may be on their way, not to be taken any more.
Decision<kafka::AlterPartitionResponse> alter_partitions(const State&,
                                                         const kafka::AlterPartitionRequest&);

}  // namespace controller
