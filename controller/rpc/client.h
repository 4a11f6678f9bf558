#pragma once
#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "base/function.h"
#include "base/status.h"
#include "controller/rpc/messages.h"
#include "io/shard.h"
#include "io/transport/caller.h"

namespace controller::rpc {

using ClientOptions = transport::CallerOptions;

/// Calls other nodes' Endpoints, as transport::Caller does.
///
/// All but the constructor and stop() is called on the home shard, where `done` runs too, later and
/// once. Its failures: what the node answers, and
///   kUnavailable        nobody there, or the connection broke; at once, nothing is tried again
///   kDeadlineExceeded   no answer within `timeout`
///   kResourceExhausted  a message above the bound
///   kInternal           an answer that no node gives
/// Whether the call has had an effect is known only from an answer of the node.
class Client {
  public:
    explicit Client(io::Shard& home, ClientOptions = {});

    using CallDone = base::Function<void(base::Result<CallResult>)>;
    using JoinDone = base::Function<void(base::Result<JoinReply>)>;
    using TransferDone = base::Function<void(base::Status)>;
    /// `address` is HOST:PORT. `to` is the id of the node that is expected there, -1 if it is not
    /// known: for set_cut only.
    void call(const std::string& address, int32_t to, const Call&,
              std::chrono::milliseconds timeout, CallDone done);
    void join(const std::string& address, int32_t to, const JoinRequest&,
              std::chrono::milliseconds timeout, JoinDone done);
    /// From a client, which set_cut does not know.
    void transfer(const std::string& address, const TransferRequest&,
                  std::chrono::milliseconds timeout, TransferDone done);

    /// As transport::Caller's.
    void set_cut(std::set<int32_t> nodes) { caller_.set_cut(std::move(nodes)); }
    void stop() { caller_.stop(); }

  private:
    transport::Caller caller_;
};

}  // namespace controller::rpc
