// The part of Groups that is about positions: commit, fetch, delete, expire.
#include <algorithm>

#include "base/check.h"
#include "groups/groups.h"

namespace groups {

using kafka::ErrorCode;

namespace {
/// Tombstones a write may hold: with topic and group names of Kafka's length, well under a batch.
constexpr size_t tombstones_per_write = 500;

kafka::OffsetCommitResponse the_same_for_each(const kafka::OffsetCommitRequest& request,
                                              ErrorCode error) {
    kafka::OffsetCommitResponse response;
    for (const auto& topic : request.topics) {
        auto& answers = response.topics.emplace_back();
        answers.name = topic.name;
        answers.topic_id = topic.topic_id;
        for (const auto& p : topic.partitions) {
            auto& one = answers.partitions.emplace_back();
            one.partition_index = p.partition_index;
            one.error_code = error;
        }
    }
    return response;
}
}  // namespace

void refuse_all(Answer::Body& body, ErrorCode why) {
    if (auto* commit = std::get_if<kafka::OffsetCommitResponse>(&body)) {
        for (auto& topic : commit->topics)
            for (auto& p : topic.partitions)
                if (p.error_code == ErrorCode::none) p.error_code = why;
    } else if (auto* offsets = std::get_if<kafka::OffsetDeleteResponse>(&body)) {
        offsets->error_code = why;
        offsets->topics.clear();
    } else if (auto* groups = std::get_if<kafka::DeleteGroupsResponse>(&body)) {
        for (auto& r : groups->results) r.error_code = why;
    }
}

kafka::OffsetCommitResponse refuse(const kafka::OffsetCommitRequest& request, ErrorCode why) {
    return the_same_for_each(request, why);
}

kafka::OffsetFetchResponse::OffsetFetchResponseGroup refuse(
    const kafka::OffsetFetchRequest::OffsetFetchRequestGroup& request, ErrorCode why) {
    kafka::OffsetFetchResponse::OffsetFetchResponseGroup response;
    response.group_id = request.group_id;
    response.error_code = why;
    return response;
}

kafka::OffsetFetchResponse single_group(
    const kafka::OffsetFetchRequest& asked,
    kafka::OffsetFetchResponse::OffsetFetchResponseGroup group) {
    kafka::OffsetFetchResponse response;
    response.error_code = group.error_code;
    if (group.error_code != ErrorCode::none && asked.topics) {
        // Versions 0 and 1 have room for an error in partitions only.
        for (const auto& topic : *asked.topics) {
            auto& to = response.topics.emplace_back();
            to.name = topic.name;
            for (const auto partition : topic.partition_indexes) {
                auto& p = to.partitions.emplace_back();
                p.partition_index = partition;
                p.committed_offset = -1;
                p.error_code = group.error_code;
            }
        }
        return response;
    }
    for (auto& topic : group.topics) {
        auto& to = response.topics.emplace_back();
        to.name = std::move(topic.name);
        for (auto& p : topic.partitions)
            to.partitions.push_back({.partition_index = p.partition_index,
                                     .committed_offset = p.committed_offset,
                                     .committed_leader_epoch = p.committed_leader_epoch,
                                     .metadata = std::move(p.metadata),
                                     .error_code = p.error_code});
    }
    return response;
}

Effects Groups::overdue(Now now, WriteId id) {
    Turn turn(now, last_write_);
    const auto it = waiting_.find(id);
    if (it == waiting_.end() || it->second.request == 0) return std::move(turn.effects);
    auto response = it->second.response;
    refuse_all(response, ErrorCode::coordinator_not_available);
    turn.answer(std::exchange(it->second.request, 0), std::move(response));
    return std::move(turn.effects);
}

ErrorCode Groups::check_commit(const kafka::OffsetCommitRequest& request, int16_t version,
                               Now now) {
    if (request.group_id.empty()) return ErrorCode::invalid_group_id;
    const auto it = groups_.find(request.group_id);
    const int32_t generation = request.generation_id_or_member_epoch;
    if (it != groups_.end())
        return it->second.group.check_commit(request.member_id, request.group_instance_id,
                                             generation, now);
    // Who manages its own partitions makes the group by its first commit.
    if (generation < 0) return ErrorCode::none;
    return version >= 9 ? ErrorCode::group_id_not_found : ErrorCode::illegal_generation;
}

Effects Groups::commit(Now now, const kafka::OffsetCommitRequest& request, RequestId to,
                       int16_t version) {
    Turn turn(now, last_write_);
    const auto error = check_commit(request, version, now);
    auto response = the_same_for_each(request, error);
    std::vector<Offsets::Change> changes;
    std::vector<Record> records;
    for (size_t t = 0; t < request.topics.size() && error == ErrorCode::none; ++t) {
        const auto& topic = request.topics[t];
        for (size_t i = 0; i < topic.partitions.size(); ++i) {
            const auto& p = topic.partitions[i];
            const auto metadata = p.committed_metadata.value_or("");
            if (metadata.size() > static_cast<size_t>(config_->metadata_max_bytes)) {
                response.topics[t].partitions[i].error_code = ErrorCode::offset_metadata_too_large;
                continue;
            }
            OffsetCommitValue value{.offset = p.committed_offset,
                                    .leader_epoch = p.committed_leader_epoch,
                                    .metadata = metadata,
                                    .commit_timestamp = now.wall,
                                    .expire_timestamp = request.retention_time_ms < 0
                                                            ? -1
                                                            : now.wall + request.retention_time_ms,
                                    .topic_id = topic.topic_id};
            OffsetKey key{request.group_id, topic.name, p.partition_index};
            records.push_back(to_record(key, value));
            changes.push_back({std::move(key), std::move(value)});
        }
    }
    if (records.empty()) {
        turn.answer(to, std::move(response));
    } else {
        add(request.group_id, now);
        const auto id = turn.write(std::move(records));
        offsets_.start(id, std::move(changes));
        waiting_.emplace(id, Waiting{to, std::move(response), request.group_id, {}});
    }
    settle(request.group_id, turn);
    return std::move(turn.effects);
}

kafka::OffsetFetchResponse::OffsetFetchResponseGroup Groups::fetch(
    const kafka::OffsetFetchRequest::OffsetFetchRequestGroup& request, bool,
    const Offsets::Which& hidden) const {
    kafka::OffsetFetchResponse::OffsetFetchResponseGroup response;
    response.group_id = request.group_id;
    auto put = [](auto& topic, int32_t partition, const OffsetCommitValue* value) {
        auto& p = topic.partitions.emplace_back();
        p.partition_index = partition;
        p.committed_offset = value == nullptr ? -1 : value->offset;
        p.committed_leader_epoch = value == nullptr ? -1 : value->leader_epoch;
        p.metadata = value == nullptr ? "" : value->metadata;
    };
    if (!request.topics) {
        offsets_.each(request.group_id, [&](const OffsetKey& key, const OffsetCommitValue& value) {
            if (hidden && hidden(key, value)) return;
            if (response.topics.empty() || response.topics.back().name != key.topic) {
                auto& topic = response.topics.emplace_back();
                topic.name = key.topic;
                topic.topic_id = value.topic_id;
            }
            put(response.topics.back(), key.partition, &value);
        });
        return response;
    }
    for (const auto& asked : *request.topics) {
        auto& topic = response.topics.emplace_back();
        topic.name = asked.name;
        topic.topic_id = asked.topic_id;
        for (const auto partition : asked.partition_indexes) {
            const OffsetKey key{request.group_id, asked.name, partition};
            const auto* value = offsets_.find(key);
            if (value != nullptr && hidden && hidden(key, *value)) value = nullptr;
            // A position in an earlier topic of the same name says nothing about this one.
            const bool other_topic = value != nullptr && !value->topic_id.is_zero() &&
                                     !asked.topic_id.is_zero() && value->topic_id != asked.topic_id;
            put(topic, partition, other_topic ? nullptr : value);
        }
    }
    return response;
}

WriteId Groups::bury(const std::vector<OffsetKey>& keys, const std::optional<std::string>& group,
                     Turn& turn) {
    WriteId last = 0;
    size_t at = 0;
    do {
        std::vector<Record> records;
        std::vector<Offsets::Change> changes;
        for (; at < keys.size() && records.size() < tombstones_per_write; ++at) {
            records.push_back(tombstone(keys[at]));
            changes.push_back({keys[at], std::nullopt});
        }
        if (at == keys.size() && group) records.push_back(tombstone(*group));
        last = turn.write(std::move(records));
        offsets_.start(last, std::move(changes));
        if (at < keys.size()) waiting_.emplace(last, Waiting{0, {}, keys[at].group, {}});
    } while (at < keys.size());
    return last;
}

Effects Groups::delete_offsets(Now now, const kafka::OffsetDeleteRequest& request, RequestId to) {
    Turn turn(now, last_write_);
    kafka::OffsetDeleteResponse response;
    const auto* group = find(request.group_id);
    if (request.group_id.empty()) response.error_code = ErrorCode::invalid_group_id;
    else if (group == nullptr) response.error_code = ErrorCode::group_id_not_found;
    // What members of another protocol own can't be seen.
    else if (group->state() != Group::State::empty && !group->of_consumers())
        response.error_code = ErrorCode::non_empty_group;
    std::vector<OffsetKey> keys;
    if (response.error_code == ErrorCode::none) {
        for (const auto& topic : request.topics) {
            auto& answers = response.topics.emplace_back();
            answers.name = topic.name;
            for (const auto& p : topic.partitions) {
                auto& one = answers.partitions.emplace_back();
                one.partition_index = p.partition_index;
                OffsetKey key{request.group_id, topic.name, p.partition_index};
                if (group->subscribed_to(topic.name))
                    one.error_code = ErrorCode::group_subscribed_to_topic;
                else if (offsets_.find(key) != nullptr || offsets_.in_flight(key))
                    keys.push_back(std::move(key));
            }
        }
    }
    if (keys.empty()) {
        turn.answer(to, std::move(response));
        return std::move(turn.effects);
    }
    const auto id = bury(keys, std::nullopt, turn);
    waiting_.emplace(id, Waiting{to, std::move(response), request.group_id, {}});
    return std::move(turn.effects);
}

Effects Groups::delete_group(Now now, const std::string& id, RequestId to) {
    Turn turn(now, last_write_);
    kafka::DeleteGroupsResponse response;
    auto& result = response.results.emplace_back();
    result.group_id = id;
    const auto* group = find(id);
    if (id.empty()) result.error_code = ErrorCode::invalid_group_id;
    else if (group == nullptr) result.error_code = ErrorCode::group_id_not_found;
    else if (group->state() != Group::State::empty) result.error_code = ErrorCode::non_empty_group;
    if (result.error_code != ErrorCode::none) {
        turn.answer(to, std::move(response));
        return std::move(turn.effects);
    }
    const auto write = bury(offsets_.keys_of(id), id, turn);
    waiting_.emplace(write, Waiting{to, std::move(response), id, take(id)});
    return std::move(turn.effects);
}

std::optional<Offsets::Expiry> Groups::expiry_of(const Group& group) const {
    auto none = [](const std::string&) { return false; };
    // Never had a member: each position ages by itself.
    if (!group.protocol_type()) return Offsets::Expiry{std::nullopt, none};
    if (group.state() == Group::State::empty) {
        // Records of before Kafka 2.1 don't say since when.
        if (group.state_since() < 0) return Offsets::Expiry{std::nullopt, none};
        return Offsets::Expiry{group.state_since(), none};
    }
    if (group.state() == Group::State::stable && group.of_consumers())
        return Offsets::Expiry{std::nullopt,
                               [&group](const std::string& t) { return group.subscribed_to(t); }};
    return std::nullopt;
}

Effects Groups::expire(Now now) {
    Turn turn(now, last_write_);
    std::vector<std::string> ids;
    for (const auto& [id, entry] : groups_) ids.push_back(id);
    for (const auto& id : ids) {
        const auto& group = groups_.at(id).group;
        const auto expiry = expiry_of(group);
        if (!expiry) continue;
        const auto old = offsets_.expired(id, *expiry, now.wall, config_->retention_ms);
        const bool nothing_left = old.size() == offsets_.keys_of(id).size();
        const bool unused = nothing_left && group.state() == Group::State::empty &&
                            group.pending_members() == 0 && !group.writing();
        if (unused) {
            const auto write = bury(old, id, turn);
            waiting_.emplace(write, Waiting{0, {}, id, take(id)});
        } else if (!old.empty()) {
            waiting_.emplace(bury(old, std::nullopt, turn), Waiting{0, {}, id, {}});
        }
    }
    return std::move(turn.effects);
}

Effects Groups::drop(Now now, const Offsets::Which& which) {
    Turn turn(now, last_write_);
    std::map<std::string, std::vector<OffsetKey>> keys;
    for (auto& key : offsets_.keys_where(which)) keys[key.group].push_back(std::move(key));
    // Each write is some group's, which may have nothing left afterwards.
    for (const auto& [group, its_keys] : keys)
        waiting_.emplace(bury(its_keys, std::nullopt, turn), Waiting{0, {}, group, {}});
    return std::move(turn.effects);
}

}  // namespace groups
