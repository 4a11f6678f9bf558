#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "storage/fuzz/storage_fuzz.h"

namespace storage {
namespace {

using Target = int (*)(const uint8_t*, size_t);

void take_corpus(const std::string& name, Target target) {
    size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(MOLDAU_CORPUS "/" + name)) {
        SCOPED_TRACE(entry.path());
        std::ifstream in(entry.path(), std::ios::binary);
        std::string bytes{std::istreambuf_iterator<char>(in), {}};
        const auto run = [&] {
            target(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
        };
        run();
        // And what lies near: each byte changed, and every length.
        for (char& byte : bytes) {
            byte = static_cast<char>(byte ^ 0x21);
            run();
            byte = static_cast<char>(byte ^ 0x21);
        }
        for (; !bytes.empty(); bytes.pop_back()) run();
        ++files;
    }
    EXPECT_GT(files, 0u);
}

TEST(StorageCorpus, Segment) { take_corpus("segment", fuzz_segment); }
TEST(StorageCorpus, Index) { take_corpus("index", fuzz_index); }
TEST(StorageCorpus, ProducerSnapshot) { take_corpus("producer_snapshot", fuzz_producer_snapshot); }
TEST(StorageCorpus, Checkpoint) { take_corpus("checkpoint", fuzz_checkpoint); }

}  // namespace
}  // namespace storage
