#include "broker/frames.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "base/endian.h"

namespace broker {
namespace {

using State = FrameReader::State;

std::string framed(const std::string& body) {
    std::string out(4, '\0');
    base::store_be(reinterpret_cast<std::byte*>(out.data()), static_cast<int32_t>(body.size()));
    return out + body;
}

/// Feeds `stream` in pieces of random size and returns the frames that came out.
std::vector<std::string> cut(FrameReader& reader, std::string_view stream, uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<std::string> frames;
    for (;;) {
        const State state = reader.advance();
        if (state == State::ready) {
            frames.emplace_back(base::as_text(reader.take().bytes));
            continue;
        }
        if (state != State::need_bytes || stream.empty()) return frames;
        const auto space = reader.space();
        EXPECT_FALSE(space.empty());
        const size_t n = std::min({space.size(), stream.size(), size_t{1} + random() % 40'000});
        std::memcpy(space.data(), stream.data(), n);
        reader.received(n);
        stream.remove_prefix(n);
    }
}

TEST(Frames, ComeOutWholeHoweverTheBytesArrive) {
    for (uint32_t seed = 0; seed < 200; ++seed) {
        std::mt19937 random(seed);
        MemoryBudget budget(1 << 30);
        FrameReader reader(1 << 20, budget);
        std::vector<std::string> sent;
        std::string stream;
        for (int i = 0; i < 30; ++i) {
            const size_t size = random() % 3 == 0 ? random() % 100'000 : random() % 300;
            sent.emplace_back(size, static_cast<char>('a' + i % 26));
            stream += framed(sent.back());
        }
        EXPECT_EQ(cut(reader, stream, seed), sent) << "seed " << seed;
        EXPECT_FALSE(reader.inside_frame());
        EXPECT_EQ(budget.used(), 0u);
    }
}

TEST(Frames, AFrameThatFillsTheChunkToTheLastByte) {
    for (size_t size = (16 << 10) - 8; size < (16 << 10) + 8; ++size) {
        MemoryBudget budget(1 << 20);
        FrameReader reader(1 << 20, budget);
        const std::string body(size, 'x');
        EXPECT_EQ(cut(reader, framed(body) + framed("next"), 7),
                  (std::vector{body, std::string("next")}));
    }
}

TEST(Frames, LengthsOutOfRangeAreRefusedBeforeAnyMemoryIsTaken) {
    for (int32_t length :
         {-1, std::numeric_limits<int32_t>::min(), 1001, std::numeric_limits<int32_t>::max()}) {
        MemoryBudget budget(1 << 20);
        FrameReader reader(1000, budget);
        auto space = reader.space();
        base::store_be(space.data(), length);
        reader.received(4);
        EXPECT_EQ(reader.advance(), State::bad_length);
        EXPECT_EQ(reader.refused_length(), length);
        EXPECT_EQ(budget.used(), 0u);
    }
}

TEST(Frames, WaitForMemoryAndGoOnWhenItIsGivenBack) {
    MemoryBudget budget(100'000);
    FrameReader reader(1 << 20, budget);
    ASSERT_TRUE(budget.take(60'000));
    EXPECT_TRUE(cut(reader, framed(std::string(50'000, 'x')).substr(0, 1000), 1).empty());
    EXPECT_EQ(reader.advance(), State::need_memory);
    budget.give_back(60'000);
    EXPECT_EQ(reader.advance(), State::need_bytes);
    EXPECT_EQ(budget.used(), 50'000u);
}

TEST(Frames, HoldTheirMemoryUntilTheyGo) {
    MemoryBudget budget(1 << 20);
    FrameReader reader(1 << 20, budget);
    const std::string body(50'000, 'b');
    std::string_view stream;
    const std::string whole = framed(body);
    for (stream = whole; reader.advance() == State::need_bytes && !stream.empty();) {
        const auto space = reader.space();
        const size_t n = std::min(space.size(), stream.size());
        std::memcpy(space.data(), stream.data(), n);
        reader.received(n);
        stream.remove_prefix(n);
    }
    ASSERT_EQ(reader.advance(), State::ready);
    {
        const Frame frame = reader.take();
        EXPECT_EQ(budget.used(), body.size());
        // A later frame does not disturb this one.
        EXPECT_EQ(cut(reader, framed(std::string(20'000, 'y')) + framed("z"), 3).size(), 2u);
        EXPECT_EQ(base::as_text(frame.bytes), body);
    }
    EXPECT_EQ(budget.used(), 0u);
}

TEST(Frames, AClaimAloneHoldsLittle) {
    MemoryBudget budget(512 << 20);
    FrameReader reader(100 << 20, budget);
    base::store_be(reader.space().data(), int32_t{100 << 20});
    reader.received(4);
    EXPECT_EQ(reader.advance(), State::need_bytes);
    EXPECT_LE(budget.used(), size_t{1} << 20);
}

TEST(Frames, SmallOnesPassWhenLargeOnesHaveTakenAll) {
    MemoryBudget budget(1000);
    ASSERT_TRUE(budget.take(1000));
    FrameReader reader(1 << 20, budget);
    EXPECT_EQ(cut(reader, framed("heartbeat"), 1), std::vector<std::string>{"heartbeat"});
}

TEST(Frames, ALargeOneTakesItsMemoryAsItArrives) {
    MemoryBudget budget(size_t{64} << 20);
    FrameReader reader(16 << 20, budget);
    const std::string body(5 << 20, 'x');
    EXPECT_EQ(cut(reader, framed(body), 3), std::vector{body});
    EXPECT_EQ(budget.used(), 0u);
}

TEST(Frames, OneLargerThanTheBudgetIsLetInAlone) {
    MemoryBudget budget(1000);
    FrameReader reader(1 << 20, budget);
    EXPECT_EQ(cut(reader, framed(std::string(50'000, 'x')), 1).size(), 1u);
}

}  // namespace
}  // namespace broker
