#include "replication/replica.h"

#include <algorithm>

namespace replication {

using base::BrokerId;
using base::Offset;

Effects Replica::assign(const Assignment& row, Offset log_end, Offset safe_end) {
    if (row.version <= row_.version) return {};
    const bool new_epoch = row.epoch > row_.epoch;
    row_ = row;
    if (!new_epoch) return advance();
    if (row.leader == self_) {
        role_ = Leader{.epoch_start = log_end, .safe_end = safe_end, .followers = {}};
    } else {
        role_ = Follower{};
    }
    Effects effects = advance();
    effects.role_changed = true;
    return effects;
}

Effects Replica::progressed(Offset safe_end) {
    if (auto* leader = std::get_if<Leader>(&role_)) leader->safe_end = safe_end;
    return advance();
}

Effects Replica::follower_progressed(BrokerId who, Offset safe_end) {
    if (auto* leader = std::get_if<Leader>(&role_)) leader->followers[who] = safe_end;
    return advance();
}

Effects Replica::set_min_isr(int min_isr) {
    min_isr_ = min_isr;
    return advance();
}

bool Replica::enough_in_sync() const {
    const auto wanted =
        std::min<size_t>(static_cast<size_t>(std::max(min_isr_, 1)), row_.replicas.size());
    return leading() && row_.isr.size() >= wanted;
}

Effects Replica::advance() {
    const auto* leader = std::get_if<Leader>(&role_);
    if (leader == nullptr || !enough_in_sync()) return {};
    Offset safe = leader->safe_end;
    for (const BrokerId member : row_.isr) {
        if (member == self_) continue;
        const auto known = leader->followers.find(member);
        if (known == leader->followers.end()) return {};  // not heard of in this epoch
        safe = std::min(safe, known->second);
    }
    if (safe <= high_watermark_) return {};
    high_watermark_ = safe;
    return {.high_watermark = safe};
}

}  // namespace replication
