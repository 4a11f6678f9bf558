#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/function.h"
#include "base/ids.h"
#include "base/time.h"
#include "controller/requests.h"
#include "controller/rpc/client.h"
#include "controller/service.h"
#include "io/shard.h"

namespace broker {

/// Takes requests to the active controller, in this process or another one, and looks for it anew
/// when it changes. A request whose answer was lost is asked again, as Kafka's brokers do: what the
/// first one did may then be found done (36 for a topic, for example).
///
/// Lives on the home shard of the service; ask() may be called from any thread.
class ControllerLink {
  public:
    /// `client`: null in a cluster of one.
    ControllerLink(io::Shard& home, controller::Service&, controller::rpc::Client* client,
                   std::string cluster_id, base::BrokerId self);
    ~ControllerLink();

    template <class Response>
    using Done = base::Function<void(kafka::Outcome<controller::Service::Answered<Response>>)>;
    /// `done` runs on `on`. Errors are of the request as a whole, and the same wherever the
    /// controller is: 7 if none answers in time, 56 at once if this node's own log has failed, and
    /// what controller::Service::submit and call_outcome tell but 41.
    template <class Request>
    void ask(Request request, std::chrono::milliseconds timeout, io::Shard& on,
             Done<typename controller::ResponseTo<Request>::type> done);

    /// The active controller as far as is known: -1 if not. From any thread.
    int32_t controller_id() const { return controller_id_.load(std::memory_order_relaxed); }
    /// On the home shard.
    void standing_changed(const quorum::Standing&);
    /// Answers what is still asked with 7, and everything from now on. On the home shard.
    void stop();

  private:
    class Attempt;
    template <class Request>
    class AttemptFor;

    void begin(const std::shared_ptr<Attempt>&);

    io::Shard& home_;
    controller::Service& service_;
    controller::rpc::Client* const client_;
    const std::string cluster_id_;
    const base::BrokerId self_;
    std::atomic<int32_t> controller_id_ = -1;
    std::set<std::shared_ptr<Attempt>> attempts_;
    bool stopped_ = false;
};

}  // namespace broker
