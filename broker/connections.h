#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/time.h"
#include "broker/connection.h"
#include "broker/connection_counts.h"
#include "broker/idle_heap.h"
#include "broker/services.h"

namespace broker {

/// All connections of clients. Each lives on one shard; the counts against the limits are kept on
/// the first.
class Connections {
  public:
    Connections(Services&, std::vector<std::unique_ptr<Local>>& locals);
    ~Connections();

    /// Takes a new connection, or closes it if there are too many. It is not read from before
    /// start(). On the stream's shard.
    void accept(std::unique_ptr<io::Stream>, const std::string& listener);
    /// Serves, and watches over idle and slow connections, from now on.
    void start();
    /// Ends those that have sent their clients to a broker that is lost, as
    /// Connection::leave_if_outdated() has it. From any thread.
    void leave_if_outdated(base::BrokerId lost, base::InstantMs since, base::InstantMs lost_at);
    /// Closes all, and takes no more; blocks until that is done. Not from a shard.
    void stop();

  private:
    struct OfShard {
        absl::flat_hash_set<std::shared_ptr<Connection>> connections;
        std::unique_ptr<io::Timer> timer;
        bool started = false;
        bool stopped = false;
    };

    void admitted(std::unique_ptr<io::Stream>, const std::string& listener,
                  const std::string& address);
    void release(const std::string& address);
    void tell_refused(const std::string& address);
    void look_after(size_t shard);

    Services& services_;
    std::vector<std::unique_ptr<Local>>& locals_;
    std::vector<OfShard> of_shard_;
    ConnectionCounts counts_;  // on the first shard
    IdleHeap idle_heap_;       // on the first shard
    uint64_t refused_ = 0;     // connections, on the first shard
    std::optional<base::InstantMs> told_refused_at_;
};

}  // namespace broker
