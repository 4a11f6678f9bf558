#include "lab/history.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "lab/history_files.h"
#include "lab/outcome.h"
#include "lab/payload.h"
#include "lab/sim/fake_run.h"

namespace lab {
namespace {

constexpr uint64_t run = 0x1234567890abcdef;

base::Bytes encoded(const std::vector<Event>& events) {
    HistoryEncoder encoder(run);
    for (const Event& e : events) encoder.add(e);
    return encoder.take();
}

TEST(History, ComesBackAsItWasWritten) {
    auto events = sim::fake_run(1);
    events.push_back({.time_ns = events.back().time_ns,
                      .op = Op::send,
                      .phase = Phase::info,
                      .flags = 255,
                      .code = INT16_MIN,
                      .process = UINT32_MAX,
                      .partition = UINT32_MAX,
                      .group = UINT32_MAX,
                      .epoch = INT32_MIN,
                      .offset = INT64_MIN,
                      .until = INT64_MAX,
                      .value = {UINT32_MAX, UINT64_MAX},
                      .hash = UINT64_MAX});
    const base::Bytes bytes = encoded(events);
    auto decoder = HistoryDecoder::begin(bytes);
    ASSERT_TRUE(decoder.ok());
    EXPECT_EQ(decoder->run(), run);
    Event event;
    for (const Event& e : events) {
        ASSERT_TRUE(decoder->next(event).value());
        EXPECT_EQ(event, e);
    }
    EXPECT_FALSE(decoder->next(event).value());
    EXPECT_EQ(decoder->cut(), 0U);
}

TEST(History, IsGoodUpToWhereItIsCutShort) {
    const auto events = sim::fake_run(2);
    const base::Bytes bytes = encoded({events.begin(), events.begin() + 20});
    for (size_t size = bytes.size() - 30; size < bytes.size(); ++size) {
        auto decoder = HistoryDecoder::begin(base::View(bytes).first(size));
        ASSERT_TRUE(decoder.ok());
        Event event;
        size_t count = 0;
        for (auto more = decoder->next(event); more.value(); more = decoder->next(event)) {
            EXPECT_EQ(event, events[count]);
            ++count;
        }
        EXPECT_LT(count, 20U);
    }
}

TEST(History, WhatIsNoneIsRefused) {
    EXPECT_FALSE(HistoryDecoder::begin({}).ok());
    EXPECT_FALSE(HistoryDecoder::begin(base::as_bytes("something else that is long enough")).ok());
    const base::Bytes good = encoded({Event{}});
    for (const size_t at : {2UL, 3UL, 5UL}) {
        base::Bytes bytes = good;
        bytes[25 + at] = std::byte{0xff};
        auto decoder = HistoryDecoder::begin(bytes);
        Event event;
        EXPECT_FALSE(decoder->next(event).ok()) << at;
    }
}

class HistoryFilesTest : public testing::Test {
  protected:
    std::string path(const std::string& name) const {
        return testing::TempDir() + "moldau-history-" + std::to_string(::getpid()) + name;
    }
    ~HistoryFilesTest() override {
        for (const char* name : {"a", "b"}) std::remove(path(name).c_str());
    }
};

TEST_F(HistoryFilesTest, AreReadAsOne) {
    {
        auto a = *HistoryFile::create(path("a"), run);
        auto b = *HistoryFile::create(path("b"), run);
        a->add({.op = Op::name_partition, .partition = 0, .name = "x/0"});
        b->add({.op = Op::name_partition, .partition = 0, .name = "y/0"});
        b->add({.op = Op::name_partition, .partition = 1, .name = "x/0"});
        b->add({.op = Op::replica, .process = 2, .partition = 1, .offset = 0, .until = 5});
        a->add({.op = Op::replica, .process = 1, .partition = 0, .offset = 0, .until = 6});
        EXPECT_TRUE(a->flush().ok());
    }
    const auto report = check_files({path("a"), path("b")});
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(report->events, 5U);
    EXPECT_EQ(report->partitions.size(), 2U);
    EXPECT_EQ(report->findings.count(Anomaly::replica_hash), 1U);
}

TEST_F(HistoryFilesTest, OfTwoRunsAreRefused) {
    ASSERT_TRUE(HistoryFile::create(path("a"), 1).ok());
    ASSERT_TRUE(HistoryFile::create(path("b"), 2).ok());
    EXPECT_FALSE(check_files({path("a"), path("b")}).ok());
    EXPECT_FALSE(check_files({path("missing")}).ok());
}

TEST(Payload, SaysWhatItIs) {
    const Payload payload{.run = run, .value = {3, 17}, .partition = 2, .topic = "topic"};
    const base::Bytes bytes = encode_payload(payload, 100);
    EXPECT_EQ(bytes.size(), 100U);
    const auto good = receive_payload(bytes, run, "topic", 2);
    EXPECT_EQ(good.value, (Value{3, 17}));
    EXPECT_EQ(good.flags, 0);
    EXPECT_EQ(receive_payload(bytes, run, "topic", 1).flags, flag::misrouted);
    EXPECT_EQ(receive_payload(bytes, run, "topik", 2).flags, flag::misrouted);
    EXPECT_EQ(receive_payload(bytes, 1, "topic", 2).flags, flag::foreign);
    EXPECT_EQ(receive_payload({}, run, "topic", 2).flags, flag::corrupt);
    for (size_t i = 0; i < bytes.size(); ++i) {
        base::Bytes damaged = bytes;
        damaged[i] ^= std::byte{1};
        EXPECT_EQ(receive_payload(damaged, run, "topic", 2).flags, flag::corrupt) << i;
    }
}

TEST(Outcome, IsARefusalOnlyIfNoAttemptIsInDoubt) {
    EXPECT_EQ(failed_send(19, true), Phase::fail);
    EXPECT_EQ(failed_send(90, true), Phase::fail);
    EXPECT_EQ(failed_send(19, false), Phase::info);
    for (const int code : {7, 13, 20, 56, -1, -192})
        EXPECT_EQ(failed_send(code, true), Phase::info);
}

}  // namespace
}  // namespace lab
