#include "controller/raft/log.h"

#include <gtest/gtest.h>

namespace raft {
namespace {

class Stored final : public Storage {
  public:
    base::Result<std::vector<Entry>> entries(Index from, Index end, size_t most) const override {
        std::vector<Entry> out;
        size_t bytes = 0;
        for (Index i = from; i < end && (out.empty() || bytes < most); ++i) {
            if (i > static_cast<Index>(all.size())) return base::data_loss("missing");
            out.push_back(all[static_cast<size_t>(i - 1)]);
            bytes += out.back().bytes();
        }
        return out;
    }
    base::Result<Chunk> snapshot_chunk(Index, uint32_t) const override {
        return base::not_found("none");
    }
    std::vector<Entry> all;
};

Entry entry(Term term, std::string data = "x") { return {term, EntryKind::data, std::move(data)}; }

class LogTest : public testing::Test {
  protected:
    Stored stored_;
    Log log_{stored_, {}, 0};
};

TEST_F(LogTest, KnowsTheTermOfEachEntry) {
    for (const Term term : {1, 1, 3, 3, 3, 4}) log_.append(entry(term));
    EXPECT_EQ(log_.term_at(0), 0);
    EXPECT_EQ(log_.term_at(2), 1);
    EXPECT_EQ(log_.term_at(3), 3);
    EXPECT_EQ(log_.term_at(6), 4);
    EXPECT_FALSE(log_.term_at(7));
    log_.truncate(4);
    EXPECT_EQ(log_.last_position(), (Position{3, 3}));
    log_.truncate(3);
    EXPECT_EQ(log_.last_position(), (Position{2, 1}));
}

TEST_F(LogTest, FindsWhereATermCouldMeet) {
    for (const Term term : {1, 1, 3, 3, 3, 4}) log_.append(entry(term));
    EXPECT_EQ(log_.newest_of_term(10, 9), (Position{6, 4}));
    EXPECT_EQ(log_.newest_of_term(6, 3), (Position{5, 3}));
    EXPECT_EQ(log_.newest_of_term(4, 3), (Position{4, 3}));
    EXPECT_EQ(log_.newest_of_term(6, 2), (Position{2, 1}));
    EXPECT_EQ(log_.newest_of_term(6, 0), (Position{0, 0}));
}

TEST_F(LogTest, ReadsFromStorageWhatLeftTheMemory) {
    for (int i = 0; i < 5; ++i) {
        stored_.all.push_back(entry(1, std::to_string(i)));
        log_.append(stored_.all.back());
    }
    log_.evict(3);
    EXPECT_EQ(log_.bytes_in_memory(), 2 * (1 + Entry::kOverhead));
    const auto old = log_.entries(2, 6, SIZE_MAX, SIZE_MAX);
    ASSERT_TRUE(old.ok());
    EXPECT_EQ(old->size(), 2) << "up to what is in memory";
    EXPECT_EQ(old->front().data, "1");
    EXPECT_EQ(log_.entries(4, 6, SIZE_MAX, SIZE_MAX)->size(), 2);
    EXPECT_EQ(log_.entries(4, 6, 1, SIZE_MAX)->size(), 1);
    EXPECT_EQ(log_.entries(4, 6, SIZE_MAX, 1)->size(), 1);
}

TEST_F(LogTest, IsLoadedWithoutHoldingItAll) {
    for (int i = 0; i < 100; ++i) stored_.all.push_back(entry(1 + i / 50));
    ASSERT_TRUE(log_.load(100, 90).ok());
    EXPECT_EQ(log_.last_position(), (Position{100, 2}));
    EXPECT_EQ(log_.bytes_in_memory(), 10 * (1 + Entry::kOverhead));
    Log torn{stored_, {}, 0};
    EXPECT_FALSE(torn.load(101, 0).ok());
}

TEST_F(LogTest, AConfigurationIsInForceWhenAppendedAndRevertsWithItsEntry) {
    Configuration one;
    one.voters[{0, {1, 1}}] = "a";
    auto two = one;
    two.learners[{1, {1, 1}}] = "b";
    log_.append({1, EntryKind::configuration, one.encode()});
    log_.append(entry(1));
    log_.append({1, EntryKind::configuration, two.encode()});
    EXPECT_EQ(log_.configuration(), two);
    EXPECT_EQ(log_.configuration_index(), 3);
    log_.truncate(3);
    EXPECT_EQ(log_.configuration(), one);
    log_.append({2, EntryKind::configuration, two.encode()});
    const auto snapshot = log_.compact(2);
    EXPECT_EQ(snapshot.position, (Position{2, 1}));
    EXPECT_EQ(snapshot.configuration, one);
    EXPECT_EQ(log_.configuration(), two);
    EXPECT_FALSE(log_.term_at(1));
    EXPECT_EQ(log_.term_at(2), 1);
    log_.reset({{7, 3}, one});
    EXPECT_EQ(log_.last_position(), (Position{7, 3}));
    EXPECT_EQ(log_.configuration(), one);
}

}  // namespace
}  // namespace raft
