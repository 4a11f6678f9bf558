#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "broker/settings.h"

namespace io {
class Disk;
}

namespace broker {

/// A node as a part of a process: opens what it has on disk, takes its place among the controllers,
/// and, unless it is only one of these, serves clients as a broker until it is stopped.
class Node {
  public:
    /// Returns once clients are served. Blocks for as long as recovery takes, and until a majority
    /// of the controllers is there; kCancelled as soon as `stopping` says so.
    /// kFailedPrecondition: the directory is in use, or belongs to another cluster or node, or an
    /// address can't be bound. kDataLoss: the metadata can't be read.
    static base::Result<std::unique_ptr<Node>> start(const Settings&,
                                                     std::function<bool()> stopping = never);
    /// On another disk than the real one; the store of the metadata stays on that.
    static base::Result<std::unique_ptr<Node>> start(const Settings&, std::shared_ptr<io::Disk>,
                                                     std::function<bool()> stopping = never);
    /// Stops as stop() does.
    ~Node();

    /// Closes connections, syncs and closes the logs. What is left to do at the next start is then
    /// next to nothing. Blocks.
    base::Status stop();

    /// "host:port" as clients are told, of each listener.
    std::vector<std::string> addresses() const;
    const std::string& cluster_id() const;

  private:
    static bool never() { return false; }
    class Parts;
    explicit Node(std::unique_ptr<Parts>);
    std::unique_ptr<Parts> parts_;
};

}  // namespace broker
