#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/function.h"
#include "cli/local/folder.h"

namespace cli::local {

using Deadline = std::chrono::steady_clock::time_point;

/// A broker of the cluster, and how it is started.
struct Member {
    BrokerFolder folder;
    LaunchSettings settings;
};

/// All that were ever started, by id, as they were started last.
std::vector<Member> members(const std::vector<BrokerFolder>& folders);
/// controller.quorum.voters of these; empty for a broker alone.
std::string voters(const std::vector<Member>& all);
/// Where the controller listener of a broker with this Kafka port is, if not told otherwise.
uint16_t controller_port(uint16_t kafka_port);

/// kAlreadyExists: one of them runs, or a port that one of them needs is taken.
base::Status can_start(const std::vector<Member>& starting);

/// A broker on its way up.
struct Started {
    Member member;
    Process process;
    uint64_t log_from = 0;  // where in broker.log this run begins
};
/// Starts the broker's process; does not wait until it serves. After can_start().
base::Result<Started> start_broker(const Member& member, const std::string& voters,
                                   bool dies_with_parent);

/// Waits until each of them answers Metadata with all of `expected` in it, looking at `interrupted`
/// meanwhile. kInvalidArgument, with the end of its log: one of them refused its configuration.
/// kInternal, likewise: one ended otherwise. kCancelled: interrupted. kDeadlineExceeded.
base::Status wait_until_ready(const std::vector<Started>& started,
                              const std::vector<int32_t>& expected, Deadline deadline,
                              base::Function<bool()>& interrupted);

/// The node that decides on metadata now, as far as those that run can tell within a second.
std::optional<int32_t> active_controller(const std::vector<Member>& all);

/// Ends the brokers: SIGTERM to all, then SIGKILL to those that are still there at the deadline.
/// The ids of the latter.
std::vector<int32_t> stop_brokers(const std::vector<BrokerFolder>& folders, Deadline deadline);

}  // namespace cli::local
