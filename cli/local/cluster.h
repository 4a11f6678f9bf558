#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/function.h"
#include "cli/local/folder.h"

namespace cli::local {

using Deadline = std::chrono::steady_clock::time_point;

/// Starts the broker's process with `settings`; does not wait until it serves.
/// kAlreadyExists: it runs, or its port is taken.
base::Result<Process> start_broker(const BrokerFolder& folder, const LaunchSettings& settings,
                                   bool dies_with_parent);

/// Waits until the broker answers Metadata with itself in it, looking at `interrupted` meanwhile.
/// kInternal with the end of its log: it ended first. kCancelled: interrupted. kDeadlineExceeded.
base::Status wait_until_ready(const BrokerFolder& folder, const Process& process, uint64_t log_from,
                              Deadline deadline, base::Function<bool()>& interrupted);

/// Ends the brokers: SIGTERM to all, then SIGKILL to those that are still there at the deadline.
/// The ids of the latter.
std::vector<int32_t> stop_brokers(const std::vector<BrokerFolder>& folders, Deadline deadline);

}  // namespace cli::local
