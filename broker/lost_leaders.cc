#include "broker/lost_leaders.h"

#include <algorithm>

namespace broker {

namespace {

using std::chrono::milliseconds;

/// For a killed process, to be known as gone; clients wait for longer before they try again.
constexpr milliseconds kFirst{30};
/// For a client to find out from the others, once one connection has ended.
constexpr milliseconds kTurn{400};
constexpr int kTurns = 4;
/// A process that is gone has ended its clients' connections itself: they have asked at once, and
/// only those who were answered before the controller knew are misled.
constexpr base::InstantMs kJustToldMs = 1000;

}  // namespace

void LeadersTold::told(base::BrokerId leader, base::InstantMs now) {
    for (auto& [id, at] : leaders_)
        if (id == leader) {
            at = now;
            return;
        }
    leaders_.emplace_back(leader, now);
}

bool LeadersTold::outdated(base::BrokerId lost, base::InstantMs since,
                           base::InstantMs lost_at) const {
    if (answered_at_ && *answered_at_ > lost_at) return false;
    return std::ranges::any_of(
        leaders_, [&](const auto& one) { return one.first == lost && one.second >= since; });
}

std::vector<base::BrokerId> lost_brokers(const metadata::Image& before,
                                         const metadata::Image& after, base::BrokerId self) {
    std::vector<base::BrokerId> out;
    for (const auto& [id, was] : before.brokers()) {
        if (id == self || !before.active(id) || after.active(id)) continue;
        const auto* is = after.broker(id);
        if (is == nullptr || !is->in_controlled_shutdown) out.push_back(id);
    }
    return out;
}

LostLeaders::LostLeaders(io::Shard& home, base::BrokerId self,
                         base::Function<bool(base::BrokerId)> gone, End end)
    : home_(home), self_(self), gone_(std::move(gone)), end_(std::move(end)) {}

milliseconds LostLeaders::turn(const metadata::Image& image, base::BrokerId self) {
    int before_self = 0;
    for (const auto& [id, broker] : image.brokers())
        if (id < self && image.active(id)) ++before_self;
    return kFirst + before_self % kTurns * kTurn;
}

void LostLeaders::stop() {
    stopped_ = true;
    timers_.clear();
}

void LostLeaders::changed(const metadata::Image& before, const metadata::Image& after) {
    if (stopped_) return;
    const auto now = home_.now();
    for (const auto lost : lost_brokers(before, after, self_)) {
        const auto end = [this, lost, now](base::InstantMs since) { end_(lost, since, now); };
        timers_[lost] = home_.after(kFirst, [this, lost, now, end, turn = turn(after, self_)] {
            if (gone_(lost)) return end(now - kJustToldMs);
            timers_[lost] = home_.after(turn - kFirst, [end] { end(0); });
        });
    }
}

}  // namespace broker
