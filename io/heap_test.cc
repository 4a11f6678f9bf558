#include "io/heap.h"

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace io {
namespace {

size_t resident_kib() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
        if (word == "RssAnon:") {
            size_t kib = 0;
            status >> kib;
            return kib;
        }
    return 0;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool system_allocator = false;
#else
constexpr bool system_allocator = true;
#endif

/// Small blocks come from the heap and not from mappings of their own. One that stays at the top
/// keeps the C library from shrinking the heap by itself.
TEST(ReturnFreeHeap, LowersWhatIsResident) {
    constexpr size_t blocks = 2000;
    constexpr size_t block_bytes = 32 << 10;
    std::vector<std::unique_ptr<std::string>> held;
    for (size_t i = 0; i < blocks; ++i)
        held.push_back(std::make_unique<std::string>(block_bytes, 'x'));
    const auto last = std::move(held.back());
    held.clear();
    const size_t before = resident_kib();
    return_free_heap();
    if (system_allocator) {
        EXPECT_LT(resident_kib() + (blocks * block_bytes >> 11), before);
    }
    EXPECT_EQ(last->size(), block_bytes);
}

}  // namespace
}  // namespace io
