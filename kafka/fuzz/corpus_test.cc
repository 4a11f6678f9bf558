#include "kafka/fuzz/frame.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace kafka {
namespace {

TEST(FuzzFrame, TheCorpusIsTakenWithoutFault) {
    size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(MOLDAU_CORPUS)) {
        SCOPED_TRACE(entry.path());
        std::ifstream in(entry.path(), std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(in), {}};
        fuzz_frame(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
        ++files;
    }
    EXPECT_GT(files, 0u);
}

}  // namespace
}  // namespace kafka
