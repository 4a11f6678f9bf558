#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "base/function.h"
#include "base/status.h"
#include "controller/rpc/messages.h"
#include "io/shard.h"

namespace controller::rpc {

struct ClientOptions {
    /// Of one message; what is larger is refused here (kResourceExhausted).
    size_t most_message_bytes = 20 << 20;
    /// To open a connection.
    std::chrono::milliseconds handshake_timeout{3000};
    /// A connection with calls that is silent for so long is probed, and given up when the probe
    /// is.
    std::chrono::milliseconds keepalive_time{2000};
    std::chrono::milliseconds keepalive_timeout{2000};
    /// After attempts to connect that failed, calls fail at once, for a pause that doubles from the
    /// least to the most.
    std::chrono::milliseconds backoff_least{20};
    std::chrono::milliseconds backoff_most{500};
    /// A connection without calls is closed after this.
    std::chrono::milliseconds most_idle{60'000};
};

/// Calls other nodes' Endpoints. One connection to each address; its name is resolved anew whenever
/// it is opened.
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
    ~Client();

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

    /// As if the cable to these nodes were cut, until they are no longer in the set: what is asked
    /// of them, and what was and is not answered yet, fails with kDeadlineExceeded in its time.
    void set_cut(std::set<int32_t> nodes);

    /// Cancels the calls that are out and waits for their end. Their `done` is let go of on the
    /// home shard and not called. Before Shards::stop, and not from a shard.
    void stop();

  private:
    struct State;

    io::Shard& home_;
    std::unique_ptr<State> state_;
    bool stopped_ = false;  // by who calls stop()
};

}  // namespace controller::rpc
