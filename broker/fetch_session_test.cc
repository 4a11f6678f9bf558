#include "broker/fetch_session.h"

#include <gtest/gtest.h>

namespace broker {
namespace {

using kafka::ErrorCode;

FetchWant want(const std::string& topic, int32_t index, base::Offset offset = 0) {
    return {.target = {.topic = {}, .name = topic, .index = index}, .offset = offset};
}
std::vector<int32_t> order(const FetchSession& s) {
    std::vector<int32_t> out;
    for (const auto& w : s.wants()) out.push_back(w.target.index);
    return out;
}

TEST(FetchSessions, AFullFetchAsksForASessionAndAClosingOneEndsIt) {
    FetchSessions sessions(10);
    const auto first = sessions.open({.id = 0, .epoch = 0}, 0);
    EXPECT_TRUE(first.create);
    const auto session = sessions.create(false, 5, 0);
    EXPECT_EQ(session->id(), 5);
    const auto last = sessions.open({.id = 5, .epoch = -1}, 0);
    EXPECT_FALSE(last.create);
    EXPECT_EQ(last.error, ErrorCode::none);
    EXPECT_EQ(sessions.open({.id = 5, .epoch = 1}, 0).error, ErrorCode::fetch_session_id_not_found);
}

TEST(FetchSessions, EpochsAdvanceByOneAndAWrongOneIsRefused) {
    FetchSessions sessions(10);
    const auto session = sessions.create(false, 5, 0);
    EXPECT_EQ(sessions.open({.id = 5, .epoch = 1}, 0).session, session);
    EXPECT_EQ(sessions.open({.id = 5, .epoch = 1}, 0).error,
              ErrorCode::invalid_fetch_session_epoch);
    EXPECT_EQ(sessions.open({.id = 5, .epoch = 3}, 0).error,
              ErrorCode::invalid_fetch_session_epoch);
    EXPECT_EQ(sessions.open({.id = 5, .epoch = 2}, 0).session, session);
}

TEST(FetchSessions, IdsAndNamesAreNotMixed) {
    FetchSessions sessions(10);
    const auto session = sessions.create(true, 5, 0);
    EXPECT_EQ(sessions.open({.id = 5, .epoch = 1, .by_id = false}, 0).error,
              ErrorCode::fetch_session_topic_id_error);
}

TEST(FetchSessions, AnIdInUseIsNotGivenTwice) {
    FetchSessions sessions(10);
    EXPECT_EQ(sessions.create(false, 0, 0)->id(), 1);
    EXPECT_EQ(sessions.create(false, 1, 0)->id(), 2);
    EXPECT_EQ(sessions.create(false, 0x7fffffff, 0)->id(), 0x7fffffff);
    EXPECT_EQ(sessions.create(false, 0x7fffffff, 0)->id(), 3);
}

TEST(FetchSessions, OnlyAnIdleOneGivesWay) {
    FetchSessions sessions(2);
    sessions.create(false, 1, 0);
    sessions.create(false, 2, 50);
    EXPECT_EQ(sessions.create(false, 3, 1000), nullptr);
    EXPECT_NE(sessions.create(false, 3, FetchSessions::evictable_after_ms), nullptr);
    EXPECT_EQ(sessions.size(), 2u);
    EXPECT_EQ(sessions.open({.id = 1, .epoch = 1}, 0).error, ErrorCode::fetch_session_id_not_found);
}

TEST(FetchSession, TellsOnlyWhatChanged) {
    FetchSession s(1, false);
    s.want(want("t", 0));
    const FetchTarget t{.topic = {}, .name = "t", .index = 0};
    EXPECT_TRUE(s.must_tell(t, {.high_watermark = 10, .log_start = 0}));
    EXPECT_FALSE(s.must_tell(t, {.high_watermark = 10, .log_start = 0}));
    EXPECT_TRUE(s.must_tell(t, {.high_watermark = 11, .log_start = 0}));
    EXPECT_TRUE(s.must_tell(t, {.high_watermark = 11, .log_start = 5}));
    EXPECT_TRUE(s.must_tell(t, {.bytes = 1, .high_watermark = 11, .log_start = 5}));
    EXPECT_TRUE(s.must_tell(
        t, {.error = ErrorCode::not_leader_or_follower, .high_watermark = 11, .log_start = 5}));
    EXPECT_TRUE(s.must_tell(t, {.high_watermark = 11, .log_start = 5}));
    EXPECT_FALSE(s.must_tell(t, {.high_watermark = 11, .log_start = 5}));
}

TEST(FetchSession, WhatGaveDataGoesToTheEnd) {
    FetchSession s(1, false);
    for (int32_t i = 0; i < 3; ++i) s.want(want("t", i));
    s.must_tell({.topic = {}, .name = "t", .index = 0}, {.bytes = 100});
    EXPECT_EQ(order(s), (std::vector{1, 2, 0}));
    s.want(want("t", 1, 50));
    EXPECT_EQ(order(s), (std::vector{1, 2, 0}));
    EXPECT_EQ(s.wants().front().offset, 50);
    s.forget({.topic = {}, .name = "t", .index = 2});
    EXPECT_EQ(order(s), (std::vector{1, 0}));
}

}  // namespace
}  // namespace broker
