#include "broker/idle_heap.h"

#include "gtest/gtest.h"

namespace broker {
namespace {

TEST(IdleHeap, ReturnsOnceAfterABurstHasEnded) {
    IdleHeap heap;
    EXPECT_FALSE(heap.should_return(0));
    EXPECT_FALSE(heap.should_return(IdleHeap::kBurstBytes));
    EXPECT_TRUE(heap.should_return(IdleHeap::kBurstBytes));
    EXPECT_FALSE(heap.should_return(IdleHeap::kBurstBytes));
}

TEST(IdleHeap, LeavesAHeapAloneThatLittleWentThrough) {
    IdleHeap heap;
    EXPECT_FALSE(heap.should_return(IdleHeap::kBurstBytes - 1));
    EXPECT_FALSE(heap.should_return(IdleHeap::kBurstBytes - 1));
}

TEST(IdleHeap, WaitsWhileRequestsKeepComing) {
    IdleHeap heap;
    uint64_t taken = 0;
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(heap.should_return(taken += IdleHeap::kRestBytes));
    EXPECT_TRUE(heap.should_return(taken));
}

}  // namespace
}  // namespace broker
