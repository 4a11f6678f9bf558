#pragma once
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace base {

/// Failures of the machine and of files: no Kafka error code, but a kind and a sentence.
///   kDataLoss           bytes on disk that fail their checksum or make no sense
///   kResourceExhausted  no space left, or a budget is used up
///   kUnavailable        the disk or directory was fenced after a failed sync: nothing is retried
///   kInvalidArgument    input that can't be right (configuration, a wire field)
/// and kNotFound, kAlreadyExists, kFailedPrecondition, kInternal, as their names say.
using Status = absl::Status;
template <class T>
using Result = absl::StatusOr<T>;

inline Status ok() { return absl::OkStatus(); }
inline Status data_loss(const std::string& why) { return absl::DataLossError(why); }
inline Status exhausted(const std::string& why) { return absl::ResourceExhaustedError(why); }
inline Status unavailable(const std::string& why) { return absl::UnavailableError(why); }
inline Status invalid(const std::string& why) { return absl::InvalidArgumentError(why); }
inline Status not_found(const std::string& why) { return absl::NotFoundError(why); }
inline Status already_exists(const std::string& why) { return absl::AlreadyExistsError(why); }
inline Status precondition(const std::string& why) { return absl::FailedPreconditionError(why); }
inline Status internal(const std::string& why) { return absl::InternalError(why); }

/// The sentence without the code's name.
inline std::string message(const Status& s) { return std::string(s.message()); }

}  // namespace base

/// Leaves the function with the status of `expression` unless it is OK.
#define RETURN_IF_ERROR(expression)                                  \
    do {                                                             \
        if (auto status_ = (expression); !status_.ok()) [[unlikely]] \
            return status_;                                          \
    } while (false)

#define MOLDAU_CONCAT2(a, b) a##b
#define MOLDAU_CONCAT(a, b) MOLDAU_CONCAT2(a, b)

/// `ASSIGN_OR_RETURN(auto file, disk.open(path));`
#define ASSIGN_OR_RETURN(target, expression) \
    ASSIGN_OR_RETURN_(MOLDAU_CONCAT(result_, __LINE__), target, expression)
#define ASSIGN_OR_RETURN_(result, target, expression) \
    auto result = (expression);                       \
    if (!result.ok()) [[unlikely]]                    \
        return std::move(result).status();            \
    target = *std::move(result)
