#include "broker/rpc/partitioner.h"

namespace broker::rpc {

namespace {

constexpr uint32_t kSeed = 0x9747b28c;
constexpr uint32_t kFactor = 0x5bd1e995;

uint32_t byte_at(base::View in, size_t i) { return static_cast<uint32_t>(in[i]); }

}  // namespace

uint32_t murmur2(base::View in) {
    uint32_t hash = kSeed ^ static_cast<uint32_t>(in.size());
    while (in.size() >= 4) {
        uint32_t word =
            byte_at(in, 0) | byte_at(in, 1) << 8 | byte_at(in, 2) << 16 | byte_at(in, 3) << 24;
        word *= kFactor;
        word ^= word >> 24;
        word *= kFactor;
        hash = hash * kFactor ^ word;
        in = in.subspan(4);
    }
    for (size_t i = in.size(); i-- > 0;) hash ^= byte_at(in, i) << (8 * i);
    if (!in.empty()) hash *= kFactor;
    hash ^= hash >> 13;
    hash *= kFactor;
    return hash ^ hash >> 15;
}

base::PartitionIndex partition_of_key(base::View key, int32_t count) {
    return static_cast<int32_t>(murmur2(key) & 0x7fffffff) % count;
}

}  // namespace broker::rpc
