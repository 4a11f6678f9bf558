#pragma once
#include <algorithm>
#include <memory>
#include <string>

#include "base/function.h"
#include "base/ids.h"
#include "base/status.h"
#include "broker/memory_budget.h"
#include "broker/services.h"
#include "kafka/errors.h"

namespace grpc {
class ByteBuffer;
}

namespace broker::rpc {

class Forwarder;

/// What the calls on one shard are worked on with.
struct Host {
    Services& services;
    Local& local;
    Forwarder& forwarder;
    size_t turn = 0;  // of the records that have no key
};

/// Who asks.
struct Client {
    std::string host;
};

/// How an operation ended.
struct Answer {
    base::Status status;                      // not OK: there is no reply
    std::shared_ptr<grpc::ByteBuffer> reply;  // encoded
    MemoryHold hold;                          // of the reply, until it has left
    // As the reply tells:
    kafka::ErrorCode error = kafka::ErrorCode::none;
    base::Offset next_offset = 0;  // of a Fetch
};

/// One Produce or Fetch: answered here, or by the broker that leads. What is asked at a bad moment,
/// while leadership moves, is asked again until its time is over, unless that could do it twice.
/// On the shard of its host, where `done` runs too, once, now or later; not after cancel().
class Operation {
  public:
    using Done = base::Function<void(Answer)>;

    virtual ~Operation() = default;
    virtual void run(Done done) = 0;
    /// Nobody waits for it any more.
    virtual void cancel() = 0;
};

/// The pauses between attempts: short first, as a new leader is there within milliseconds.
class Pauses {
  public:
    base::InstantMs next() {
        constexpr base::InstantMs most = 200;
        const auto now = pause_;
        pause_ = std::min(pause_ * 2, most);
        return now;
    }
    bool used() const { return pause_ != first; }

  private:
    static constexpr base::InstantMs first = 5;
    base::InstantMs pause_ = first;
};

/// The words in which a broker that stops refuses what it has not begun to work on.
inline constexpr char not_taken[] = "the broker does not serve";

}  // namespace broker::rpc
