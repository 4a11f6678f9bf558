#pragma once
#include <cstdint>

#include "base/bytes.h"
#include "base/ids.h"

namespace broker::rpc {

/// MurmurHash2 of 32 bits with the seed that Kafka's clients use.
uint32_t murmur2(base::View);
/// Where Kafka's Java client puts a key in a topic of `count` > 0 partitions.
base::PartitionIndex partition_of_key(base::View key, int32_t count);

}  // namespace broker::rpc
