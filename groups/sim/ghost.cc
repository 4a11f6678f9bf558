#include "groups/sim/ghost.h"

namespace groups::sim {

Ghost::Broken Ghost::durable(const Record& record) {
    ++records_;
    auto parsed =
        parse(record.key, record.value ? std::optional<base::View>(*record.value) : std::nullopt);
    if (!parsed.ok()) return "a record that can't be read back: " + base::message(parsed.status());
    if (const auto* offset = std::get_if<OffsetRecord>(&*parsed)) {
        if (offset->value) {
            offsets_[offset->key] = *offset->value;
            commits_.insert({offset->key, offset->value->offset});
        } else {
            offsets_.erase(offset->key);
        }
        return {};
    }
    const auto& group = std::get<GroupRecord>(*parsed);
    if (group.value) return durable_group(group.key.group, *group.value);
    groups_.erase(group.key.group);
    lives_.erase(group.key.group);
    return {};
}

Ghost::Broken Ghost::durable_group(const std::string& id, const GroupMetadataValue& value) {
    auto& life = lives_[id];
    if (value.generation < life.generation)
        return id + ": generation " + std::to_string(value.generation) + " after " +
               std::to_string(life.generation);
    life.generation = value.generation;
    std::set<std::byte> owned;
    for (const auto& m : value.members) {
        const auto [it, fresh] =
            life.assignments.try_emplace({value.generation, m.member_id}, m.assignment);
        if (!fresh && it->second != m.assignment)
            return id + ": two assignments of " + m.member_id + " in one generation";
        for (const auto partition : m.assignment)
            if (!owned.insert(partition).second)
                return id + ": partition " + std::to_string(static_cast<int>(partition)) +
                       " has two owners in generation " + std::to_string(value.generation);
    }
    groups_[id] = value;
    return {};
}

Ghost::Broken Ghost::check_offsets(const Groups& groups) const {
    if (groups.offsets().durable() == offsets_) return {};
    for (const auto& [key, value] : offsets_) {
        const auto* seen = groups.offsets().find(key);
        const auto what = key.group + " " + key.topic + "-" + std::to_string(key.partition);
        if (seen == nullptr) return "the durable position of " + what + " is not seen";
        if (!(*seen == value))
            return what + " is at " + std::to_string(seen->offset) + ", the log says " +
                   std::to_string(value.offset);
    }
    return "a position is seen that the log does not hold";
}

Ghost::Broken Ghost::check_groups(const Groups& groups) const {
    for (const auto& [id, value] : groups_) {
        const auto* group = groups.find(id);
        if (group == nullptr || group->state() != Group::State::stable || group->writing())
            continue;
        if (group->generation() != value.generation)
            return id + ": stable in generation " + std::to_string(group->generation()) +
                   ", the log has " + std::to_string(value.generation);
        auto live = group->metadata(group->assignments());
        if (live.members.size() != value.members.size())
            return id + ": other members than in the log";
        for (size_t i = 0; i < live.members.size(); ++i)
            if (live.members[i].member_id != value.members[i].member_id ||
                live.members[i].assignment != value.members[i].assignment)
                return id + ": member " + live.members[i].member_id + " is not as in the log";
    }
    return {};
}

Ghost::Broken Ghost::check_loaded(const Groups& groups) const {
    if (auto broken = check_offsets(groups)) return broken;
    for (const auto& [id, value] : groups_) {
        const auto* group = groups.find(id);
        if (group == nullptr) return id + ": forgotten by the failover";
        auto live = group->metadata(group->assignments());
        live.current_state_timestamp = value.current_state_timestamp;
        if (!(live == value)) return id + ": not as the log has it";
    }
    for (const auto& [key, value] : offsets_)
        if (groups.find(key.group) == nullptr)
            return key.group + ": has positions but is not there";
    return {};
}

bool Ghost::assigned(const std::string& group, int32_t generation, const std::string& member,
                     const base::Bytes& assignment) const {
    const auto life = lives_.find(group);
    if (life == lives_.end()) return false;
    const auto it = life->second.assignments.find({generation, member});
    return it != life->second.assignments.end() && it->second == assignment;
}

bool Ghost::member(const std::string& group, const std::string& member) const {
    const auto it = groups_.find(group);
    if (it == groups_.end()) return false;
    for (const auto& m : it->second.members)
        if (m.member_id == member) return true;
    return false;
}

}  // namespace groups::sim
