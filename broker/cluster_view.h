#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/random/random.h"
#include "base/ids.h"
#include "broker/call.h"
#include "kafka/errors.h"
#include "metadata/image.h"

namespace broker {

/// The cluster as clients are told of it.

/// What anybody may do while there are no ACLs, as bits by the number of the operation.
inline constexpr int32_t topic_operations = 0xdf8;  // read … describe, describe and alter configs
inline constexpr int32_t cluster_operations = 0x1fa0;  // create, alter, describe … idempotent write

/// Brokers in service that the listener reaches, by id.
std::vector<const metadata::Broker*> reachable_brokers(const metadata::Image&,
                                                       std::string_view listener);
std::vector<int32_t> plain_ids(const std::vector<base::BrokerId>&);
/// The broker that clients may take for the controller: the active one if it is a broker in service
/// too, or else any that the listener reaches, as each passes requests on (KIP-631); -1 if there is
/// none. `active`: as far as is known, or -1.
int32_t shown_controller(const metadata::Image&, std::string_view listener, int32_t active,
                         absl::BitGen& random);
int32_t shown_controller(const Call&);
/// While the controller does not hear of this broker others may lead what it has led: only those
/// who know can tell a client.
bool may_have_lost(const Call&, const metadata::Partition&);
/// Replicas on brokers that are not in service.
std::vector<int32_t> offline_replicas(const metadata::Image&, const metadata::Partition&);
/// A partition in the words of an API, as far as all of those have the same.
template <class Shown>
Shown shown_partition(const metadata::Image& image, const metadata::Partition& p) {
    Shown out;
    out.partition_index = p.index;
    out.leader_id = p.leader.value;
    out.leader_epoch = p.leader_epoch;
    out.replica_nodes = plain_ids(p.replicas);
    out.isr_nodes = plain_ids(p.isr);
    out.offline_replicas = offline_replicas(image, p);
    if (p.leader == metadata::kNoBroker) out.error_code = kafka::ErrorCode::leader_not_available;
    return out;
}

}  // namespace broker
