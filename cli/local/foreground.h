#pragma once
#include <string>
#include <vector>

#include "cli/local/cluster.h"
#include "cli/signals.h"

namespace cli::local {

/// `moldau local start`: starts the brokers, and unless detached stays with them until Ctrl-C.
class Foreground {
  public:
    Foreground(std::string cluster_path, std::vector<BrokerFolder> folders, bool detach)
        : path_(std::move(cluster_path)), folders_(std::move(folders)), detach_(detach) {}

    /// Returns once every broker serves, and tells people so. After a failure none of them is left.
    base::Status start(const std::vector<LaunchSettings>& settings, Deadline deadline);
    /// Tells of brokers that end or come back; returns when all were stopped, by a signal to this
    /// process or by `moldau local stop`.
    base::Status watch();

  private:
    base::Status start_each(const std::vector<LaunchSettings>& settings, Deadline deadline);
    void tell_ready(const std::vector<LaunchSettings>& settings) const;
    void stop() const;
    void tell_changes();

    Signals signals_;
    std::string path_;
    std::vector<BrokerFolder> folders_;
    bool detach_;
    std::vector<std::optional<Process>> seen_;  // by index in folders_
};

}  // namespace cli::local
