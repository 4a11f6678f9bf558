#include "broker/clean_stop.h"

#include <gtest/gtest.h>

#include "storage/store/memory_store.h"

namespace broker {
namespace {

TEST(CleanStop, IsRememberedAndForgottenForGood) {
    storage::MemoryStore store;
    EXPECT_EQ(*clean_stop(store), -1) << "it never stopped";
    ASSERT_TRUE(put_clean_stop(store, 17).ok());
    const auto stopped = store.after_power_loss(1);
    EXPECT_EQ(*clean_stop(*stopped), 17);
    ASSERT_TRUE(forget_clean_stop(*stopped).ok());
    EXPECT_EQ(*clean_stop(*stopped->after_power_loss(2)), -1);
}

TEST(CleanStop, AStoreThatFailsIsAnErrorAndNoSign) {
    storage::MemoryStore store;
    store.fail_write(1);
    EXPECT_FALSE(put_clean_stop(store, 17).ok());
    EXPECT_FALSE(clean_stop(store).ok());
    EXPECT_EQ(*clean_stop(*store.after_power_loss(0)), -1);
}

}  // namespace
}  // namespace broker
