// What must hold in a simulation: the numbers are those of the project's list for groups.
#include <algorithm>

#include "groups/sim/simulation.h"

namespace groups::sim {

using kafka::ErrorCode;

void Simulation::check() {
    if (!groups_) return;
    // 5: what is seen is what is durable. 6: so are the groups.
    if (auto what = ghost_.check_offsets(*groups_)) broken(*what);
    if (auto what = ghost_.check_groups(*groups_)) broken(*what);
    const auto* group = groups_->find("g");
    if (group == nullptr) {
        generations_.erase("g");
        return;
    }
    // 3: generations only grow.
    auto& last = generations_["g"];
    if (group->generation() < last)
        broken("the generation fell to " + std::to_string(group->generation()));
    if (group->generation() > last) ++totals_.generations;
    last = group->generation();
    // Who did not come back is not in the new generation, unless it is static.
    if (group->state() == Group::State::completing_rebalance)
        for (const auto& [id, member] : group->members())
            if (!member.instance_id && joined_[id] != group->generation())
                broken(id + " is in a generation that it did not join");
    // 1: no two current members own one partition.
    std::map<int, const Client*> owners;
    for (const auto& c : clients_) {
        if (c->state() != Client::State::stable || c->generation() != group->generation()) continue;
        if (!group->members().contains(c->member_id())) continue;
        for (const int p : c->owned()) {
            const auto [it, fresh] = owners.emplace(p, c.get());
            if (!fresh && it->second->member_id() != c->member_id())
                broken("partition " + std::to_string(p) + " is owned by " +
                       it->second->member_id() + " and " + c->member_id());
        }
    }
}

/// 4, said anew: the current generation and a member of it, or nobody's group at all.
ErrorCode Simulation::expected_commit(const kafka::OffsetCommitRequest& request) const {
    const auto* group = groups_->find(request.group_id);
    const auto generation = request.generation_id_or_member_epoch;
    if (group == nullptr) return generation < 0 ? ErrorCode::none : ErrorCode::group_id_not_found;
    if (generation < 0 && group->state() == Group::State::empty) return ErrorCode::none;
    if (!group->members().contains(request.member_id)) return ErrorCode::unknown_member_id;
    if (generation != group->generation()) return ErrorCode::illegal_generation;
    if (group->state() == Group::State::completing_rebalance)
        return ErrorCode::rebalance_in_progress;
    return ErrorCode::none;
}

void Simulation::check_commit(const kafka::OffsetCommitRequest& request, const Effects& effects,
                              ErrorCode expected) {
    if (expected == ErrorCode::none) {
        if (effects.writes.size() != 1 || !effects.answers.empty())
            broken("a valid commit was not taken");
        return;
    }
    if (!effects.writes.empty()) return broken("a commit of " + request.member_id + " was taken");
    if (effects.answers.size() != 1) return broken("a refused commit got no answer");
    const auto& response = std::get<kafka::OffsetCommitResponse>(effects.answers[0].body);
    const auto told = response.topics[0].partitions[0].error_code;
    if (told != expected &&
        !(expected == ErrorCode::group_id_not_found && told == ErrorCode::illegal_generation))
        broken("a commit was refused with " + std::to_string(static_cast<int>(told)) + ", not " +
               std::to_string(static_cast<int>(expected)));
}

/// A promise leaves only when the log keeps it.
void Simulation::check_answer(const Answer& answer, const Call& call) {
    if (const auto* commit = std::get_if<kafka::OffsetCommitResponse>(&answer.body)) {
        if (commit->topics[0].partitions[0].error_code != ErrorCode::none) return;
        ++totals_.commits;
        for (const auto& [key, offset] : call.positions)
            if (!ghost_.committed(key, offset))
                broken("a commit was acknowledged that is not durable");
    } else if (const auto* sync = std::get_if<kafka::SyncGroupResponse>(&answer.body)) {
        if (sync->error_code != ErrorCode::none) return;
        if (!ghost_.assigned(call.group, call.generation, call.member_id, sync->assignment))
            broken("an assignment of " + call.member_id + " was given that is not durable");
    } else if (const auto* join = std::get_if<kafka::JoinGroupResponse>(&answer.body)) {
        if (join->error_code == ErrorCode::inconsistent_group_protocol)
            broken("a client was refused for its protocols");
        if (join->error_code != ErrorCode::none) return;
        joined_[join->member_id] = join->generation_id;
        const auto* group = groups_->find(call.group);
        if (group == nullptr || !group->members().contains(join->member_id))
            broken("a join was answered to " + join->member_id + ", who is no member");
        else if (group->state() == Group::State::stable &&
                 !ghost_.member(call.group, join->member_id))
            broken(join->member_id + " was let into a stable group but is not in the log");
    }
}

/// 8: positions are kept while the group lives, or subscribes to the topic.
void Simulation::expire() {
    struct Before {
        bool empty = true;
        bool subscribed = false;
        base::TimestampMs since = 0;
        bool simple = true;
    };
    auto before = [this](const OffsetKey& key) {
        const auto* group = groups_->find(key.group);
        if (group == nullptr) return Before{};
        return Before{group->state() == Group::State::empty,
                      key.topic == "t" && !group->members().empty(), group->state_since(),
                      !group->protocol_type()};
    };
    std::map<OffsetKey, Before> states;
    for (const auto& [key, value] : groups_->offsets().durable()) states.emplace(key, before(key));
    const auto values = groups_->offsets().durable();
    auto effects = groups_->expire(world_.clocks());
    for (const auto& write : effects.writes)
        for (const auto& record : write.records) {
            const auto parsed = parse(record.key, std::nullopt);
            const auto* offset = parsed.ok() ? std::get_if<OffsetRecord>(&*parsed) : nullptr;
            if (offset == nullptr) continue;
            ++totals_.expired;
            const auto& state = states.at(offset->key);
            if (state.subscribed) broken("a position in a subscribed topic expired");
            const auto since = state.empty && !state.simple
                                   ? state.since
                                   : values.at(offset->key).commit_timestamp;
            if (world_.clocks().wall - since < config_.retention_ms)
                broken("a position expired too early");
        }
    carry_out(std::move(effects));
}

void Simulation::make_topic_anew() {
    const auto old = std::exchange(topic_id_, {topic_id_.hi, topic_id_.lo + 1});
    world_.trace("the topic is made anew");
    if (groups_ && world_.chance(60))
        drop([old](const auto& key, const auto& value) {
            return key.topic == "t" && value.topic_id == old;
        });
}

bool Simulation::outlived(const OffsetKey& key, const OffsetCommitValue& value) const {
    return key.topic == "t" && value.topic_id != topic_id_;
}

void Simulation::drop_outlived() {
    drop([this](const auto& key, const auto& value) { return outlived(key, value); });
}

/// What may still become a good position is never dropped.
void Simulation::drop(const Offsets::Which& which) {
    auto effects = groups_->drop(world_.clocks(), which);
    std::set<OffsetKey> dropped;
    for (const auto& write : effects.writes)
        for (const auto& record : write.records) {
            const auto parsed = parse(record.key, std::nullopt);
            const auto* offset = parsed.ok() ? std::get_if<OffsetRecord>(&*parsed) : nullptr;
            if (offset != nullptr) dropped.insert(offset->key);
            else broken("a drop of positions writes something else");
        }
    totals_.dropped += dropped.size();
    for (const auto& key : dropped)
        if (const auto* value = groups_->offsets().find(key); value && !which(key, *value))
            broken("a good position was dropped");
    for (const auto& appended : tail_) {
        const auto& r = appended.record;
        const auto parsed =
            parse(r.key, r.value ? std::optional<base::View>(*r.value) : std::nullopt);
        const auto* offset = parsed.ok() ? std::get_if<OffsetRecord>(&*parsed) : nullptr;
        if (offset != nullptr && offset->value && dropped.contains(offset->key) &&
            !which(offset->key, *offset->value))
            broken("a good position on its way was dropped");
    }
    carry_out(std::move(effects));
}

/// 2 and 9: with the faults over, all are in one generation and share the partitions.
void Simulation::check_settled() {
    const auto* group = groups_->find("g");
    std::set<int> covered;
    size_t up = 0;
    for (const auto& c : clients_) {
        if (!c->up()) continue;
        ++up;
        const auto name = "client " + std::to_string(c->traits().index);
        if (c->state() != Client::State::stable) return broken(name + " has not settled");
        if (group == nullptr || group->state() != Group::State::stable)
            return broken("the group has not settled");
        if (c->generation() != group->generation())
            return broken(name + " is in another generation");
        for (const int p : c->owned())
            if (!covered.insert(p).second) return broken("a partition has two owners in the end");
    }
    if (up == 0) return;
    if (group->members().size() != up) return broken("members that are gone are still there");
    if (covered.size() != static_cast<size_t>(clients_[0]->traits().partitions))
        broken("a partition has no owner in the end");
    for (const auto& [key, value] : groups_->offsets().durable())
        if (outlived(key, value)) return broken("a position has outlived its topic in the end");
    const bool written_all = !group->writing() && tail_.empty();
    if (!written_all) broken("writes are still on their way");
}

}  // namespace groups::sim
