#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "base/function.h"
#include "base/status.h"
#include "io/shard.h"

namespace grpc {
class ByteBuffer;
}

namespace transport {

struct CallerOptions {
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

/// Makes unary calls to other nodes. One connection to each address; its name is resolved anew
/// whenever it is opened.
///
/// All but the constructor and stop() is called on the home shard, where `done` runs too, later and
/// once. Its failures: what the node answers, and
///   kUnavailable        nobody there, or the connection broke; at once, nothing is tried again
///   kDeadlineExceeded   no answer within `timeout`
///   kResourceExhausted  a message above the bound
/// Whether the call has had an effect is known only from an answer of the node, or from
/// never_sent().
class Caller {
  public:
    explicit Caller(io::Shard& home, CallerOptions = {});
    ~Caller();

    /// The reply is the caller's to read during the call of `done`; empty with a failure.
    using Done = base::Function<void(const base::Status&, grpc::ByteBuffer& reply)>;
    /// `method` is "/package.Service/Name" and lasts for ever. `address` is HOST:PORT. `to` is the
    /// id of the node that is expected there, -1 if it is not known: for set_cut only.
    void call(const std::string& address, int32_t to, const char* method,
              const grpc::ByteBuffer& request, std::chrono::milliseconds timeout, Done done);

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

/// Whether a call that failed with this can have had no effect, as no connection was there.
bool never_sent(const base::Status&);

}  // namespace transport
