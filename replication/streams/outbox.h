#pragma once
#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "replication/streams/wire.h"

namespace replication::streams {

/// What a follower has yet to say on one stream: of each partition only the newest.
class Outbox {
  public:
    void put(const base::TopicPartition& id, const replica::Attach& a) {
        auto& entry = waiting_[id];
        entry.attach = a;
        entry.acknowledgement.reset();  // of a session before
    }
    void put(const base::TopicPartition& id, const replica::Acknowledgement& a) {
        waiting_[id].acknowledgement = a;
    }
    void drop(const base::TopicPartition& id) { waiting_.erase(id); }

    /// In which epoch the partition asks to follow; nothing if it does not.
    std::optional<base::LeaderEpoch> asks_in(const base::TopicPartition& id) const {
        const auto found = waiting_.find(id);
        if (found == waiting_.end() || !found->second.attach) return std::nullopt;
        return found->second.attach->epoch;
    }
    bool empty() const { return waiting_.empty(); }
    size_t size() const { return waiting_.size(); }
    /// The next message, of at most `most` partitions.
    FollowerMessage take(size_t most) {
        FollowerMessage out;
        while (!waiting_.empty() && most-- > 0) {
            const auto entry = waiting_.extract(waiting_.begin());
            if (const auto& a = entry.mapped().attach) out.attaches.emplace_back(entry.key(), *a);
            if (const auto& a = entry.mapped().acknowledgement)
                out.acknowledgements.emplace_back(entry.key(), *a);
        }
        return out;
    }
    /// All that asks to follow; acknowledgements mean nothing on another stream.
    std::vector<Of<replica::Attach>> take_attaches() {
        std::vector<Of<replica::Attach>> out;
        for (const auto& [id, entry] : waiting_)
            if (entry.attach) out.emplace_back(id, *entry.attach);
        waiting_.clear();
        return out;
    }

  private:
    struct Entry {
        std::optional<replica::Attach> attach;
        std::optional<replica::Acknowledgement> acknowledgement;
    };
    std::map<base::TopicPartition, Entry> waiting_;
};

}  // namespace replication::streams
