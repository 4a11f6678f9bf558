#include "controller/raft/pending.h"

#include <algorithm>

#include "base/check.h"

namespace raft {

void Pending::changed_from(Index from) {
    durable_ = std::min(durable_, from - 1);
    unwritten_ = std::min(unwritten_, from);
    // What the write that is out holds past here is not this log.
    if (out_) out_->last = std::min(out_->last, from - 1);
}

void Pending::receive(ReceivedChunk chunk) {
    if (chunk.number == 0) received_.clear();
    received_.push_back(std::move(chunk));
}

void Pending::discard_received() {
    received_.clear();
    discard_received_ = true;
}

void Pending::install(const SnapshotInfo& snapshot) {
    CHECK(!installing());
    changed_from(1);
    unwritten_ = snapshot.position.index + 1;
    install_ = snapshot;
    compact_.reset();
}

void Pending::compact(const SnapshotInfo& snapshot) { compact_ = snapshot; }

bool Pending::dirty(const HardState& now, const Log& log) const {
    return !(now == written_state_) || unwritten_ <= log.last() || install_ || compact_ ||
           discard_received_ || !received_.empty();
}

std::vector<Message> Pending::promises_kept(const HardState& now, const Log& log) {
    if (out_ || dirty(now, log)) return {};
    return std::exchange(promises_, {});
}

std::optional<Write> Pending::take(const HardState& now, const Log& log) {
    if (out_ || !dirty(now, log)) return std::nullopt;
    Write write;
    write.state = written_state_ = now;
    write.discard_received = std::exchange(discard_received_, false);
    write.received = std::exchange(received_, {});
    write.install = std::exchange(install_, std::nullopt);
    write.compact = std::exchange(compact_, std::nullopt);
    if (unwritten_ <= log.last()) {
        write.from = unwritten_;
        // All in memory: only what is durable may leave it.
        write.entries = *log.entries(unwritten_, log.last() + 1, SIZE_MAX, SIZE_MAX);
    }
    write.then_send = std::exchange(promises_, {});
    out_ = Out{log.last(), now, write.install.has_value()};
    unwritten_ = log.last() + 1;
    return write;
}

void Pending::written() {
    CHECK(out_.has_value()) << "no write is out";
    durable_ = std::max(durable_, out_->last);
    durable_state_ = out_->state;
    out_.reset();
}

}  // namespace raft
