#include "controller/quorum/chunks.h"

#include <gtest/gtest.h>

#include "controller/quorum/testing.h"
#include "metadata/snapshot.h"

namespace quorum {
namespace {

base::Result<metadata::ImagePtr> image_of(const std::vector<std::string>& chunks,
                                          const metadata::LogPosition& at) {
    ImageReader reader;
    for (const auto& chunk : chunks) RETURN_IF_ERROR(reader.add(chunk));
    return reader.finish(at);
}

TEST(Chunks, TheImageComesBackWhateverTheSize) {
    const auto image = image_with_topics(300, {301, 4});
    for (const size_t size : {size_t{1}, size_t{100}, size_t{5000}, kChunkBytes}) {
        const auto chunks = chunks_of(*image, size);
        EXPECT_EQ(chunks, chunks_of(*image, size));
        auto back = image_of(chunks, {301, 4});
        ASSERT_TRUE(back.ok()) << back.status();
        EXPECT_EQ(metadata::hash(**back), metadata::hash(*image));
    }
    EXPECT_EQ(chunks_of(*image, 1).size(), 301u) << "a record is never cut";
    EXPECT_EQ(chunks_of(*image).size(), 1u);
}

TEST(Chunks, TheEmptyImageHasOnePart) {
    const auto chunks = chunks_of(*metadata::Image::empty());
    ASSERT_EQ(chunks.size(), 1u);
    auto back = image_of(chunks, {});
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(metadata::hash(**back), metadata::hash(*metadata::Image::empty()));
}

TEST(Chunks, WhatCantBeReadIsRefused) {
    EXPECT_EQ(image_of({"\xff"}, {}).status().code(), absl::StatusCode::kDataLoss);
    auto twice = chunks_of(*image_with_topics(1, {}));
    twice.push_back(twice.front());
    EXPECT_EQ(image_of(twice, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace quorum
