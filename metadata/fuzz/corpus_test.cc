// Every file of the kept corpora once more: what fuzzing found stays found.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "metadata/fuzz/metadata_fuzz.h"

namespace metadata {
namespace {

void replay(const std::string& folder, int (*target)(const uint8_t*, size_t)) {
    size_t files = 0;
    for (const auto& file :
         std::filesystem::directory_iterator(std::string(MOLDAU_CORPUS "/") + folder)) {
        std::ifstream in(file.path(), std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(in), {}};
        target(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
        ++files;
    }
    EXPECT_GT(files, 0u);
}

TEST(MetadataCorpus, Properties) { replay("properties", fuzz_properties); }
TEST(MetadataCorpus, Records) { replay("metadata_records", fuzz_metadata_records); }

}  // namespace
}  // namespace metadata
