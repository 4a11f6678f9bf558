#include "broker/rpc/gate.h"

#include <gtest/gtest.h>

#include <thread>

namespace broker::rpc {
namespace {

TEST(Gate, LetsInWhenOpenAndNotTooMany) {
    Gate gate(2);
    EXPECT_EQ(gate.enter(), Gate::Entry::closed);
    gate.open();
    EXPECT_EQ(gate.enter(), Gate::Entry::in);
    EXPECT_EQ(gate.enter(), Gate::Entry::in);
    EXPECT_EQ(gate.enter(), Gate::Entry::full);
    gate.leave();
    EXPECT_EQ(gate.enter(), Gate::Entry::in);
    gate.close();
    EXPECT_EQ(gate.enter(), Gate::Entry::closed);
    gate.leave();
    gate.leave();
    gate.wait();
}

TEST(Gate, WaitsForTheLastToLeave) {
    Gate gate(10);
    gate.open();
    ASSERT_EQ(gate.enter(), Gate::Entry::in);
    std::atomic<bool> left = false;
    std::thread other([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        left = true;
        gate.leave();
    });
    gate.close();
    gate.wait();
    EXPECT_TRUE(left);
    other.join();
}

}  // namespace
}  // namespace broker::rpc
