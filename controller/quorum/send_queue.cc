#include "controller/quorum/send_queue.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/check.h"
#include "controller/quorum/wire.h"

namespace quorum {

namespace {

bool sent_anew_soon(const raft::Message& m) {
    return std::holds_alternative<raft::Append>(m.body) ||
           std::holds_alternative<raft::Heartbeat>(m.body);
}

size_t entries(const raft::Message& m) {
    const auto* append = std::get_if<raft::Append>(&m.body);
    return append == nullptr ? 0 : append->entries.size();
}

}  // namespace

void SendQueue::drop(Position at) {
    bytes_ -= at->bytes;
    ++dropped_;
    waiting_.erase(at);
}

void SendQueue::make_room(size_t bytes) {
    // One search from the front on: what was passed over once stays.
    size_t at = 0;
    while (bytes_ + bytes > most_bytes_ && at < waiting_.size()) {
        if (sent_anew_soon(waiting_[at].message))
            drop(waiting_.begin() + static_cast<std::ptrdiff_t>(at));
        else ++at;
    }
    while (bytes_ + bytes > most_bytes_) drop(waiting_.begin());
}

void SendQueue::push(raft::Message m) {
    const size_t bytes = wire_bytes(m);
    CHECK(bytes <= most_bytes_ && entries(m) <= kMostEntries)
        << "a message of " << bytes << " bytes, " << entries(m) << " entries";
    make_room(bytes);
    bytes_ += bytes;
    waiting_.push_back({std::move(m), bytes});
}

std::vector<raft::Message> SendQueue::take(size_t most_bytes) {
    std::vector<raft::Message> out;
    size_t taken_bytes = 0;
    size_t taken_entries = 0;
    while (!waiting_.empty() && out.size() < kMostMessages) {
        auto& next = waiting_.front();
        taken_bytes += next.bytes;
        taken_entries += entries(next.message);
        if (!out.empty() && (taken_bytes > most_bytes || taken_entries > kMostEntries)) break;
        bytes_ -= next.bytes;
        out.push_back(std::move(next.message));
        waiting_.pop_front();
    }
    return out;
}

void SendQueue::clear() {
    dropped_ += waiting_.size();
    waiting_.clear();
    bytes_ = 0;
}

}  // namespace quorum
