#include "broker/fetch_session.h"

#include <algorithm>

namespace broker {

using kafka::ErrorCode;

void FetchSession::want(FetchWant w) {
    const auto place = places_.find(w.target);
    if (place == places_.end()) {
        wants_.push_back(std::move(w));
        places_.emplace(wants_.back().target, std::prev(wants_.end()));
        return;
    }
    w.told_high_watermark = place->second->told_high_watermark;
    w.told_log_start = place->second->told_log_start;
    *place->second = std::move(w);
}

void FetchSession::forget(const FetchTarget& target) {
    const auto place = places_.find(target);
    if (place == places_.end()) return;
    wants_.erase(place->second);
    places_.erase(place);
}

bool FetchSession::must_tell(const FetchTarget& target, const FetchFound& found) {
    const auto place = places_.find(target);
    if (place == places_.end()) return true;
    FetchWant& w = *place->second;
    bool tell =
        found.bytes > 0 || found.diverging || found.elsewhere || found.error != ErrorCode::none;
    tell |= found.high_watermark != w.told_high_watermark || found.log_start != w.told_log_start;
    w.told_high_watermark = found.high_watermark;
    w.told_log_start = found.log_start;
    // After an error the client is told again, even if the next answer equals the one before it.
    if (found.error != ErrorCode::none) w.told_high_watermark = -1;
    if (found.bytes > 0) wants_.splice(wants_.end(), wants_, place->second);
    return tell;
}

FetchSessions::Opened FetchSessions::open(const Head& head, base::InstantMs now) {
    constexpr int32_t full = 0, closing = -1;
    if (head.epoch == full || head.epoch == closing) {
        if (head.id != 0) close(head.id);
        return {.create = head.epoch == full};
    }
    const auto found = sessions_.find(head.id);
    if (found == sessions_.end()) return {.error = ErrorCode::fetch_session_id_not_found};
    FetchSession& session = *found->second.session;
    if (head.epoch != session.next_epoch())
        return {.error = ErrorCode::invalid_fetch_session_epoch};
    if (head.by_id != session.by_id()) return {.error = ErrorCode::fetch_session_topic_id_error};
    found->second.used = now;
    session.advance_epoch();
    return {.session = found->second.session};
}

std::shared_ptr<FetchSession> FetchSessions::create(bool by_id, uint64_t random,
                                                    base::InstantMs now) {
    if (!make_room(now)) return nullptr;
    auto drawn = static_cast<uint32_t>(random) & 0x7fffffff;
    while (drawn == 0 || sessions_.contains(static_cast<int32_t>(drawn)))
        drawn = (drawn + 1) & 0x7fffffff;
    const auto id = static_cast<int32_t>(drawn);
    auto session = std::make_shared<FetchSession>(id, by_id);
    sessions_.emplace(id, Entry{session, now});
    return session;
}

void FetchSessions::close(int32_t id) { sessions_.erase(id); }

bool FetchSessions::make_room(base::InstantMs now) {
    if (sessions_.size() < slots_) return true;
    const auto oldest = std::min_element(
        sessions_.begin(), sessions_.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    if (oldest == sessions_.end() || now - oldest->second.used < evictable_after_ms) return false;
    sessions_.erase(oldest);
    return true;
}

}  // namespace broker
