#include "broker/call_outcome.h"

#include <gtest/gtest.h>

namespace broker {
namespace {

using kafka::ErrorCode;

TEST(CallOutcome, AnAnswerComesThrough) {
    const auto outcome =
        call_outcome(call_result(controller::Service::Answered<std::string>{"body", 7}));
    ASSERT_TRUE(outcome.ok());
    EXPECT_EQ(outcome->response, "body");
    EXPECT_EQ(outcome->index, 7);
}

TEST(CallOutcome, EveryErrorIsTheSameFromEveryBroker) {
    for (const auto code : {ErrorCode::unknown_server_error, ErrorCode::request_timed_out,
                            ErrorCode::unsupported_version, ErrorCode::not_controller,
                            ErrorCode::invalid_request, ErrorCode::policy_violation,
                            ErrorCode::kafka_storage_error, ErrorCode::throttling_quota_exceeded}) {
        const auto outcome = call_outcome(call_result(kafka::Error{code, "why"}));
        ASSERT_FALSE(outcome.ok());
        EXPECT_EQ(outcome.error().code, code);
        EXPECT_EQ(outcome.error().message, "why");
    }
}

TEST(CallOutcome, WhatComesOfTheWayThere) {
    const auto code = [](const base::Status& status) {
        const auto outcome = call_outcome(status);
        EXPECT_EQ(outcome.error().message, status.message());
        return outcome.error().code;
    };
    EXPECT_EQ(code(base::unavailable("gone")), ErrorCode::not_controller);
    EXPECT_EQ(code(absl::DeadlineExceededError("late")), ErrorCode::not_controller);
    EXPECT_EQ(code(base::precondition("not ours")), ErrorCode::inconsistent_cluster_id);
    EXPECT_EQ(code(base::invalid("what?")), ErrorCode::invalid_request);
    EXPECT_EQ(code(base::exhausted("too large")), ErrorCode::policy_violation);
    EXPECT_EQ(code(base::internal("what?")), ErrorCode::unknown_server_error);
    EXPECT_EQ(code(absl::UnimplementedError("what?")), ErrorCode::unknown_server_error);
}

}  // namespace
}  // namespace broker
