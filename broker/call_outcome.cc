#include "broker/call_outcome.h"

#include <utility>

namespace broker {

namespace {

using kafka::ErrorCode;

ErrorCode code_of(absl::StatusCode code) {
    switch (code) {
        case absl::StatusCode::kUnavailable:
        case absl::StatusCode::kDeadlineExceeded:
            return ErrorCode::not_controller;
        case absl::StatusCode::kFailedPrecondition:
            return ErrorCode::inconsistent_cluster_id;
        case absl::StatusCode::kInvalidArgument:
            return ErrorCode::invalid_request;
        case absl::StatusCode::kResourceExhausted:
            return ErrorCode::policy_violation;
        default:
            return ErrorCode::unknown_server_error;
    }
}

}  // namespace

controller::rpc::CallResult call_result(CallOutcome outcome) {
    if (outcome) return {outcome->index, std::move(outcome->response)};
    return {.error_code = static_cast<int16_t>(outcome.error().code),
            .error_message = outcome.error().message};
}

CallOutcome call_outcome(base::Result<controller::rpc::CallResult> result) {
    if (!result.ok())
        return kafka::Error{code_of(result.status().code()), base::message(result.status())};
    if (result->error_code != 0)
        return kafka::Error{static_cast<ErrorCode>(result->error_code),
                            std::move(result->error_message)};
    return controller::Service::Answered<std::string>{std::move(result->body),
                                                      result->metadata_index};
}

}  // namespace broker
