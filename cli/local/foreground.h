#pragma once
#include <string>
#include <vector>

#include "cli/local/cluster.h"
#include "cli/signals.h"

namespace cli::local {

/// `moldau local start`: starts the brokers, and unless detached stays with them until Ctrl-C.
class Foreground {
  public:
    Foreground(std::string cluster_path, std::vector<Member> all, bool detach);

    /// Returns once every broker serves and tells clients of all of them, and says so to people.
    /// After a failure none of them is left.
    base::Status start(Deadline deadline);
    /// Tells of brokers that end or come back; returns when all were stopped, by a signal to this
    /// process or by `moldau local stop`.
    base::Status watch();

  private:
    base::Status start_each(Deadline deadline);
    void tell_ready() const;
    void stop() const;
    void tell_changes();

    Signals signals_;
    std::string path_;
    std::vector<Member> all_;
    std::vector<BrokerFolder> folders_;  // of all_
    bool detach_;
    std::vector<std::optional<Process>> seen_;  // by index in folders_
};

}  // namespace cli::local
