#include "lab/checker.h"

#include <gtest/gtest.h>

#include "lab/sim/fake_run.h"

namespace lab {
namespace {

constexpr int64_t ms = 1'000'000;

/// One producer (0), one partition (0) and the last reader (1).
class CheckerTest : public testing::Test {
  protected:
    CheckerTest() {
        add({.op = Op::name_partition, .name = "t/0"});
        add({.op = Op::name_process, .flags = flag::idempotent, .process = 0, .name = "p"});
        add({.op = Op::name_process, .process = 1, .name = "r"});
    }
    base::Status try_to_add(Event e) {
        e.time_ns = now_ns_;
        return checker_.add(e);
    }
    void add(Event e) { ASSERT_TRUE(try_to_add(std::move(e)).ok()); }
    void send(uint64_t counter) {
        add({.op = Op::send, .phase = Phase::invoke, .value = {0, counter}});
    }
    void answer(uint64_t counter, Phase phase, base::Offset offset = -1) {
        add({.op = Op::send, .phase = phase, .offset = offset, .value = {0, counter}});
    }
    void drain(base::Offset from, const std::vector<uint64_t>& counters) {
        base::Offset at = from;
        for (const uint64_t counter : counters)
            add({.op = Op::drain, .process = 1, .offset = at++, .value = {0, counter}});
        add({.op = Op::drained, .process = 1, .offset = from, .until = at});
    }

    int64_t now_ns_ = 0;
    Checker checker_;
};

TEST_F(CheckerTest, CountsWhatBecameOfValues) {
    for (uint64_t i = 0; i < 4; ++i) send(i);
    answer(0, Phase::ok, 0);
    answer(1, Phase::fail);
    answer(2, Phase::info);
    drain(0, {0});
    const Report report = checker_.finish();
    EXPECT_TRUE(report.good());
    const PartitionReport& p = report.partitions.at(0);
    EXPECT_EQ(p.name, "t/0");
    EXPECT_EQ(p.sent, 4U);
    EXPECT_EQ(p.acknowledged, 1U);
    EXPECT_EQ(p.refused, 1U);
    EXPECT_EQ(p.in_doubt, 1U);
    EXPECT_EQ(p.drained, 1U);
}

TEST_F(CheckerTest, WhatRetentionRemovedIsNotLost) {
    send(0);
    send(1);
    answer(0, Phase::ok, 0);
    answer(1, Phase::ok, 1);
    drain(1, {1});
    EXPECT_TRUE(checker_.finish().good());
}

TEST_F(CheckerTest, AValueInDoubtMayComeLateButNotBetween) {
    send(0);
    send(1);
    send(2);
    answer(0, Phase::info);
    answer(1, Phase::ok, 0);
    answer(2, Phase::ok, 1);
    drain(0, {1, 2, 0});
    EXPECT_TRUE(checker_.finish().good());
}

TEST_F(CheckerTest, ALaterValueBeforeAnAcknowledgedOneIsAReorder) {
    send(0);
    send(1);
    answer(1, Phase::info);
    answer(0, Phase::ok, 1);
    drain(0, {1, 0});
    EXPECT_EQ(checker_.finish().findings.count(Anomaly::producer_reorder), 1U);
}

TEST_F(CheckerTest, GapsAreTimesWithoutAnAcknowledgementWhileOneIsDue) {
    send(0);
    now_ns_ = 10 * ms;
    answer(0, Phase::ok, 0);
    now_ns_ = 5'000 * ms;  // nothing is due
    send(1);
    send(2);
    now_ns_ = 5'060 * ms;
    answer(1, Phase::ok, 1);
    now_ns_ = 5'260 * ms;
    answer(2, Phase::ok, 2);
    drain(0, {0, 1, 2});
    const Report report = checker_.finish();
    const PartitionReport& p = report.partitions.at(0);
    EXPECT_EQ(p.longest_gap.length_ns, 200 * ms);
    EXPECT_EQ(p.longest_gap.from_ns, 5'060 * ms);
    EXPECT_EQ(p.gaps.size(), 2U);
}

TEST_F(CheckerTest, AHistoryThatContradictsItselfIsRefused) {
    EXPECT_FALSE(try_to_add({.op = Op::send, .phase = Phase::invoke, .value = {0, 7}}).ok());
    EXPECT_FALSE(try_to_add({.op = Op::send, .phase = Phase::ok, .value = {0, 0}}).ok());
    EXPECT_FALSE(try_to_add({.op = Op::poll, .process = 1, .partition = 3, .offset = 0}).ok());
    EXPECT_FALSE(try_to_add({.op = Op::poll, .process = 9, .offset = 0}).ok());
    EXPECT_FALSE(try_to_add({.op = Op::poll, .process = 1, .offset = -1}).ok());
    EXPECT_FALSE(try_to_add({.op = Op::name_process, .process = 0, .name = "other"}).ok());
    send(0);
    answer(0, Phase::ok, 0);
    EXPECT_FALSE(
        try_to_add({.op = Op::send, .phase = Phase::ok, .offset = 1, .value = {0, 0}}).ok());
}

TEST_F(CheckerTest, KeepsOnlyTheFirstOfManyButCountsAll) {
    for (uint64_t i = 0; i < 100; ++i) {
        send(i);
        answer(i, Phase::ok, static_cast<base::Offset>(i));
    }
    drain(0, {});
    const Report report = checker_.finish();
    EXPECT_EQ(report.findings.count(Anomaly::lost), 100U);
    EXPECT_EQ(report.findings.kept().size(), Findings::kept_of_each);
}

}  // namespace
}  // namespace lab
