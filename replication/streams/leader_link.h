#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/function.h"
#include "base/status.h"
#include "base/time.h"
#include "io/shard.h"
#include "io/transport/door.h"
#include "replication/streams/options.h"
#include "replication/streams/outbox.h"
#include "replication/streams/wire.h"

namespace replication::streams {

/// This shard's stream to one shard of a leader: dialled when there is something to ask there,
/// kept, and dialled again when it breaks as long as there is. On the home shard only.
class LeaderLink {
  public:
    struct Events {
        /// It stands. Calls take_attaches() for what belongs elsewhere.
        base::Function<void(const Welcome&)> on_welcome;
        base::Function<void(const LeaderMessage&)> on_message;
        /// It broke. What was asked on it is lost, and with it what may have come.
        base::Function<void(const std::vector<base::TopicPartition>&)> on_lost;
    };
    struct To {
        base::BrokerId leader;
        uint32_t shard = 0;
    };
    /// `options` and `door` outlive it.
    LeaderLink(io::Shard& home, const Options& options, const transport::Door& door, To, Events);
    ~LeaderLink();

    void attach(const base::TopicPartition&, const replica::Attach&);
    /// Dropped unless the partition has asked on this stream.
    void acknowledge(const base::TopicPartition&, const replica::Acknowledgement&);
    void drop(const base::TopicPartition&);
    std::vector<Of<replica::Attach>> take_attaches() { return outbox_.take_attaches(); }

    /// HOST:PORT; empty: not known, nothing is dialled. Breaks with where it led to before.
    void set_address(const std::string&);
    void set_cut(bool);

  private:
    class Call;
    enum class State { idle, dialling, open };

    void dial();
    void wake();
    void write();
    void welcomed(const Welcome&);
    void received(const base::Result<LeaderMessage>&);
    void ended(const base::Status&);
    void break_off();
    std::chrono::milliseconds next_pause(const base::Status&);

    io::Shard& home_;
    const Options& options_;
    const transport::Door& door_;
    const To to_;
    Events events_;
    std::string address_;
    bool cut_ = false;

    State state_ = State::idle;
    Call* call_ = nullptr;  // is being dialled or open
    Outbox outbox_;
    absl::flat_hash_set<base::TopicPartition> asked_;  // on this stream
    bool woken_ = false;
    bool losing_ = false;  // tells what was lost
    base::InstantMs opened_at_ = 0;
    int attempts_ = 0;                  // in vain, one after another
    std::string told_;                  // of the last trouble, so that it is told once
    std::unique_ptr<io::Timer> timer_;  // of the handshake, the pause, or what the cut allows
    std::minstd_rand random_;
    std::shared_ptr<LeaderLink*> alive_;
};

}  // namespace replication::streams
