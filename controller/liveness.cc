#include "controller/liveness.h"

#include <algorithm>

namespace controller {

using base::BrokerId;
using base::InstantMs;

InstantMs Sessions::running(InstantMs now) {
    running_ += std::clamp<InstantMs>(now - last_call_, 0, options_.longest_gap_ms);
    last_call_ = std::max(last_call_, now);
    return running_;
}

void Sessions::begin(InstantMs now, const std::optional<Silent>& before) {
    sessions_.clear();
    last_call_ = now;
    began_ = running_;
    silent_ = before ? before->id : metadata::kNoBroker;
    silent_ms_ =
        before ? std::clamp<InstantMs>(now - before->since, 0, options_.session_ms / 2) : 0;
}

void Sessions::heard(const Broker& broker, int64_t metadata_index, InstantMs now) {
    Session& session = sessions_[broker.id];
    if (session.epoch > broker.epoch) return;
    if (session.epoch < broker.epoch) session = {};
    session.epoch = broker.epoch;
    session.last = running(now);
    session.metadata_index = std::max(session.metadata_index, metadata_index);
    session.lost = false;
}

void Sessions::lost(const Broker& broker, InstantMs now) {
    Session& session = sessions_[broker.id];
    if (session.epoch > broker.epoch) return;
    session.epoch = broker.epoch;
    session.last = running(now);
    session.lost = true;
}

void Sessions::withdrawn(const Broker& broker, std::optional<int64_t> index) {
    auto it = sessions_.find(broker.id);
    if (it == sessions_.end() || it->second.epoch != broker.epoch) return;
    if (!index || !it->second.withdrawn) it->second.withdrawn = index;
}

/// When the session of a broker is over, on the clock of running().
InstantMs Sessions::end_of(const metadata::Broker& broker) const {
    auto it = sessions_.find(broker.id);
    const bool known = it != sessions_.end() && it->second.epoch == broker.epoch;
    if (known && it->second.lost) return it->second.last;
    if (known) return it->second.last + options_.session_ms;
    return began_ + options_.session_ms - (broker.id == silent_ ? silent_ms_ : 0);
}

bool Sessions::alive(const metadata::Image& image, BrokerId id, InstantMs now) {
    const metadata::Broker* broker = image.broker(id);
    if (!broker) return false;
    auto it = sessions_.find(id);
    const bool known = it != sessions_.end() && it->second.epoch == broker->epoch;
    return (known || !broker->fenced) && end_of(*broker) > running(now);
}

std::vector<Sessions::Broker> Sessions::expired(const metadata::Image& image, InstantMs now) {
    const InstantMs at = running(now);
    std::erase_if(sessions_, [&](const auto& s) { return !image.broker(s.first); });
    std::vector<Broker> out;
    for (const auto& [id, broker] : image.brokers())
        if (!broker->fenced && end_of(*broker) <= at) out.push_back({id, broker->epoch});
    return out;
}

std::optional<InstantMs> Sessions::next_expiry(const metadata::Image& image, InstantMs now) {
    const InstantMs at = running(now);
    std::optional<InstantMs> next;
    for (const auto& [id, broker] : image.brokers()) {
        if (broker->fenced) continue;
        const InstantMs end = now + std::max<InstantMs>(0, end_of(*broker) - at);
        next = next ? std::min(*next, end) : end;
    }
    return next;
}

Withdrawal Sessions::withdrawal(const metadata::Image& image, const Broker& broker) const {
    Withdrawal out;
    if (auto it = sessions_.find(broker.id);
        it != sessions_.end() && it->second.epoch == broker.epoch)
        out.done = it->second.withdrawn;
    out.seen_by_all = INT64_MAX;
    for (const auto& [id, other] : image.brokers()) {
        if (id == broker.id || !image.active(id)) continue;
        auto it = sessions_.find(id);
        const bool known = it != sessions_.end() && it->second.epoch == other->epoch;
        out.seen_by_all = std::min(out.seen_by_all, known ? it->second.metadata_index : 0);
    }
    return out;
}

}  // namespace controller
