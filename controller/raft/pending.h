#pragma once
#include <optional>
#include <utility>
#include <vector>

#include "base/status.h"
#include "controller/raft/log.h"
#include "controller/raft/storage.h"

namespace raft {

/// What is still to be made durable, and the promises that wait for it. One write is out at a time;
/// what comes meanwhile is written together, by the next one.
class Pending {
  public:
    Pending(const HardState& durable, Index last)
        : written_state_(durable), durable_state_(durable), durable_(last), unwritten_(last + 1) {}

    /// The log was changed at and after `from`: entries there are no longer, or not yet, on disk.
    void changed_from(Index from);
    void receive(ReceivedChunk);
    void discard_received();
    void install(const SnapshotInfo&);
    void compact(const SnapshotInfo&);

    /// Leaves when everything up to now is durable.
    void promise(Message m) { promises_.push_back(std::move(m)); }
    /// Of a term that is over nothing needs to be promised.
    void drop_promises() { promises_.clear(); }
    /// The promises, if all that they rely on is durable already.
    std::vector<Message> promises_kept(const HardState& now, const Log&);

    /// Nothing while a write is out, or if there is nothing to write.
    std::optional<Write> take(const HardState& now, const Log&);
    /// The write that is out is durable.
    void written();

    bool out() const { return out_.has_value(); }
    /// Entries up to here are durable, as they are in the log now.
    Index durable() const { return durable_; }
    const HardState& durable_state() const { return durable_state_; }
    /// Between receiving a whole snapshot and its being durable.
    bool installing() const { return install_.has_value() || (out_ && out_->installs); }

  private:
    struct Out {
        Index last;  // the log is durable up to here once it is written
        HardState state;
        bool installs;
    };
    bool dirty(const HardState& now, const Log&) const;

    HardState written_state_;  // as handed to the last write
    HardState durable_state_;
    Index durable_;
    Index unwritten_;  // the first index not handed to a write
    std::optional<Out> out_;
    bool discard_received_ = false;
    std::vector<ReceivedChunk> received_;
    std::optional<SnapshotInfo> install_;
    std::optional<SnapshotInfo> compact_;
    std::vector<Message> promises_;
};

}  // namespace raft
