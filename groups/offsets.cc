#include "groups/offsets.h"

#include <limits>
#include <set>

#include "base/check.h"

namespace groups {

namespace {

OffsetKey first_of(const std::string& group) {
    return {group, "", std::numeric_limits<int32_t>::min()};
}

/// Calls `visit` for the entries of one group of a map by OffsetKey, which keeps them together.
void in_group(const auto& map, const std::string& group, auto&& visit) {
    for (auto it = map.lower_bound(first_of(group)); it != map.end() && it->first.group == group;
         ++it)
        visit(*it);
}

}  // namespace

void Offsets::start(WriteId id, std::vector<Change> changes) {
    for (const auto& change : changes) ++in_flight_[change.key];
    writes_.emplace(id, std::move(changes));
}

void Offsets::finish(WriteId id, bool durable) {
    auto node = writes_.extract(id);
    if (node.empty()) return;
    for (auto& change : node.mapped()) {
        const auto it = in_flight_.find(change.key);
        CHECK(it != in_flight_.end());
        if (--it->second == 0) in_flight_.erase(it);
        if (durable) replay(change.key, std::move(change.value));
    }
}

void Offsets::replay(const OffsetKey& key, std::optional<OffsetCommitValue> value) {
    if (value) durable_.insert_or_assign(key, *std::move(value));
    else durable_.erase(key);
}

const OffsetCommitValue* Offsets::find(const OffsetKey& key) const {
    const auto it = durable_.find(key);
    return it == durable_.end() ? nullptr : &it->second;
}

std::vector<OffsetKey> Offsets::keys_of(const std::string& group) const {
    std::set<OffsetKey> keys;
    in_group(durable_, group, [&](const auto& e) { keys.insert(e.first); });
    in_group(in_flight_, group, [&](const auto& e) { keys.insert(e.first); });
    return {keys.begin(), keys.end()};
}

bool Offsets::any_of(const std::string& group) const {
    const auto any = [&](const auto& map) {
        const auto it = map.lower_bound(first_of(group));
        return it != map.end() && it->first.group == group;
    };
    return any(durable_) || any(in_flight_);
}

void Offsets::each(
    const std::string& group,
    const std::function<void(const OffsetKey&, const OffsetCommitValue&)>& visit) const {
    in_group(durable_, group, [&](const auto& e) { visit(e.first, e.second); });
}

std::vector<OffsetKey> Offsets::keys_where(const Which& which) const {
    std::map<OffsetKey, bool> found;
    const auto look = [&](const OffsetKey& key, const OffsetCommitValue* value) {
        found.try_emplace(key, true).first->second &= value != nullptr && which(key, *value);
    };
    for (const auto& [key, value] : durable_) look(key, &value);
    for (const auto& [id, changes] : writes_)
        for (const auto& change : changes)
            look(change.key, change.value ? &*change.value : nullptr);
    std::vector<OffsetKey> keys;
    for (const auto& [key, is_so] : found)
        if (is_so) keys.push_back(key);
    return keys;
}

std::vector<OffsetKey> Offsets::expired(const std::string& group, const Expiry& expiry,
                                        base::TimestampMs now, int64_t retention_ms) const {
    std::vector<OffsetKey> old;
    each(group, [&](const OffsetKey& key, const OffsetCommitValue& value) {
        if (in_flight(key) || expiry.kept(key.topic)) return;
        const bool due = value.expire_timestamp >= 0
                             ? now >= value.expire_timestamp
                             : now - expiry.since.value_or(value.commit_timestamp) >= retention_ms;
        if (due) old.push_back(key);
    });
    return old;
}

}  // namespace groups
