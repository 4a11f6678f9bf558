// Runs a fuzz target over its kept corpus, in every test run and with any compiler.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

TEST(Corpus, EveryInputPasses) {
    size_t inputs = 0;
    for (const auto& entry : std::filesystem::directory_iterator(MOLDAU_CORPUS)) {
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string input(std::istreambuf_iterator<char>(file), {});
        EXPECT_EQ(
            LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size()),
            0);
        ++inputs;
    }
    EXPECT_GT(inputs, 0u);
}
