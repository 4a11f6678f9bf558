#include "broker/rpc/partitioner.h"

#include <gtest/gtest.h>

namespace broker::rpc {
namespace {

// As Kafka's own tests of its Utils.murmur2 have it.
TEST(Partitioner, HashesAsKafkasClientsDo) {
    const std::pair<const char*, int32_t> known[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    for (const auto& [key, hash] : known)
        EXPECT_EQ(static_cast<int32_t>(murmur2(base::as_bytes(std::string_view(key)))), hash)
            << key;
}

TEST(Partitioner, EveryKeyHasAPartition) {
    EXPECT_EQ(partition_of_key({}, 1), 0);
    for (int i = 0; i < 1000; ++i) {
        const auto at = partition_of_key(base::as_bytes(std::to_string(i)), 7);
        EXPECT_GE(at, 0);
        EXPECT_LT(at, 7);
    }
}

}  // namespace
}  // namespace broker::rpc
