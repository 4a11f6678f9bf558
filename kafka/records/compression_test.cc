#include "kafka/records/compression.h"

#include <gtest/gtest.h>
#include <snappy.h>

#include <thread>

#include "kafka/records/samples.h"

namespace kafka {
namespace {

constexpr size_t budget = 8 << 20;

base::Bytes packed(Codec codec, base::View in, std::optional<int> level = {}) {
    base::Bytes out;
    compress({codec, level}, in, out);
    return out;
}

class CompressionTest : public testing::TestWithParam<Codec> {};

TEST_P(CompressionTest, RoundTripsEverySize) {
    for (const size_t size : {0u, 1u, 100u, 32768u, 32769u, 65536u, 1'000'000u}) {
        const auto plain = sample_text(size, size + 1);
        const auto out = decompress(GetParam(), packed(GetParam(), plain), budget);
        ASSERT_TRUE(out.ok()) << size << ": " << out.status();
        EXPECT_TRUE(base::equal(out->bytes(), plain)) << size;
    }
}

TEST_P(CompressionTest, AppendsToWhatIsThere) {
    base::Bytes out = sample_text(10);
    compress({GetParam(), {}}, sample_text(1000), out);
    EXPECT_TRUE(base::equal(base::View(out).first(10), sample_text(10)));
    EXPECT_TRUE(decompress(GetParam(), base::View(out).subspan(10), budget).ok());
}

TEST_P(CompressionTest, TheBudgetIsExact) {
    for (const size_t size : {1u, 1000u, 70'000u, 1'000'000u}) {
        const auto in = packed(GetParam(), base::Bytes(size, std::byte{'z'}));
        EXPECT_TRUE(decompress(GetParam(), in, size).ok()) << size;
        const auto over = decompress(GetParam(), in, size - 1);
        EXPECT_TRUE(absl::IsResourceExhausted(over.status())) << size << ": " << over.status();
    }
    EXPECT_TRUE(decompress(GetParam(), packed(GetParam(), {}), 0).ok());
}

TEST_P(CompressionTest, ABombStopsAtTheBudget) {
    if (GetParam() == Codec::none) return;
    const auto in = packed(GetParam(), base::Bytes(16 << 20), 1);
    const auto out = decompress(GetParam(), in, 1 << 20);
    EXPECT_TRUE(absl::IsResourceExhausted(out.status())) << out.status();
}

TEST_P(CompressionTest, CutAndTrailingBytesAreRefused) {
    if (GetParam() == Codec::none) return;
    auto in = packed(GetParam(), sample_text(3000));
    for (size_t size = 0; size < in.size(); ++size) {
        // Snappy's framing may end after any block: here after none, behind its header.
        if (GetParam() == Codec::snappy && size == 16) continue;
        EXPECT_TRUE(
            absl::IsDataLoss(decompress(GetParam(), base::View(in).first(size), budget).status()))
            << size;
    }
    in.push_back(std::byte{1});
    EXPECT_TRUE(absl::IsDataLoss(decompress(GetParam(), in, budget).status()));
}

TEST_P(CompressionTest, FlippedBitsNeverEscapeTheBudget) {
    const auto in = packed(GetParam(), sample_text(500));
    for (size_t bit = 0; bit < in.size() * 8; ++bit) {
        auto bad = in;
        bad[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
        const auto out = decompress(GetParam(), bad, 4096);
        if (out.ok()) {
            EXPECT_LE(out->bytes().size(), 4096u);
        }
    }
}

TEST_P(CompressionTest, LevelsMayChangeFromBatchToBatch) {
    const auto plain = sample_text(20'000);
    for (const int level : {1, 9, 3, 1}) {
        const auto out = decompress(GetParam(), packed(GetParam(), plain, level), budget);
        ASSERT_TRUE(out.ok()) << level;
        EXPECT_TRUE(base::equal(out->bytes(), plain)) << level;
    }
}

INSTANTIATE_TEST_SUITE_P(Codecs, CompressionTest, testing::ValuesIn(all_codecs),
                         [](const auto& info) { return std::string(name(info.param)); });

TEST(Compression, RawSnappyIsTaken) {
    const auto plain = sample_text(50'000);
    std::string raw;
    snappy::Compress(reinterpret_cast<const char*>(plain.data()), plain.size(), &raw);
    const auto out = decompress(Codec::snappy, base::as_bytes(raw), budget);
    ASSERT_TRUE(out.ok()) << out.status();
    EXPECT_TRUE(base::equal(out->bytes(), plain));
    EXPECT_TRUE(
        absl::IsResourceExhausted(decompress(Codec::snappy, base::as_bytes(raw), 49'999).status()));
}

TEST(Compression, SnappyThatClaimsMoreThanItCanHoldIsCorrupt) {
    const std::string claim("\xff\xff\xff\x1f\x00\x00", 6);  // 64 MiB out of two bytes
    EXPECT_TRUE(
        absl::IsDataLoss(decompress(Codec::snappy, base::as_bytes(claim), budget).status()));
}

TEST(Compression, GzipMembersMayFollowOneAnother) {
    auto in = packed(Codec::gzip, base::as_bytes("one "));
    const auto second = packed(Codec::gzip, base::as_bytes("two"));
    in.insert(in.end(), second.begin(), second.end());
    const auto out = decompress(Codec::gzip, in, 7);
    ASSERT_TRUE(out.ok()) << out.status();
    EXPECT_EQ(base::as_text(out->bytes()), "one two");
}

TEST(Compression, TwoResultsMayLiveAtOnce) {
    const auto a = packed(Codec::lz4, base::as_bytes("first"));
    const auto b = packed(Codec::zstd, base::as_bytes("second"));
    auto one = decompress(Codec::lz4, a, budget);
    auto two = decompress(Codec::zstd, b, budget);
    EXPECT_EQ(base::as_text(one->bytes()), "first");
    EXPECT_EQ(base::as_text(two->bytes()), "second");
    *one = *std::move(two);
    EXPECT_EQ(base::as_text(one->bytes()), "second");
}

TEST(Compression, EachThreadHasItsOwnContexts) {
    const auto work = [](uint64_t seed) {
        for (const auto codec : all_codecs) {
            const auto plain = sample_text(100'000, seed);
            const auto out = decompress(codec, packed(codec, plain), budget);
            ASSERT_TRUE(out.ok());
            ASSERT_TRUE(base::equal(out->bytes(), plain));
        }
    };
    std::thread a(work, 1), b(work, 2);
    a.join();
    b.join();
}

}  // namespace
}  // namespace kafka
