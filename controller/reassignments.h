#pragma once
#include "controller/decision.h"
#include "kafka/messages/alter_partition_reassignments.h"
#include "kafka/messages/list_partition_reassignments.h"

namespace controller {

/// Moves partitions to other brokers, or takes such moves back, each on its own (KIP-455). The new
/// replicas are added to the old ones; once they are in sync and |ISR| would stay at
/// min.insync.replicas, the old ones go (`decide` in elections.h). A move that replaces another one
/// starts from where that one had started.
///   3   unknown;   42  twice in the request;
///   39  no replicas, one twice, or one on an unknown broker; or a move can't be taken back, as
///       what it came from does not have min.insync.replicas in sync any more;
///   38  another number of replicas though the request does not allow it;
///   85  there is no move to take back.
Decision<kafka::AlterPartitionReassignmentsResponse> alter_reassignments(
    const State&, const kafka::AlterPartitionReassignmentsRequest&);

/// The moves that are under way, of these partitions or of all. What is unknown is left out.
kafka::ListPartitionReassignmentsResponse list_reassignments(
    const State&, const kafka::ListPartitionReassignmentsRequest&);

}  // namespace controller
