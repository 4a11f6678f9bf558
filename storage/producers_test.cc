#include "storage/producers.h"

#include <gtest/gtest.h>

#include <limits>

namespace storage {
namespace {

using kafka::ErrorCode;
constexpr int32_t most = std::numeric_limits<int32_t>::max();

Producers::Claim claim(int32_t first, int32_t last, int16_t epoch = 0) {
    return {.id = {7}, .epoch = epoch, .first_sequence = first, .last_sequence = last};
}

ProducerBatch batch(const Producers::Claim& c, base::Offset first) {
    return {c.first_sequence, c.last_sequence, first, first + 1, 1000 + first};
}

/// Batches of two records, from sequence 0 on.
Producers after(int batches) {
    Producers p;
    for (int i = 0; i < batches; ++i) {
        const auto c = claim(2 * i, 2 * i + 1);
        p.record(c, batch(c, 2 * i));
    }
    return p;
}

ErrorCode verdict(const Producers& p, const Producers::Claim& c) {
    const auto done = p.check(c);
    return done.ok() ? ErrorCode::none : done.error().code;
}

TEST(Producers, AnUnknownProducerMayBeginAnywhere) {
    EXPECT_EQ(verdict(Producers(), claim(41, 42)), ErrorCode::none);
}

TEST(Producers, TheNextSequenceIsAccepted) {
    EXPECT_EQ(verdict(after(3), claim(6, 9)), ErrorCode::none);
    EXPECT_EQ(verdict(after(3), claim(7, 9)), ErrorCode::out_of_order_sequence_number);
    EXPECT_EQ(verdict(after(3), claim(5, 6)), ErrorCode::out_of_order_sequence_number);
}

TEST(Producers, SequencesBeginAnewAfterTheLargest) {
    Producers p;
    const auto c = claim(most - 1, most);
    p.record(c, batch(c, 0));
    EXPECT_EQ(verdict(p, claim(0, 1)), ErrorCode::none);
    EXPECT_EQ(verdict(p, claim(1, 2)), ErrorCode::out_of_order_sequence_number);
}

TEST(Producers, ARetryOfTheLastFiveGetsItsOffsets) {
    const Producers p = after(7);
    for (int i = 2; i < 7; ++i) {
        const auto found = p.check(claim(2 * i, 2 * i + 1));
        ASSERT_TRUE(found.ok() && found->has_value()) << i;
        EXPECT_EQ((**found).first_offset, 2 * i);
    }
    EXPECT_EQ(verdict(p, claim(2, 3)), ErrorCode::out_of_order_sequence_number) << "the sixth";
    EXPECT_EQ(verdict(p, claim(12, 12)), ErrorCode::out_of_order_sequence_number)
        << "the same first, another last";
}

TEST(Producers, EpochsFence) {
    Producers p = after(2);
    EXPECT_EQ(verdict(p, claim(1, 1, 1)), ErrorCode::out_of_order_sequence_number);
    EXPECT_EQ(verdict(p, claim(0, 0, 1)), ErrorCode::none);
    const auto c = claim(0, 0, 1);
    p.record(c, batch(c, 4));
    EXPECT_EQ(verdict(p, claim(4, 5, 0)), ErrorCode::invalid_producer_epoch);
    EXPECT_EQ(verdict(p, claim(2, 3, 0)), ErrorCode::invalid_producer_epoch) << "not even a retry";
    EXPECT_EQ(p.states().at({7}).batches.size(), 1u) << "a new epoch clears the five";
}

TEST(Producers, OutsideOfItsOpenTransactionAProducerIsRefused) {
    Producers p;
    auto c = claim(0, 1);
    c.transactional = true;
    p.record(c, batch(c, 10));
    EXPECT_EQ(p.states().at({7}).current_transaction_start, 10);
    EXPECT_EQ(verdict(p, claim(2, 2)), ErrorCode::invalid_txn_state);
    Producers::Claim marker{.id = {7}, .epoch = 0, .transactional = true, .control = true};
    p.record(marker, batch(marker, 12));
    EXPECT_EQ(p.states().at({7}).current_transaction_start, -1);
    EXPECT_EQ(verdict(p, claim(2, 2)), ErrorCode::none);
}

TEST(Producers, ExpireByTheLastWriteNotByOldTimestamps) {
    Producers p;
    const auto c = claim(0, 1);
    p.record(c, batch(c, 0), 90'000);
    p.expire(90'500, 1000);
    EXPECT_EQ(p.states().size(), 1u);
    p.expire(91'000, 1000);
    EXPECT_TRUE(p.states().empty());
}

TEST(Producers, OpenTransactionsDoNotExpire) {
    Producers p;
    auto c = claim(0, 1);
    c.transactional = true;
    p.record(c, batch(c, 0), 0);
    p.expire(1'000'000'000, 1000);
    EXPECT_EQ(p.states().size(), 1u);
}

TEST(Producers, SurviveSerialization) {
    Producers p = after(9);
    Producers::Claim other{.id = {3}, .epoch = 4, .first_sequence = 0, .last_sequence = 0};
    p.record(other, batch(other, 100));
    const std::string text = p.serialize();
    const auto back = Producers::parse(text);
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(back->serialize(), text);
    EXPECT_EQ(back->states().at({3}).epoch, 4);
}

TEST(Producers, EveryFlippedBitAndEveryPrefixIsFound) {
    const std::string text = after(2).serialize();
    for (size_t i = 0; i < text.size(); ++i) {
        EXPECT_FALSE(Producers::parse(text.substr(0, i)).ok()) << i;
        std::string bad = text;
        bad[i] = static_cast<char>(bad[i] ^ 4);
        EXPECT_FALSE(Producers::parse(bad).ok()) << i;
    }
}

}  // namespace
}  // namespace storage
